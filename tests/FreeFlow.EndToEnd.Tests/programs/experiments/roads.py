"""Roads into a connection other than send and recv: from files, through pipes, by stdio, by raw system calls."""
import ctypes, os, socket, tempfile
from .report import attempt, read_to_end, settle


def send_file(client, server):
    with tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * 1000)
        file.flush()
        client.send(b"head ")
        done = 0
        while done < 256000:
            done += os.sendfile(client.fileno(), file.fileno(), done, 256000 - done)
        client.send(b" tail")
    client.close()
    print(read_to_end(server))


def splice_both_ways(client, server):
    read, write = os.pipe()
    os.write(write, b"through a pipe")
    client.send(b"head ")
    attempt("in", os.splice, read, client.fileno(), 100)
    client.close()
    settle()
    got = b""
    while count := os.splice(server.fileno(), write, 100):
        got += os.read(read, count)
    print(got)


def stdio_stream(client, server):
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fdopen(client.fileno(), b"w"))
    client.send(b"by send, ")
    libc.fputs(b"by stdio", stream)
    libc.fflush(stream)
    attempt("recv", server.recv, 17, socket.MSG_WAITALL)


def raw_system_call(client, server):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(1, client.fileno(), b"raw", 3)
    settle()
    attempt("recv", server.recv, 100)
