"""Many connections at once, each in use: what a size test looks at while they are open.

many.py server PORT HOW            serves until it is ended; says how many descriptors it has when the last client has gone
many.py client ADDRESS PORT COUNT HOW [BYTES]
                                   opens COUNT connections and uses each, says "open", and after a line on standard input closes them again.
                                   BYTES: each first carries a burst of so many.
HOW is epoll, poll or threads: how they wait.
"""
import os
import select
import socket
import sys
import threading

MESSAGE = 16


def receive(connection, count):
    parts = b""
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 65536))
        if not part:
            raise EOFError("the stream ended early")
        parts += part
    return parts


def descriptors():
    return len(os.listdir("/proc/self/fd"))


class Echo:
    def __init__(self, port):
        self.listener = socket.create_server(("", port), backlog=1024)
        self.connections = {}

    def serve(self, wait, add, remove):
        add(self.listener.fileno())
        while True:
            for number in wait():
                if number == self.listener.fileno():
                    connection = self.listener.accept()[0]
                    self.connections[connection.fileno()] = connection
                    add(connection.fileno())
                    continue
                data = self.connections[number].recv(65536)
                if data:
                    self.connections[number].sendall(data)
                    continue
                remove(number)
                self.connections.pop(number).close()
                if not self.connections:
                    print("all gone", descriptors(), flush=True)

    def in_threads(self):
        while True:
            threading.Thread(target=self.one, args=(self.listener.accept()[0],), daemon=True).start()

    @staticmethod
    def one(connection):
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.close()


def server(port, how):
    echo = Echo(int(port))
    if how == "threads":
        echo.in_threads()
    waiter = select.poll() if how == "poll" else select.epoll()
    echo.serve(lambda: [number for number, _ in waiter.poll()], lambda number: waiter.register(number, select.POLLIN), waiter.unregister)


def burst(connection, size):
    """Sends it whole before anything comes back is read: the echo goes on while this side reads."""
    data = os.urandom(4096) * (size // 4096)
    sender = threading.Thread(target=connection.sendall, args=(data,))
    sender.start()
    assert receive(connection, len(data)) == data, "the burst came back changed"
    sender.join()


def in_turn(connections, text):
    for number, connection in enumerate(connections):
        connection.sendall(b"%s %08d" % (text, number))
    for number, connection in enumerate(connections):
        assert receive(connection, MESSAGE) == b"%s %08d" % (text, number), "another connection's message"


def at_once(connections, text):
    """A thread each that sleeps in recv; all are woken by one thread that sends."""
    failed = []

    def one(number, connection):
        try:
            assert receive(connection, MESSAGE) == b"%s %08d" % (text, number), "another connection's message"
        except BaseException as error:
            failed.append(repr(error))

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(connections)]
    for thread in threads:
        thread.start()
    for number, connection in reversed(list(enumerate(connections))):
        connection.sendall(b"%s %08d" % (text, number))
    for thread in threads:
        thread.join()
    assert not failed, failed[0]


def wait_for_line(connections, how):
    """As a program with an event loop waits: on all it has."""
    waiter = select.epoll() if how == "epoll" else select.poll()
    for connection in connections:
        waiter.register(connection.fileno(), select.POLLIN)
    if how == "epoll":
        # What stands behind standard input may be a file, which epoll does not take.
        read, write = os.pipe()
        threading.Thread(target=lambda: (sys.stdin.readline(), os.write(write, b"x")), daemon=True).start()
        waiter.register(read, select.POLLIN)
    else:
        read = sys.stdin.fileno()
        waiter.register(read, select.POLLIN)
    while read not in [number for number, _ in waiter.poll()]:
        pass
    if how == "epoll":
        waiter.close()
        os.close(read)
        os.close(write)
    else:
        sys.stdin.readline()


def client(address, port, count, how, size="0"):
    use = at_once if how == "threads" else in_turn
    connections = []
    for number in range(int(count)):
        connections.append(socket.create_connection((address, int(port))))
        connections[-1].sendall(b"%016d" % number)
        assert receive(connections[-1], MESSAGE) == b"%016d" % number
        if int(size):
            burst(connections[-1], int(size))
    for text in b"first...", b"second..", b"third...":
        use(connections, text[:7])
    print("open", descriptors(), flush=True)
    wait_for_line(connections, how)
    use(connections, b"fourth.")
    for connection in connections[::2]:
        connection.close()
    # Those that shared a doorbell with them go on.
    use(connections[1::2], b"fifth..")
    for connection in connections[1::2]:
        connection.close()
    print("closed", descriptors(), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    {"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
