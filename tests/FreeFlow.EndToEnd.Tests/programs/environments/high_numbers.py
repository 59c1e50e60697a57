"""high_numbers.py [BASE]: connections at descriptor numbers around the end of the shim's table (1 << 20, which needs fs.nr_open beyond), with poll, epoll and dup."""
import fcntl, os, resource, select, socket, sys

BASE = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 20
resource.setrlimit(resource.RLIMIT_NOFILE, (BASE + 100, BASE + 100))
listener = socket.create_server(("127.0.0.1", 0))


def pair():
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    for _ in range(5):
        client.sendall(b"x" * 100)
        assert len(server.recv(100, socket.MSG_WAITALL)) == 100
        server.sendall(b"y")
        assert client.recv(1) == b"y"
    return client, server


for number in (BASE - 1, BASE, BASE + 50):
    client, server = pair()
    client.sendall(b"before ")
    copy = fcntl.fcntl(server, fcntl.F_DUPFD_CLOEXEC, number) if number % 2 else os.dup2(server.fileno(), number)
    client.sendall(b"after")
    poll = select.poll()
    poll.register(copy, select.POLLIN)
    epoll = select.epoll()
    epoll.register(copy, select.EPOLLIN)
    print(copy - BASE, poll.poll(1000) == [(copy, select.POLLIN)], epoll.poll(1) == [(copy, select.EPOLLIN)])
    server.close()
    print(os.read(copy, 7), os.read(copy, 5))
    os.write(copy, b"answer")
    print(client.recv(10))
    os.close(copy)
    print(client.recv(10), epoll.poll(0))
os.dup2(listener.fileno(), BASE + 60)
high = socket.socket(fileno=BASE + 60)
client = socket.create_connection(listener.getsockname())
server, _ = high.accept()
client.sendall(b"by a listener up there")
print(server.recv(100))
