"""deepbind.py LIBRARY: connections of this program that a library works on which was opened with RTLD_DEEPBIND, and so finds libc's calls before preloaded ones."""
import ctypes, os, select, socket, sys, tempfile

library = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW | os.RTLD_DEEPBIND)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
buffer = ctypes.create_string_buffer(100)
for _ in range(5):
    client.sendall(b"x" * 100)
    server.recv(100, socket.MSG_WAITALL)
    server.sendall(b"y")
    client.recv(1)

client.sendall(b"one ")
print(library.put(client.fileno(), b"two ", 4))
client.sendall(b"three")
print(server.recv(13, socket.MSG_WAITALL))
server.sendall(b"answer")
select.select([client], [], [])
print(library.look(client.fileno(), buffer, 2), buffer.raw[:2], library.get(client.fileno(), buffer, 100), buffer.raw[:6])

# The number of what the library closes comes back as that of a file.
number = client.detach()
print(library.end(number), server.recv(10))
with tempfile.TemporaryFile() as file:
    if file.fileno() != number:
        os.dup2(file.fileno(), number)
    print(os.write(number, b"in the file"), os.pread(file.fileno(), 100, 0))
