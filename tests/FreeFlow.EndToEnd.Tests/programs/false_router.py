"""false_router.py PATH SHOWN: answers at PATH as a router does, and says what it is shown.

SHOWN is what it sends as its pid namespace: a path, or pipe, socket, memory, nothing. It writes a line for each message, "shown N" with the number of
descriptors that came, and "end" when a caller has gone.
"""
import os
import select
import socket
import sys

path, shown = sys.argv[1:]
if shown == "pipe":
    sent = [os.pipe()[0]]
elif shown == "socket":
    sent = [socket.socket().detach()]
elif shown == "memory":
    sent = [os.memfd_create("pid:[4026531836]")]
elif shown == "nothing":
    sent = []
else:
    sent = [os.open(shown, os.O_RDONLY)]

WELCOME = bytes([0x93, 2, 7, 1])  # [Welcome, version 7, session 1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen()
print("listens", flush=True)
callers = []
while True:
    for ready in select.select([listener, *callers], [], [])[0]:
        if ready is listener:
            callers.append(listener.accept()[0])
            continue
        try:
            message, descriptors, _, _ = socket.recv_fds(ready, 512, 16)
        except ConnectionResetError:
            message = b""
        if not message:
            print("end", flush=True)
            callers.remove(ready)
            ready.close()
            continue
        print("shown", len(descriptors), flush=True)
        for descriptor in descriptors:
            os.close(descriptor)
        try:
            socket.send_fds(ready, [WELCOME], sent)
        except OSError:
            pass  # the caller has gone
