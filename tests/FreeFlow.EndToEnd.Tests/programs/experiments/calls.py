"""Flags, timeouts and corner cases of single calls."""
import array, fcntl, os, signal, socket, struct, termios, threading, time
from .report import attempt, drain, fill, poll_one, settle

SHORT = struct.pack("ll", 0, 100_000)


def peek(client, server):
    client.sendall(b"0123456789")
    settle()
    attempt("peek", server.recv, 4, socket.MSG_PEEK)
    attempt("peek all", server.recv, 100, socket.MSG_PEEK)
    attempt("read", server.recv, 3)
    attempt("peek", server.recv, 100, socket.MSG_PEEK)


def wait_all(client, server):
    threading.Timer(0.1, client.sendall, [b"b" * 50000]).start()
    client.sendall(b"a" * 50000)
    attempt("both parts", server.recv, 100000, socket.MSG_WAITALL)
    client.sendall(b"short")
    client.shutdown(socket.SHUT_WR)
    attempt("ended early", server.recv, 100, socket.MSG_WAITALL)


def dont_wait(client, server):
    attempt("empty", server.recv, 10, socket.MSG_DONTWAIT)
    client.send(b"x")
    settle()
    attempt("full", server.recv, 10, socket.MSG_DONTWAIT)


def truncate_discards(client, server):
    client.sendall(b"0123456789")
    settle()
    attempt("discard", lambda: server.recv_into(bytearray(4), 4, socket.MSG_TRUNC))
    attempt("rest", server.recv, 100)


def nothing_at_all(client, server):
    attempt("send nothing", client.send, b"")
    attempt("receive nothing", server.recv, 0)
    attempt("write nothing", os.write, client.fileno(), b"")
    attempt("vectors of nothing", client.sendmsg, [b"", b"", b""])
    attempt("still empty", server.recv, 10, socket.MSG_DONTWAIT)


def receive_timeout(client, server):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, SHORT)
    start = time.monotonic()
    attempt("recv", server.recv, 10)
    print("in time", 0.09 < time.monotonic() - start < 1)
    client.send(b"x")
    attempt("recv", server.recv, 10)


def send_timeout(client, server):
    fill(client)
    client.setblocking(True)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SHORT)
    start = time.monotonic()
    attempt("send", client.send, b"x" * 1000)
    print("in time", 0.09 < time.monotonic() - start < 1)


def full_then_writable(client, server):
    count = fill(client)
    print("full", poll_one(client))
    drain(server, count)
    settle()
    print("drained", poll_one(client))
    attempt("send", client.send, b"x")


def waiting_bytes(client, server):
    def waiting():
        count = array.array("i", [0])
        fcntl.ioctl(server, termios.FIONREAD, count)
        return count[0]

    print(waiting())
    client.sendall(b"x" * 1234)
    settle()
    print(waiting())
    server.recv(234)
    print(waiting())


def many_vectors(client, server):
    attempt("1024", client.sendmsg, [b"x"] * 1024)
    attempt("1025", client.sendmsg, [b"x"] * 1025)
    attempt("recv", server.recv, 2000)
    client.sendall(b"0123456789")
    buffers = [bytearray(3), bytearray(0), bytearray(20)]
    attempt("recvmsg_into", server.recvmsg_into, buffers)
    print(buffers)


def message_with_control(client, server):
    client.sendall(b"text")
    data, control, flags, address = server.recvmsg(100, 100)
    print(data, control, flags, address)


def interrupted_reader(client, server):
    class Alarm(Exception):
        pass

    def ring(number, frame):
        raise Alarm

    signal.signal(signal.SIGUSR1, ring)
    threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGUSR1]).start()
    try:
        server.recv(10)
    except Alarm:
        print("interrupted")
    client.send(b"x")
    attempt("recv", server.recv, 10)


def handler_that_sends(client, server):
    signal.signal(signal.SIGUSR1, lambda *_: client.send(b"from the handler"))
    threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGUSR1]).start()
    attempt("recv", server.recv, 100)


def urgent_byte(client, server):
    client.sendall(b"before")
    settle()
    attempt("send", client.send, b"!", socket.MSG_OOB)
    settle()
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    attempt("normal", server.recv, 100)


def names_and_options(client, server):
    print(client.getpeername() == server.getsockname(), server.getpeername() == client.getsockname())
    for option in (socket.SO_ERROR, socket.SO_TYPE, socket.SO_PROTOCOL, socket.SO_DOMAIN, socket.SO_ACCEPTCONN):
        print(server.getsockopt(socket.SOL_SOCKET, option), end=" ")
    print(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def many_threads_write(client, server):
    def write(letter):
        for _ in range(300):
            client.send(letter * 100)

    threads = [threading.Thread(target=write, args=(bytes([letter]),)) for letter in b"abcd"]
    for thread in threads:
        thread.start()
    data = server.recv(120_000, socket.MSG_WAITALL)
    print(len(data), all(len(set(data[i:i + 100])) == 1 for i in range(0, len(data), 100)))


def many_threads_read(client, server):
    total, lock = [0], threading.Lock()

    def read():
        while data := server.recv(1000):
            with lock:
                total[0] += sum(data)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(2000):
        client.send(bytes([i % 256]) * 77)
    client.close()
    for thread in threads:
        thread.join()
    print(total[0])
