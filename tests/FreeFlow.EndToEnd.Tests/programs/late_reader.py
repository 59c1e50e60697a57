"""A reader that has lost its way, sends on by the kernel, and only then reads what its ring had got before.

usage: late_reader.py server|client ADDRESS PORT BYTES
Each step waits for a line of input and says when it is done. The server answers a question ("answered"), then sends BYTES in small messages ("sent"),
then takes what the client sends ("taken"). The client reads the answer ("ready"), then sends without reading ("sent"), then reads ("exact").
"""
import socket, sys, time
from exact_bytes import pattern, receive, receive_pattern

ROLE, ADDRESS, PORT, BYTES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
MESSAGES, MESSAGE = 400, b"m" * 100


def step(done):
    print(done, flush=True)
    sys.stdin.readline()


if ROLE == "server":
    with socket.create_server((ADDRESS, PORT)) as listener:
        sock, _ = listener.accept()
    receive(sock, len(MESSAGE), ROLE)
    sock.sendall(MESSAGE)
    step("answered")
    sent = pattern(BYTES)
    for start in range(0, BYTES, 1000):
        sock.sendall(sent[start:start + 1000])
        # The first of them go by the kernel, until the reader's Ready has come.
        time.sleep(0.001)
    step("sent")
    receive(sock, MESSAGES * len(MESSAGE), ROLE)
    step("taken")
else:
    sock = socket.create_connection((ADDRESS, PORT))
    sock.sendall(MESSAGE)
    step("asked")
    receive(sock, len(MESSAGE), ROLE)
    step("ready")
    for _ in range(MESSAGES):
        sock.sendall(MESSAGE)
        time.sleep(0.001)
    step("sent")
    receive_pattern(sock, BYTES, ROLE)
    step("exact")
