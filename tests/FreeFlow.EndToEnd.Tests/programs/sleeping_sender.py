"""A sender that sleeps elsewhere as soon as its bytes are taken, and makes no call any more.

usage: sleeping_sender.py server ADDRESS PORT BYTES [ends|listens] | client ADDRESS PORT BYTES [ends|listens]
Questions and answers until there is a line of input, and "quiet"; after another line the client sends BYTES, says so, and sleeps. The server says "exact" when it has them all.
With "ends" the client shuts its stream down before it sleeps, and the server, which reads nothing before it has a line of input, must see the end.
With "listens" it waits for an answer when it is awake again.
"""
import select, socket, sys
from exact_bytes import pattern, receive, receive_pattern

ROLE, ADDRESS, PORT, BYTES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ENDS, LISTENS = "ends" in sys.argv[5:], "listens" in sys.argv[5:]
QUESTION, LAST = b"q" * 100, b"!" * 100

if ROLE == "server":
    with socket.create_server((ADDRESS, PORT)) as listener:
        sock, _ = listener.accept()
    while (question := receive(sock, len(QUESTION), ROLE)) != LAST:
        sock.sendall(question)
    if ENDS:
        sys.stdin.readline()
    receive_pattern(sock, BYTES, ROLE)
    print("exact", flush=True)
    if ENDS:
        rest = sock.recv(1)
        sys.exit(f"{rest} behind the end" if rest else None)
    receive(sock, 4, ROLE)
    print("and the last word", flush=True)
else:
    sock = socket.create_connection((ADDRESS, PORT))
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        sock.sendall(QUESTION)
        receive(sock, len(QUESTION), ROLE)
    sys.stdin.readline()
    sock.sendall(LAST)
    print("quiet", flush=True)
    sys.stdin.readline()
    sock.sendall(pattern(BYTES))
    if ENDS:
        sock.shutdown(socket.SHUT_WR)
    print("sent", flush=True)
    sys.stdin.readline()
    print("awake", flush=True)
    if not ENDS:
        sock.sendall(b"last")
    if LISTENS:
        receive(sock, 1, ROLE)
    sock.close()
