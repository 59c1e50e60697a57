"""A program that has a used connection and then allows itself only the system calls that it makes."""
import ctypes, os, select, socket, sys

ALLOWED = """read write sendto recvfrom epoll_wait close exit_group brk mmap munmap mremap futex rt_sigaction rt_sigreturn rt_sigprocmask clock_gettime
poll ioctl newfstatat fstat lseek getrandom""".split()

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for _ in range(4):
    client.sendall(b"a" * 100)
    server.recv(100)
    server.sendall(b"b" * 100)
    client.recv(100)
epoll = select.epoll()
epoll.register(server, select.EPOLLIN)
client.sendall(b"unread")
if len(sys.argv) > 1:
    print("ready", flush=True)
    sys.stdin.readline()

seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(0x80000000))
for call in ALLOWED:
    assert seccomp.seccomp_rule_add(context, ctypes.c_uint32(0x7fff0000), seccomp.seccomp_syscall_resolve_name(call.encode()), 0) == 0
assert seccomp.seccomp_load(context) == 0

print(os.read(server.fileno(), 100))
os.write(client.fileno(), b"more")
print([events for _, events in epoll.poll(1)])
print(os.read(server.fileno(), 100))
server.sendall(b"x" * 50000)
count = 0
while count < 50000:
    count += len(client.recv(50000))
print(count)
client.close()
print(server.recv(10))
server.close()
sys.stdout.flush()
os._exit(0)
