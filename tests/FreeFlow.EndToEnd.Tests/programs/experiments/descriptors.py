"""The descriptor's life: dup, fork, exec, and passing it on."""
import fcntl, os, socket, subprocess, threading
from .report import attempt, read_to_end, settle


def duplicate(client, server):
    other = client.dup()
    client.send(b"one ")
    other.send(b"two")
    client.close()
    settle()
    attempt("both", server.recv, 100)
    other.send(b"three")
    attempt("still open", server.recv, 100)
    other.close()
    attempt("end", server.recv, 100)


def duplicate_onto(client, server):
    null = os.open("/dev/null", os.O_RDWR)
    client.send(b"before")
    os.dup2(null, client.fileno())
    print(read_to_end(server))
    print(os.write(client.fileno(), b"into the void"))


def close_range(client, server):
    client.send(b"before")
    os.closerange(client.fileno(), client.fileno() + 1)
    print(read_to_end(server))


def descriptor_number_is_reused(client, server):
    number = client.fileno()
    client.close()
    read, write = os.pipe()
    print(number in (read, write))
    os.write(write, b"pipe")
    attempt("pipe", os.read, read, 100)
    print(read_to_end(server))


def flags(client, server):
    print(bool(fcntl.fcntl(client, fcntl.F_GETFL) & os.O_NONBLOCK))
    client.setblocking(False)
    print(bool(fcntl.fcntl(client, fcntl.F_GETFL) & os.O_NONBLOCK))
    attempt("recv", client.recv, 10)
    fcntl.fcntl(client, fcntl.F_SETFL, 0)
    threading.Timer(0.1, server.send, [b"x"]).start()
    attempt("recv", client.recv, 10)


def child_and_parent_share(client, server):
    child = os.fork()
    if child == 0:
        for i in range(10):
            client.sendall(b"c" * 10000)
        os._exit(0)
    for i in range(10):
        client.sendall(b"p" * 10000)
    data = server.recv(200_000, socket.MSG_WAITALL)
    os.waitpid(child, 0)
    print(data.count(b"c"), data.count(b"p"))
    client.send(b"open")
    attempt("after the child", server.recv, 10)
    client.close()
    attempt("end", server.recv, 10)


def child_serves(client, server):
    child = os.fork()
    if child == 0:
        client.close()
        while data := server.recv(10000):
            server.sendall(data.upper())
        os._exit(0)
    server.close()
    client.sendall(b"question" * 5000)
    attempt("answer", client.recv, 40000, socket.MSG_WAITALL)
    client.shutdown(socket.SHUT_WR)
    attempt("end", client.recv, 10)
    os.waitpid(child, 0)


def grandchild_serves(client, server):
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            client.close()
            settle()
            while data := server.recv(10000):
                server.sendall(data.upper())
        os._exit(0)
    os.waitpid(child, 0)
    server.close()
    client.sendall(b"question" * 5000)
    attempt("answer", client.recv, 40000, socket.MSG_WAITALL)
    client.shutdown(socket.SHUT_WR)
    attempt("end", client.recv, 10)


def program_writes_to_it(client, server):
    subprocess.run(["sh", "-c", "echo from the shell; seq 10000"], stdout=client, check=True)
    client.send(b"from the parent")
    client.close()
    print(read_to_end(server))


def program_reads_from_it(client, server):
    client.sendall(b"line one\nline two\n" + b"x" * 50000)
    client.shutdown(socket.SHUT_WR)
    settle()
    print(subprocess.run(["sh", "-c", "read line; echo got $line; md5sum"], stdin=server, capture_output=True).stdout)


def plain_program_takes_over(client, server):
    server.send(b"before ")
    clean = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    child = subprocess.Popen(["sh", "-c", "echo without the shim; cat"], stdin=server, stdout=server, env=clean)
    server.close()
    client.sendall(b"echo this")
    client.shutdown(socket.SHUT_WR)
    print(read_to_end(client))
    child.wait()


def exec_keeps_it(client, server):
    child = os.fork()
    if child == 0:
        client.close()
        os.dup2(server.fileno(), 0)
        os.dup2(server.fileno(), 1)
        os.execvp("cat", ["cat"])
    server.close()
    client.sendall(b"through cat" * 3000)
    client.shutdown(socket.SHUT_WR)
    print(read_to_end(client))


def passed_to_another_process(client, server):
    left, right = socket.socketpair()
    child = os.fork()
    if child == 0:
        client.close()
        server.close()
        _, descriptors, _, _ = socket.recv_fds(right, 10, 1)
        taken = socket.socket(fileno=descriptors[0])
        taken.sendall(b"from who got it")
        taken.sendall(taken.recv(100).upper())
        os._exit(0)
    socket.send_fds(left, [b"take"], [server.fileno()])
    server.close()
    attempt("first", client.recv, 15, socket.MSG_WAITALL)
    client.send(b"hello")
    attempt("second", client.recv, 5, socket.MSG_WAITALL)
    attempt("end", client.recv, 5)
    os.waitpid(child, 0)


def vfork_and_spawn(client, server):
    client.send(b"before ")
    os.posix_spawnp("true", ["true"], os.environ)
    subprocess.run(["true"], close_fds=True)
    client.send(b"after")
    settle()
    attempt("recv", server.recv, 100)
