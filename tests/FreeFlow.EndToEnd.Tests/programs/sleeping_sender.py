"""A sender that sleeps elsewhere as soon as its bytes are taken, and makes no call any more.

usage: sleeping_sender.py server ADDRESS PORT BYTES [ends|listens] | client ADDRESS PORT BYTES [ends|listens]
Questions and answers until there is a line of input, and "quiet"; after another line the client sends BYTES, says so, and sleeps. The server says "exact" when it has them all.
With "ends" the client shuts its stream down before it sleeps, and the server, which reads nothing before it has a line of input, must see the end.
With "listens" it waits for an answer when it is awake again.
"""
import select, socket, sys

ROLE, ADDRESS, PORT, BYTES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ENDS, LISTENS = "ends" in sys.argv[5:], "listens" in sys.argv[5:]
QUESTION, LAST = b"q" * 100, b"!" * 100


def pattern(start, count):
    return b"".join((n * 2654435761 % (1 << 32)).to_bytes(4, "little") for n in range(start // 4, (start + count) // 4))


def receive(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            sys.exit(f"{ROLE}: the stream ends after {len(data)} of {count} bytes")
        data += more
    return data


if ROLE == "server":
    with socket.create_server((ADDRESS, PORT)) as listener:
        sock, _ = listener.accept()
    while (question := receive(sock, len(QUESTION))) != LAST:
        sock.sendall(question)
    if ENDS:
        sys.stdin.readline()
    received = receive(sock, BYTES)
    if received != pattern(0, BYTES):
        sys.exit(f"wrong byte at {next(i for i in range(BYTES) if received[i] != pattern(0, BYTES)[i])}")
    print("exact", flush=True)
    if ENDS:
        rest = sock.recv(1)
        sys.exit(f"{rest} behind the end" if rest else None)
    receive(sock, 4)
    print("and the last word", flush=True)
else:
    sock = socket.create_connection((ADDRESS, PORT))
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        sock.sendall(QUESTION)
        receive(sock, len(QUESTION))
    sys.stdin.readline()
    sock.sendall(LAST)
    print("quiet", flush=True)
    sys.stdin.readline()
    sock.sendall(pattern(0, BYTES))
    if ENDS:
        sock.shutdown(socket.SHUT_WR)
    print("sent", flush=True)
    sys.stdin.readline()
    print("awake", flush=True)
    if not ENDS:
        sock.sendall(b"last")
    if LISTENS:
        receive(sock, 1)
    sock.close()
