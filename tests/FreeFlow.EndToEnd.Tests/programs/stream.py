"""Sends pseudo-random bytes both ways over one TCP connection and compares every byte that arrives.

usage: stream.py ROLE ADDRESS PORT BYTES SEED STYLE [pauses] [promised] [warm] [narrow]
ROLE    server | client | threads (both ends, a thread each) | single (both ends in one thread; not with style blocking)
STYLE   blocking (a thread per direction) | poll | select | epoll-lt | epoll-et | epoll-oneshot
pauses  a side sleeps now and then, so that the other finds the road full or empty
promised  what FIONREAD counts must come in one read, as the kernel does it
warm    the stream's first bytes go as question and answer, so that both ends have met before they fill the road
narrow  small socket buffers

Prints "transferred" when all bytes have arrived both ways, waits for a line on standard input, closes, and prints "ok".
The first wrong byte ends it with exit code 1 and one line that says where.
"""
import select, socket, sys, threading
from stream_end import End, TIMEOUT, fail

ROLE, ADDRESS, PORT, BYTES, SEED, STYLE = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
PAUSES, PROMISED, WARM, NARROW = (word in sys.argv[7:] for word in ("pauses", "promised", "warm", "narrow"))
MOST_PER_TURN = 16


def run_blocking(end):
    end.socket.settimeout(None)

    def send():
        while end.wants_to_send:
            end.send_some()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    while end.wants_to_receive:
        end.receive_some()
    sender.join(TIMEOUT)
    if sender.is_alive():
        fail(f"{end.name}: sending hangs at {end.sent} of {BYTES} bytes")


class Poller:
    """poll, select or epoll behind one face: wait() gives (end, readable, writable)."""

    def __init__(self, ends):
        self.ends = {end.fd: end for end in ends}
        if STYLE.startswith("epoll"):
            self.epoll = select.epoll()
            for end in ends:
                self.epoll.register(end.fd, self.events(end))

    @staticmethod
    def events(end):
        events = (select.EPOLLIN if end.wants_to_receive else 0) | (select.EPOLLOUT if end.wants_to_send else 0)
        if STYLE == "epoll-et":
            return select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
        return events | (select.EPOLLONESHOT if STYLE == "epoll-oneshot" else 0)

    def wait(self):
        if STYLE == "select":
            reading = [fd for fd, end in self.ends.items() if end.wants_to_receive]
            writing = [fd for fd, end in self.ends.items() if end.wants_to_send]
            read, write, _ = select.select(reading, writing, [], TIMEOUT)
            return [(self.ends[fd], fd in read, fd in write) for fd in {*read, *write}]
        if STYLE == "poll":
            poll = select.poll()
            for fd, end in self.ends.items():
                poll.register(fd, self.events(end))
            events = poll.poll(TIMEOUT * 1000)
        else:
            events = self.epoll.poll(TIMEOUT)
        return [(self.ends[fd], event & (1 | 16 | 8), event & 4) for fd, event in events]

    def again(self, end):
        if STYLE in ("epoll-lt", "epoll-oneshot"):
            self.epoll.modify(end.fd, self.events(end))


def turn(end, readable, writable):
    """Does what is possible. Edge-triggered: everything until the call would block, as epoll(7) demands; otherwise a random few calls."""
    for wanted, call, complete in ((readable, end.receive_some, lambda: not end.wants_to_receive), (writable, end.send_some, lambda: not end.wants_to_send)):
        limit = 1 << 30 if STYLE == "epoll-et" else 1 + end.rng.randrange(MOST_PER_TURN)
        while wanted and limit and not complete():
            try:
                call()
            except BlockingIOError:
                break
            limit -= 1


def run_polling(ends):
    for end in ends:
        end.socket.setblocking(False)
    poller = Poller(ends)
    while any(end.wants_to_send or end.wants_to_receive for end in ends):
        ready = poller.wait()
        if not ready:
            fail("; ".join(f"{end.name}: nothing ready for {TIMEOUT} s, sent {end.sent}, received {end.received} of {BYTES}" for end in ends))
        for end, readable, writable in ready:
            turn(end, readable, writable)
            poller.again(end)


def warm_up(*ends):
    """Question and answer, side 1 first; with one end here, the other is in another process."""
    for _ in range(3):
        for side in (1, 0):
            for end in sorted(ends, key=lambda end: end.side != side):
                end.push(100) if end.side == side else end.pull(100)


def run(*ends):
    run_blocking(ends[0]) if STYLE == "blocking" else run_polling(ends)


def listen():
    family = socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", PORT))
    listener.listen()
    return listener


def connect():
    client = socket.socket(socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET)
    client.settimeout(20)
    client.connect((ADDRESS, PORT))
    return client


def end(connection, side):
    if NARROW:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(TIMEOUT)
    return End(connection, side, BYTES, SEED, STYLE == "blocking", PAUSES, PROMISED)


if ROLE == "client":
    ends = [end(connect(), 1)]
elif ROLE == "server":
    ends = [end(listen().accept()[0], 0)]
else:
    listener = listen()
    ends = [end(connect(), 1), end(listener.accept()[0], 0)]
if WARM:
    warm_up(*ends)
if ROLE == "threads":
    threads = [threading.Thread(target=run, args=(one,)) for one in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
else:
    run(*ends)

print("transferred", flush=True)
sys.stdin.readline()
if len(ends) == 2:
    threading.Thread(target=ends[0].finish).start()
ends[-1].finish()
print("ok", flush=True)
