"""Epoll sets that another program gets: by exec, by SCM_RIGHTS, by pidfd_getfd. It must find in them what the kernel would have shown."""
import ctypes, os, select, socket, subprocess, sys
from .processes import CLEAN, exit_code, in_child
from .report import attempt, names, settle

# Waits on set N, reads descriptor M if there is one, waits again, and says what it saw by descriptor A (or M).
WATCHER = """
import os, select, sys
number, fd, answer_to = (int(text) for text in sys.argv[1:4])
watched = select.epoll.fromfd(number)
def look(time): return [("%x" % bits, data == int(sys.argv[4])) for data, bits in watched.poll(time)]
seen = [look(10), look(0)]
if fd >= 0: seen += [len(os.read(fd, 65536)), look(0), look(0.05)]
os.write(answer_to, repr(seen).encode())
"""


def watcher(watched, connection, answer_to, data):
    return [sys.executable, "-B", "-c", WATCHER, *(str(number) for number in (watched, connection, answer_to, data))]


def watching(connection, mask=select.EPOLLIN):
    watched = select.epoll()
    watched.register(connection, mask)
    return watched


def set_over_exec(client, server, environment, mask, send_first):
    watched = watching(server, mask)
    if send_first:
        client.sendall(b"unread" * 100)
        settle()
    for fd in (watched.fileno(), server.fileno()):
        os.set_inheritable(fd, True)
    read, write = os.pipe()
    os.set_inheritable(write, True)

    def become():
        client.close()
        os.execve(sys.executable, watcher(watched.fileno(), server.fileno(), write, server.fileno()), environment)
    child = in_child(become)
    settle()
    if not send_first:
        client.sendall(b"later!" * 100)
    print(os.read(read, 1000).decode(), exit_code(child))
    # This process has the set still, and the socket.
    print(watched.poll(0))
    client.sendall(b"more")
    settle()
    print([names(bits) for _, bits in watched.poll(1)])
    attempt("more", server.recv, 10)
    print(watched.poll(0))


def set_over_exec_plain(client, server):
    set_over_exec(client, server, CLEAN, select.EPOLLIN, False)


def set_over_exec_plain_unread(client, server):
    set_over_exec(client, server, CLEAN, select.EPOLLIN, True)


def set_over_exec_shimmed(client, server):
    set_over_exec(client, server, os.environ, select.EPOLLIN, False)


def set_over_exec_shimmed_unread_edge(client, server):
    set_over_exec(client, server, os.environ, select.EPOLLIN | select.EPOLLET, True)


def set_over_exec_inside_another(client, server):
    inner, outer = watching(server), select.epoll()
    outer.register(inner, select.EPOLLIN)
    for fd in (inner.fileno(), outer.fileno(), server.fileno()):
        os.set_inheritable(fd, True)
    read, write = os.pipe()
    os.set_inheritable(write, True)
    child = in_child(lambda: os.execve(sys.executable, watcher(outer.fileno(), server.fileno(), write, inner.fileno()), CLEAN))
    settle()
    client.sendall(b"through two sets")
    print(os.read(read, 1000).decode(), exit_code(child))
    print(outer.poll(0))


def set_spawned(client, server):
    watched = watching(server)
    client.sendall(b"unread")
    read, write = os.pipe()
    child = subprocess.Popen(watcher(watched.fileno(), server.fileno(), write, server.fileno()), pass_fds=[watched.fileno(), server.fileno(), write], env=CLEAN)
    print(os.read(read, 1000).decode(), child.wait())
    client.sendall(b"more")
    settle()
    print([names(bits) for _, bits in watched.poll(1)])


RECEIVER = """
import os, select, socket, sys
door = socket.socket(fileno=int(sys.argv[1]))
_, descriptors, _, _ = socket.recv_fds(door, 10, 4)
sys.argv = ["-", str(descriptors[0]), str(descriptors[1] if len(descriptors) > 1 else -1), str(door.fileno()), sys.argv[2]]
"""


def pass_set(client, server, environment, with_connection, mask=select.EPOLLIN):
    watched = watching(server, mask)
    left, right = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-B", "-c", RECEIVER + WATCHER, str(right.fileno()), str(server.fileno())], pass_fds=[right.fileno()], env=environment)
    right.close()
    client.sendall(b"unread")
    settle()
    socket.send_fds(left, [b"take"], [watched.fileno()] + [server.fileno()] * with_connection)
    print(left.recv(1000).decode(), child.wait())
    if not with_connection:
        attempt("recv", server.recv, 10)
    print(watched.poll(0))
    client.sendall(b"more")
    settle()
    print([names(bits) for _, bits in watched.poll(1)])
    watched.modify(server, select.EPOLLOUT)
    print([names(bits) for _, bits in watched.poll(1)])
    watched.unregister(server)
    print(watched.poll(0))


def set_passed_plain(client, server):
    pass_set(client, server, CLEAN, True)


def set_passed_shimmed(client, server):
    pass_set(client, server, os.environ, True)


def set_passed_alone(client, server):
    pass_set(client, server, CLEAN, False)


def set_passed_alone_shimmed(client, server):
    pass_set(client, server, os.environ, False, select.EPOLLIN | select.EPOLLRDHUP)


def set_copied_by_pidfd(client, server):
    """A copy that the process takes of its own set is the set."""
    watched = watching(server)
    copy = ctypes.CDLL(None, use_errno=True).syscall(438, os.pidfd_open(os.getpid()), watched.fileno(), 0)
    twin = select.epoll.fromfd(copy)
    client.sendall(b"x")
    settle()
    print(len(twin.poll(1)), len(watched.poll(1)), [fd == server.fileno() for fd, _ in twin.poll(0)])
    server.recv(10)
    print(twin.poll(0), watched.poll(0))
    twin.modify(server, select.EPOLLOUT)
    watched.close()
    print([names(bits) for _, bits in twin.poll(1)])
    attempt("register twice", twin.register, server)
