"""descriptors.py SOFT [hard]: connections, then descriptors until there are no more; prints how many there were. "hard" lowers the hard limit too."""
import os, resource, socket, sys

soft = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft if len(sys.argv) > 2 else resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
listener = socket.create_server(("127.0.0.1", 0))


def talk():
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    for _ in range(5):
        client.sendall(b"x" * 100)
        assert len(server.recv(100, socket.MSG_WAITALL)) == 100
        server.sendall(b"y" * 10)
        assert len(client.recv(10, socket.MSG_WAITALL)) == 10
    return client, server


pairs = [talk() for _ in range(10)]
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(len(opened), error)
for fd in opened[:4]:
    os.close(fd)
pairs.append(talk())
try:
    while True:
        opened.append(os.dup(0))
except OSError as error:
    print(len(opened), error)
# As daemons do: everything that is not known to be needed.
kept = [end.fileno() for pair in pairs[:2] for end in pair]
for fd in range(3, soft):
    if fd not in kept:
        try:
            os.close(fd)
        except OSError:
            pass
for client, server in pairs[:2]:
    client.sendall(b"still there")
    print(server.recv(20))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
sys.stdout.flush()
os._exit(0)
