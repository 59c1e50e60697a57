"""One TCP connection that lasts: bytes go both ways until a line comes on the client's standard input, and every one that arrives is compared.

usage: lasting.py server|client ADDRESS PORT STYLE
STYLE  questions (the client asks, the server answers, in blocking calls) | blocking (a thread for each direction) | poll | epoll-et | one-way (the server only reads)

A side that has ended its stream prints how many bytes it has sent; the other one compares that with what came. Both print "ok" when all of it was right.
"""
import os, random, select, socket, struct, sys, threading, time

ROLE, ADDRESS, PORT, STYLE = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
PATTERN = random.Random(5).randbytes(1 << 20)
STEP = 16384
PAUSE = 0.005   # so that several of these leave the routers some of two processors
PATIENCE = 60


def fail(text):
    print(text, flush=True)
    os._exit(1)


def at(position, length):
    start = (position * 7919 // STEP + position) % (len(PATTERN) - STEP)
    return PATTERN[start:start + length]


class Sent:
    """What this side sends: blocks of STEP bytes, each the pattern from another place on."""

    def __init__(self):
        self.total = 0

    def piece(self):
        block, inside = divmod(self.total, STEP)
        return at(block * STEP, STEP)[inside:]


class Received:
    def __init__(self):
        self.total = 0

    def check(self, data):
        while data:
            block, inside = divmod(self.total, STEP)
            expected = at(block * STEP, STEP)[inside:inside + len(data)]
            if data[:len(expected)] != expected:
                fail(f"{ROLE} {STYLE}: wrong bytes at {self.total}")
            self.total += len(expected)
            data = data[len(expected):]


stop = threading.Event()


def wait_for_stop():
    sys.stdin.readline()
    stop.set()


def all_of(connection, length):
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            return data
        data += more
    return data


def questions(connection):
    rng = random.Random(11)
    for count in range(1 << 60):
        if ROLE == "client":
            if stop.is_set():
                break
            question = struct.pack("<IQ", rng.randrange(1, 9000), count)
            connection.sendall(question + PATTERN[:struct.unpack_from("<I", question)[0]])
            answer = all_of(connection, 20)
            if answer != struct.pack("<Q", count) + question:
                fail(f"wrong answer to question {count}: {answer!r}")
            time.sleep(PAUSE)
        else:
            question = all_of(connection, 12)
            if not question:
                break
            length, number = struct.unpack("<IQ", question)
            if number != count or all_of(connection, length) != PATTERN[:length]:
                fail(f"wrong question {count}")
            connection.sendall(struct.pack("<Q", count) + question)
    connection.close()


def stream(connection):
    sent, received = Sent(), Received()
    ends = STYLE == "one-way" and ROLE == "server"

    def send():
        while not stop.is_set():
            sent.total += connection.send(sent.piece())
            time.sleep(PAUSE)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    if not ends:
        sender.start()
    if STYLE == "one-way" and ROLE == "client":
        sender.join()
    while data := connection.recv(1 << 16):
        received.check(data)
    stop.set()
    if not ends:
        sender.join(PATIENCE)
    return sent, received


def turns(connection):
    sent, received = Sent(), Received()
    connection.setblocking(False)
    fd, edge = connection.fileno(), STYLE == "epoll-et"
    poller = select.epoll() if edge else select.poll()
    poller.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET if edge else select.POLLIN)
    sending, receiving, room = True, True, True
    while sending or receiving:
        if not edge:
            poller.modify(fd, (select.POLLIN if receiving else 0) | (select.POLLOUT if sending else 0))
        # Edge-triggered: room that was left is not told again.
        wait = PAUSE if edge and sending and room else PATIENCE
        if not poller.poll(wait if edge else wait * 1000) and wait == PATIENCE:
            fail(f"{ROLE} {STYLE}: nothing for {PATIENCE} s, sent {sent.total}, received {received.total}")
        try:
            while receiving:
                data = connection.recv(1 << 16)
                received.check(data)
                receiving = bool(data)
        except BlockingIOError:
            pass
        if not receiving:
            stop.set()
        if sending and stop.is_set():
            sending = False
            connection.shutdown(socket.SHUT_WR)
        try:
            if sending:
                sent.total += connection.send(sent.piece())
                room = True
        except BlockingIOError:
            room = False
        time.sleep(PAUSE)
    return sent, received


if ROLE == "server":
    listener = socket.create_server((ADDRESS, PORT), family=socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET)
    connection = listener.accept()[0]
else:
    connection = socket.create_connection((ADDRESS, PORT))
    threading.Thread(target=wait_for_stop, daemon=True).start()
connection.settimeout(None)
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if STYLE == "questions":
    questions(connection)
else:
    sent, received = (turns if STYLE in ("poll", "epoll-et") else stream)(connection)
    print(f"sent {sent.total}", flush=True)
    print(f"received {received.total}", flush=True)
print("ok", flush=True)
