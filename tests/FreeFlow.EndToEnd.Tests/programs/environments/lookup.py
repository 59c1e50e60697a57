"""lookup.py LIBRARY [ADDRESS-SPACE]: a connection of this program that it also works on with members of libc that it looks up while it runs; a library with RTLD_DEEPBIND looks them up, too."""
import ctypes, os, select, socket, sys, tempfile

libc = ctypes.CDLL("libc.so.6", use_errno=True)
deep = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW | os.RTLD_DEEPBIND)
deep.found_send.restype = ctypes.c_long
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for _ in range(5):
    client.sendall(b"x" * 100)
    server.recv(100, socket.MSG_WAITALL)
    server.sendall(b"y")
    client.recv(1)

client.sendall(b"one ")
print(libc.send(client.fileno(), b"two ", 4, 0))
client.sendall(b"three ")
print(deep.found_send(client.fileno(), b"four ", 5))
client.sendall(b"five")
print(server.recv(23, socket.MSG_WAITALL))
buffer = ctypes.create_string_buffer(100)
print(libc.recv(server.fileno(), buffer, 100, socket.MSG_DONTWAIT), ctypes.get_errno())
client.sendall(b"answer")
select.select([server], [], [])
print(libc.recv(server.fileno(), buffer, 100, socket.MSG_DONTWAIT), buffer.raw[:6])

# A copy that is made in place of the connection, and a number that is closed, in the same way.
pair = socket.socketpair()
client.sendall(b"unread")
print(libc.dup2(pair[0].fileno(), server.fileno()) == server.fileno())
pair[1].send(b"of the pair")
print(os.read(server.fileno(), 100))
number = client.detach()
libc.close(number)
with tempfile.TemporaryFile() as file:
    if file.fileno() != number:
        os.dup2(file.fileno(), number)
    print(os.write(number, b"in the file"), os.pread(file.fileno(), 100, 0))
