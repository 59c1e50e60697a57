"""Processes that a connection comes to by other roads than a plain fork: libc's own forks, exec, spawn; and what they find unread."""
import ctypes, os, signal, socket, subprocess, sys, time
from .report import attempt, read_to_end, settle

LIBC = ctypes.CDLL(None, use_errno=True)
CLEAN = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}

# Reads some of descriptor N, or all of it, with the system calls of a program that knows nothing; answers by the same descriptor.
TAKER = """
import os, socket, sys
fd, count = int(sys.argv[1]), int(sys.argv[2])
got = b""
while len(got) < count and (data := os.read(fd, min(65536, count - len(got)))):
    got += data
answer = b"%d bytes, sum %d" % (len(got), sum(got))
if len(sys.argv) > 3: os.write(int(sys.argv[3]), answer)
else: print(answer.decode(), flush=True)
"""


def taker(fd, count, answer_to=None):
    return [sys.executable, "-B", "-c", TAKER, str(fd), str(count)] + ([str(answer_to)] if answer_to is not None else [])


def in_child(function, *arguments):
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
        except BaseException as error:
            print("child:", repr(error), flush=True)
        os._exit(0)
    return child


def exit_code(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def echo_upper(connection):
    while data := connection.recv(10000):
        connection.sendall(data.upper())


def converse(client, text=b"question" * 5000):
    client.sendall(text)
    attempt("answer", client.recv, len(text), socket.MSG_WAITALL)
    client.shutdown(socket.SHUT_WR)
    attempt("end", client.recv, 10)


def daemon_serves(client, server):
    def become_daemon():
        client.close()
        LIBC.daemon(1, 1)
        echo_upper(server)
    child = in_child(become_daemon)
    server.close()
    print("first process", exit_code(child))
    converse(client)


def daemon_shares_and_both_close(client, server):
    def become_daemon():
        LIBC.daemon(1, 1)
        server.close()
        client.sendall(b"from the daemon")
        client.close()
    exit_code(in_child(become_daemon))
    attempt("recv", server.recv, 15, socket.MSG_WAITALL)
    client.sendall(b"from the first process")
    client.close()
    print(read_to_end(server))


def forkpty_serves(client, server):
    child, terminal = os.forkpty()
    if child == 0:
        client.close()
        echo_upper(server)
        os._exit(0)
    server.close()
    converse(client)
    print("child", exit_code(child))


def forkpty_child_closes(client, server):
    child, terminal = os.forkpty()
    if child == 0:
        client.close()
        server.close()
        os._exit(0)
    exit_code(child)
    converse_child = in_child(lambda: (client.close(), echo_upper(server)))
    server.close()
    converse(client)
    exit_code(converse_child)


def fork_without_handlers(client, server):
    child = LIBC._Fork()
    if child == 0:
        client.close()
        echo_upper(server)
        os._exit(0)
    server.close()
    converse(client)
    print("child", exit_code(child))


def clone_as_fork(client, server):
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    def child_function(_):
        os.close(client.fileno())
        echo_upper(server)
        os._exit(7)
    stack = ctypes.create_string_buffer(1 << 20)
    LIBC.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    child = LIBC.clone(ctypes.cast(child_function, ctypes.c_void_p), ctypes.addressof(stack) + (1 << 20) - 64, signal.SIGCHLD, None)
    server.close()
    converse(client)
    print("child", exit_code(child))


def clone_child_closes(client, server):
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    def child_function(_):
        client.close()
        server.close()
        os._exit(0)
    stack = ctypes.create_string_buffer(1 << 20)
    LIBC.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    child = LIBC.clone(ctypes.cast(child_function, ctypes.c_void_p), ctypes.addressof(stack) + (1 << 20) - 64, signal.SIGCHLD, None)
    exit_code(child)
    other = in_child(lambda: (client.close(), echo_upper(server)))
    server.close()
    converse(client)
    exit_code(other)


def double_fork_serves(client, server):
    def first():
        os.setsid()
        if os.fork() == 0:
            client.close()
            settle()
            echo_upper(server)
            os._exit(0)
    exit_code(in_child(first))
    server.close()
    converse(client)


def setuid_child_serves(client, server):
    def unprivileged():
        client.close()
        os.setgid(65534)
        os.setuid(65534)
        echo_upper(server)
    child = in_child(unprivileged)
    server.close()
    converse(client)
    print("child", exit_code(child))


def vfork_child_closes_and_execs(client, server):
    client.sendall(b"before ")
    subprocess.run(["true"], close_fds=True, check=True)
    LIBC.system(b"true")
    client.sendall(b"after")
    client.close()
    print(read_to_end(server))


# ---- exec: what the next program finds on an inherited descriptor, whoever else holds it


def exec_on(client, server, environment, count, send_first, parent_closes_first):
    """A child execs a program that reads count bytes of the server's end and answers there; the peer is in this process."""
    payload = bytes(range(256)) * 100
    if send_first:
        client.sendall(payload)
    os.set_inheritable(server.fileno(), True)
    read, write = os.pipe()

    def become():
        client.close()
        os.close(write)
        if parent_closes_first:
            os.read(read, 1)
        os.execve(sys.executable, taker(server.fileno(), count, server.fileno()), environment)
    child = in_child(become)
    if parent_closes_first:
        server.close()
    os.close(write)
    if not send_first:
        client.sendall(payload)
    attempt("answer", client.recv, 100)
    print("child", exit_code(child))
    return payload


def exec_plain_then_bytes(client, server):
    exec_on(client, server, CLEAN, 25600, False, True)


def exec_plain_with_unread_bytes(client, server):
    exec_on(client, server, CLEAN, 25600, True, True)


def exec_plain_while_parent_holds_it(client, server):
    exec_on(client, server, CLEAN, 10000, True, False)
    attempt("the rest", server.recv, 15600, socket.MSG_WAITALL)
    client.sendall(b"more")
    attempt("more", server.recv, 10)


def exec_shimmed_then_bytes(client, server):
    exec_on(client, server, os.environ, 25600, False, True)


def exec_shimmed_with_unread_bytes(client, server):
    exec_on(client, server, os.environ, 25600, True, True)


def exec_shimmed_while_parent_holds_it(client, server):
    exec_on(client, server, os.environ, 10000, True, False)
    attempt("the rest", server.recv, 15600, socket.MSG_WAITALL)


def replace_image(client, server, environment):
    """The process itself execs; its peer is a child that sleeps outside every call on the connection."""
    def peer():
        server.close()
        client.sendall(b"q" * 20000)
        time.sleep(1)
        client.sendall(b"r" * 5000)
        attempt("answer", client.recv, 100)
    child = in_child(peer)
    client.close()
    attempt("some", server.recv, 5000, socket.MSG_WAITALL)
    os.set_inheritable(server.fileno(), True)
    os.execve(sys.executable, [sys.executable, "-B", "-c", f"""
import os, sys, subprocess
sys.argv = ['-', '{server.fileno()}', '20000', '{server.fileno()}']
exec({TAKER!r})
os.wait()
print("done")
"""], environment)


def exec_in_place(client, server):
    replace_image(client, server, CLEAN)


def exec_in_place_shimmed(client, server):
    replace_image(client, server, os.environ)


def exec_with_close_on_exec(client, server):
    client.sendall(b"unread")
    child = in_child(os.execv, "/bin/true", ["true"])
    exit_code(child)
    attempt("recv", server.recv, 10)
    client.close()
    attempt("end", server.recv, 10)


def exec_that_fails(client, server):
    os.set_inheritable(server.fileno(), True)
    client.sendall(b"unread")
    attempt("exec", os.execv, "/nonexistent", ["x"])
    attempt("recv", server.recv, 10)
    client.sendall(b"more")
    attempt("recv", server.recv, 10)


# ---- the peer has ended its stream already: nobody can send again what is unread


def ended_peer(client, server, how, environment, number=None):
    payload = bytes(range(256)) * 100
    client.sendall(payload)
    how(client)
    settle()
    attempt("some", server.recv, 600, socket.MSG_WAITALL)
    fd = server.fileno() if number is None else number

    def become():
        client.close()
        if number is None:
            os.set_inheritable(fd, True)
        else:
            os.dup2(server.fileno(), number)
        os.execve(sys.executable, taker(fd, 100000), environment)
    child = in_child(become)
    server.close()
    print("child", exit_code(child))


def half_closed_peer_and_plain_exec(client, server):
    ended_peer(client, server, lambda c: c.shutdown(socket.SHUT_WR), CLEAN)


def half_closed_peer_and_shimmed_exec(client, server):
    ended_peer(client, server, lambda c: c.shutdown(socket.SHUT_WR), os.environ)


def closed_peer_and_plain_exec(client, server):
    ended_peer(client, server, lambda c: c.close(), CLEAN)


def closed_peer_and_shimmed_exec(client, server):
    ended_peer(client, server, lambda c: c.close(), os.environ)


def closed_peer_and_plain_exec_as_input(client, server):
    ended_peer(client, server, lambda c: c.close(), CLEAN, 0)


def closed_peer_and_plain_exec_as_seven(client, server):
    ended_peer(client, server, lambda c: c.close(), CLEAN, 7)


def closed_peer_and_shimmed_exec_as_seven(client, server):
    ended_peer(client, server, lambda c: c.close(), os.environ, 7)


# ---- posix_spawn, system, popen: libc forks and execs by itself


def spawned(client, server, environment, actions, fd):
    client.sendall(b"s" * 30000)
    child = os.posix_spawn(sys.executable, taker(fd, 30000, fd), environment, file_actions=actions)
    attempt("answer", client.recv, 100)
    print("child", exit_code(child))
    client.sendall(b"and on")
    attempt("on", server.recv, 100)


def spawn_inherits(client, server):
    os.set_inheritable(server.fileno(), True)
    spawned(client, server, CLEAN, [], server.fileno())


def spawn_duplicates(client, server):
    spawned(client, server, CLEAN, [(os.POSIX_SPAWN_DUP2, server.fileno(), 9)], 9)


def spawn_duplicates_shimmed(client, server):
    spawned(client, server, os.environ, [(os.POSIX_SPAWN_DUP2, server.fileno(), 9)], 9)


def spawn_duplicates_onto_itself(client, server):
    spawned(client, server, CLEAN, [(os.POSIX_SPAWN_DUP2, server.fileno(), server.fileno())], server.fileno())


def spawn_closes(client, server):
    os.set_inheritable(server.fileno(), True)
    child = os.posix_spawn("/bin/true", ["true"], CLEAN, file_actions=[(os.POSIX_SPAWN_CLOSE, server.fileno())])
    exit_code(child)
    client.sendall(b"still here")
    attempt("recv", server.recv, 100)


def busy_peer(client, server, count):
    """A peer that has sent and makes no call on the connection until it is told to; what is unread waits in the ring, and nobody sends it again."""
    wait, go = os.pipe()

    def peer():
        server.close()
        os.close(go)
        client.sendall(bytes(range(250)) * (count // 250))
        os.read(wait, 1)
        attempt("answer", client.recv, 100)
    child = in_child(peer)
    os.close(wait)
    client.close()
    attempt("some", server.recv, 250, socket.MSG_WAITALL)
    settle()

    def finish():
        os.close(go)
        exit_code(child)
    return finish


def spawn_beside_a_busy_peer(client, server, actions, fd, environment=CLEAN):
    finish = busy_peer(client, server, 100250)
    child = os.posix_spawn(sys.executable, taker(fd, 100000, fd), environment, file_actions=actions)
    print("child", exit_code(child))
    finish()


def spawn_as_input_beside_a_busy_peer(client, server):
    spawn_beside_a_busy_peer(client, server, [(os.POSIX_SPAWN_DUP2, server.fileno(), 0)], 0)


def spawn_as_input_by_way_of_another_number(client, server):
    actions = [(os.POSIX_SPAWN_OPEN, 9, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, server.fileno(), 9), (os.POSIX_SPAWN_DUP2, 9, 0), (os.POSIX_SPAWN_CLOSE, 9)]
    spawn_beside_a_busy_peer(client, server, actions, 0, os.environ)


def spawn_inherits_beside_a_busy_peer(client, server):
    os.set_inheritable(server.fileno(), True)
    spawn_beside_a_busy_peer(client, server, [], server.fileno())


def spawned_cat_beside_a_peer_that_has_ended(client, server):
    client.sendall(b"unread" * 5000)
    client.shutdown(socket.SHUT_WR)
    settle()
    read, write = os.pipe()
    child = os.posix_spawn("/bin/cat", ["cat"], CLEAN, file_actions=[(os.POSIX_SPAWN_DUP2, server.fileno(), 0), (os.POSIX_SPAWN_DUP2, write, 1)])
    os.close(write)
    with open(read, "rb") as output:
        attempt("cat", output.read)
    print("child", exit_code(child))


def spawned_program_leaves_all_unread(client, server):
    """It has the connection as its input and ends without a read: the bytes are this process's."""
    finish = busy_peer(client, server, 100250)
    for _ in range(2):
        exit_code(os.posix_spawn("/bin/true", ["true"], CLEAN, file_actions=[(os.POSIX_SPAWN_DUP2, server.fileno(), 0)]))
    settle()
    attempt("parent", server.recv, 100000, socket.MSG_WAITALL)
    server.sendall(b"from the parent")
    finish()


def spawned_program_gets_no_other_number(client, server):
    """The connection is close-on-exec, and only its copy goes to the other program, whoever carries the bytes."""
    finish = busy_peer(client, server, 100250)
    look = "import os, sys; print(sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n) and 'socket' in os.readlink('/proc/self/fd/' + n)))"
    print("child", exit_code(os.posix_spawn(sys.executable, [sys.executable, "-c", look], CLEAN, file_actions=[(os.POSIX_SPAWN_DUP2, server.fileno(), 77)])))
    server.sendall(b"done")
    finish()


def vforked_cat_beside_a_busy_peer(client, server):
    """CPython's own way (vfork, dup2, execve), and inetd's: the connection is input and output."""
    finish = busy_peer(client, server, 100250)
    child = subprocess.Popen(taker(0, 100000, 1), stdin=server, stdout=server, env=CLEAN)
    print("child", child.wait())
    finish()


def system_inherits(client, server):
    os.set_inheritable(server.fileno(), True)
    client.sendall(b"for the shell\nfor the parent")
    settle()
    LIBC.system(b"bash -c 'read line <&%d; echo \"$line\"; echo answer >&%d'" % (server.fileno(), server.fileno()))
    attempt("parent", server.recv, 100)
    attempt("client", client.recv, 100)


def popen_inherits(client, server):
    os.set_inheritable(server.fileno(), True)
    LIBC.popen.restype = ctypes.c_void_p
    LIBC.pclose.argtypes = [ctypes.c_void_p]
    stream = LIBC.popen(b"bash -c 'echo answer >&%d; head -c 5 <&%d >&%d'" % ((server.fileno(),) * 3), b"w")
    client.sendall(b"12345")
    attempt("client", client.recv, 12, socket.MSG_WAITALL)
    print(LIBC.pclose(stream))
    client.sendall(b"67890")
    attempt("parent", server.recv, 100)


def pass_descriptors(client, server):
    client.sendall(b"p" * 1000)
    child = subprocess.Popen(taker(server.fileno(), 1000, server.fileno()), pass_fds=[server.fileno()], env=CLEAN)
    server.close()
    attempt("answer", client.recv, 100)
    print(child.wait())
    attempt("end", client.recv, 100)


# ---- descriptors that go to another process while it runs: SCM_RIGHTS, pidfd_getfd


RECEIVER = """
import os, socket, sys
door = socket.socket(fileno=int(sys.argv[1]))
_, descriptors, _, _ = socket.recv_fds(door, 10, 3)
taken = descriptors[-1]
got = b""
while len(got) < int(sys.argv[2]) and (data := os.read(taken, 65536)):
    got += data
print("%d bytes, sum %d" % (len(got), sum(got)), flush=True)
try:
    os.write(taken, b"from who got it")
except OSError as error:
    print(type(error).__name__, flush=True)
"""


def passed(client, server, environment, before, count, close=True):
    left, right = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-B", "-c", RECEIVER, str(right.fileno()), str(count)], pass_fds=[right.fileno()], env=environment)
    right.close()
    before()
    null = os.open("/dev/null", os.O_RDONLY)
    socket.send_fds(left, [b"take"], [null, server.fileno()])
    if close:
        server.close()
    return child


def pass_unread_bytes(client, server, environment):
    child = passed(client, server, environment, lambda: client.sendall(b"unread" * 5000), 30000)
    attempt("answer", client.recv, 100)
    attempt("end", client.recv, 100)
    print(child.wait())


def passed_with_unread_bytes(client, server):
    pass_unread_bytes(client, server, CLEAN)


def passed_with_unread_bytes_to_a_shimmed_process(client, server):
    pass_unread_bytes(client, server, os.environ)


def passed_and_bytes_later(client, server):
    child = passed(client, server, CLEAN, lambda: None, 30000)
    settle()
    client.sendall(b"later!" * 5000)
    attempt("answer", client.recv, 100)
    print(child.wait())


def passed_and_kept(client, server):
    child = passed(client, server, CLEAN, lambda: client.sendall(b"first"), 5, close=False)
    attempt("answer", client.recv, 100)
    print(child.wait())
    client.sendall(b"second")
    attempt("recv", server.recv, 100)


def passed_from_a_half_closed_peer(client, server):
    def before():
        client.sendall(b"unread" * 5000)
        client.shutdown(socket.SHUT_WR)
        settle()
        attempt("some", server.recv, 600, socket.MSG_WAITALL)
    child = passed(client, server, CLEAN, before, 100000)
    attempt("answer", client.recv, 100)
    attempt("end", client.recv, 100)
    print(child.wait())


def passed_from_a_closed_peer(client, server):
    def before():
        client.sendall(b"unread" * 5000)
        client.close()
        settle()
    print(passed(client, server, CLEAN, before, 100000).wait())


def passed_from_a_dead_peer(client, server):
    def peer():
        server.close()
        client.sendall(b"unread" * 5000)
        settle()
        os.kill(os.getpid(), signal.SIGKILL)
    other = in_child(peer)
    client.close()
    os.waitpid(other, 0)
    print(passed(client, server, CLEAN, settle, 100000).wait())
def copied_by_pidfd(client, server):
    """The copy is made by a raw system call of another process: only the shim of that other process could see it, and has no name for it here."""
    system_call = LIBC.syscall
    child = in_child(lambda: (client.close(), server.close(), time.sleep(5)))
    client.sendall(b"unread")
    pidfd = os.pidfd_open(os.getpid())
    copy = system_call(438, pidfd, server.fileno(), 0)
    taken = socket.socket(fileno=copy)
    attempt("recv by the copy", taken.recv, 100)
    taken.sendall(b"answer")
    attempt("answer", client.recv, 100)
    os.kill(child, signal.SIGKILL)
