"""One end of COUNT connections, one after another, over mirrored rings whose routers die (mirror.c): every byte is compared.

usage: end.py ROLE PORT SEED COUNT EARLY      ROLE: server | client; EARLY=1: a way may be lost
before a sender knows that its reader is Ready, and a stream then end with a reset behind its last byte (docs/fabric.md)

What a connection does is drawn from SEED and its number, by both ends alike: how each end waits, how much goes each way, and how it ends:
half   each end shuts its stream down after its last byte, and reads the other's to the end
close  the client closes at once behind its last byte
exec   the server gives the rest of what it receives to another program, which knows of the kernel only
kill   the client's process ends by SIGKILL behind its last byte: everything arrives, or the connection is reset
"""
import os, random, select, signal, socket, struct, subprocess, sys, time

ROLE, PORT, SEED, COUNT, EARLY = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "1"
SECONDS = 20


class Plan:
    def __init__(self, number):
        rng = random.Random(SEED * 1_000_003 + number)
        self.number = number
        self.style = {role: rng.choice(["blocking", "poll", "epoll-lt", "epoll-et"]) for role in ("server", "client")}
        self.end = rng.choice(["half", "half", "half", "close", "exec", "kill"])
        if EARLY and self.end == "exec":
            self.end = "half"
        size = lambda: rng.choice([0, rng.randrange(1, 200), rng.randrange(1, 20_000), rng.randrange(1, 600_000)])
        self.sends = {"client": rng.randbytes(size()), "server": rng.randbytes(size() if self.end == "half" else 0)}
        self.pause = rng.random() < 0.3
        self.read_first = rng.random()


class End:
    def __init__(self, plan, sock):
        self.plan, self.socket = plan, sock
        self.rng = random.Random(SEED * 7 + plan.number * 2 + (ROLE == "client"))
        self.output = plan.sends[ROLE]
        self.expected = plan.sends["client" if ROLE == "server" else "server"]
        self.sent = self.received = 0
        self.shut = self.ended = False
        self.style = plan.style[ROLE]
        sock.setblocking(self.style == "blocking")

    def fail(self, what):
        sys.exit(f"{ROLE}, connection {self.plan.number} ({self.plan.end}, {self.style}), {self.sent} of {len(self.output)} sent, {self.received} of {len(self.expected)} received: {what}")

    def check(self, data):
        if data != self.expected[self.received:self.received + len(data)]:
            wrong = next(i for i in range(len(data)) if data[i:i + 1] != self.expected[self.received + i:self.received + i + 1])
            self.fail(f"wrong byte at {self.received + wrong}")
        self.received += len(data)

    def send(self, flags=0):
        """One attempt; False if it would block."""
        try:
            self.sent += self.socket.send(self.output[self.sent:self.sent + self.rng.randrange(1, 70_000)], flags)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            if not EARLY:
                self.fail("cannot send")
            self.shut, self.ended, self.expected = True, True, self.expected[:self.received]
        return True

    def receive(self):
        try:
            data = self.socket.recv(self.rng.choice([1, 100, 5_000, 100_000]))
        except BlockingIOError:
            return False
        except ConnectionResetError:
            if self.plan.end != "kill" and not EARLY:
                self.fail("reset")
            data, self.expected = b"", self.expected[:self.received]
            self.shut = True
        self.check(data)
        self.ended |= not data
        if self.plan.pause and self.rng.random() < 0.1:
            time.sleep(self.rng.random() * 0.002)
        return not self.ended

    def shut_down(self):
        if self.sent == len(self.output) and not self.shut:
            self.shut = True
            if self.plan.end == "half":
                self.socket.shutdown(socket.SHUT_WR)

    def run(self):
        """Both ways at once, until everything is sent and the other's stream has ended."""
        {"blocking": self.run_blocking, "poll": self.run_poll}.get(self.style, self.run_epoll)()
        if self.received != len(self.expected):
            self.fail("the stream ended too soon")

    def run_blocking(self):
        self.socket.settimeout(None)
        while not (self.ended and self.shut):
            self.shut_down()
            if self.ended and self.shut:
                break
            readable, writable, _ = select.select([] if self.ended else [self.socket], [] if self.shut else [self.socket], [], SECONDS)
            if not readable and not writable:
                self.fail("hangs")
            if readable:
                self.receive()
            elif writable and not self.shut:
                self.send(socket.MSG_DONTWAIT)

    def run_poll(self):
        poll = select.poll()
        while not (self.ended and self.shut):
            self.shut_down()
            if self.ended and self.shut:
                break
            poll.register(self.socket, (0 if self.ended else select.POLLIN) | (0 if self.shut else select.POLLOUT))
            ready = poll.poll(SECONDS * 1000)
            if not ready:
                self.fail("hangs")
            if ready[0][1] & ~select.POLLOUT and not self.ended:
                self.receive()
            if ready[0][1] & select.POLLOUT and not self.shut:
                self.send()

    def run_epoll(self):
        epoll, edge = select.epoll(), self.style == "epoll-et"
        epoll.register(self.socket, select.EPOLLIN | select.EPOLLOUT | (select.EPOLLET if edge else 0))
        while not (self.ended and self.shut):
            self.shut_down()
            if self.ended and self.shut:
                break
            if not edge:
                epoll.modify(self.socket, (0 if self.ended else select.EPOLLIN) | (0 if self.shut else select.EPOLLOUT))
            ready = epoll.poll(SECONDS)
            if not ready:
                self.fail("hangs")
            # An edge is used up: as much as there is.
            while not self.ended and ready[0][1] & ~select.EPOLLOUT and self.receive() and edge:
                pass
            while not self.shut and ready[0][1] & select.EPOLLOUT and self.sent < len(self.output) and self.send() and edge:
                pass


def give_to_cat(end):
    """What is left, read by another program from its standard input."""
    first = int(len(end.expected) * end.plan.read_first)
    end.socket.setblocking(True)
    while end.received < first:
        end.check(end.socket.recv(min(first - end.received, 10_000)))
    rest = subprocess.run(["cat"], stdin=end.socket, stdout=subprocess.PIPE, timeout=SECONDS, check=True).stdout
    end.check(rest)
    if end.received != len(end.expected):
        end.fail("the other program's stream ended too soon")


def connection(plan, sock):
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"{ROLE}, connection {plan.number} ({plan.end}, {plan.style[ROLE]}) takes too long"))
    signal.alarm(SECONDS)
    end = End(plan, sock)
    if plan.end == "half":
        end.run()
    elif ROLE == "client":
        sock.setblocking(True)
        try:
            sock.sendall(end.output)
        except (BrokenPipeError, ConnectionResetError):
            if not EARLY:
                end.fail("cannot send")
        if plan.end == "kill":
            time.sleep(end.rng.random() * 0.003)
            os.kill(os.getpid(), signal.SIGKILL)
    elif plan.end == "exec":
        give_to_cat(end)
    else:
        end.shut = True
        end.run()
    sock.close()


def main():
    if ROLE == "server":
        listener = socket.create_server(("127.0.0.1", PORT))
        print("ready", flush=True)
        for number in range(COUNT):
            connection(Plan(number), listener.accept()[0])
    else:
        for number in range(COUNT):
            plan = Plan(number)
            # The one that is to be killed is a process of its own.
            child = os.fork() if plan.end == "kill" else None
            if child:
                os.waitpid(child, 0)
                continue
            connection(plan, socket.create_connection(("127.0.0.1", PORT)))
    print("ok")


main()
