"""Every way to wait for bytes that do not come, on a connection to this process itself: none may end before its time, nor with bytes. Prints one word a wait."""
import ctypes, os, select, socket, struct, sys, time

SECONDS = 0.3


def elapsed(wait):
    before = clock()
    answer = wait()
    return answer, clock() - before


def clock():
    """By a system call, which no library in between sets."""
    now = (ctypes.c_long * 2)()
    libc.syscall(228, time.CLOCK_MONOTONIC, now)
    return now[0] + now[1] / 1e9


def receive():
    try:
        return os.read(server.fileno(), 10)
    except BlockingIOError:
        return None


libc = ctypes.CDLL(None)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for number in range(6):
    client.sendall(b"x" * 100)
    server.recv(100, socket.MSG_WAITALL)
    server.sendall(b"y" * 100)
    client.recv(100, socket.MSG_WAITALL)
epoll, poll = select.epoll(), select.poll()
epoll.register(server, select.EPOLLIN)
poll.register(server, select.POLLIN)
raw = select.select
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, int(SECONDS * 1e6)))
waits = {
    "receive": receive,
    "poll": lambda: poll.poll(int(SECONDS * 1000)),
    "select": lambda: raw([server], [], [], SECONDS)[0],
    "epoll": lambda: epoll.poll(SECONDS),
    "epoll over nothing": lambda: select.epoll().poll(SECONDS),
}
for name, wait in waits.items():
    answer, took = elapsed(wait)
    if answer or took < SECONDS - 0.002:
        sys.exit(f"{name}: {answer} after {took:.3f} s")
    print(name)
client.sendall(b"at last")
print(server.recv(7, socket.MSG_WAITALL))
