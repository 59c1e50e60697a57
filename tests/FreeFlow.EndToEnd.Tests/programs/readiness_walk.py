"""Random walks over epoll, poll and select with a few TCP connections of this process with itself; prints what every call said.

usage: readiness_walk.py FIRST COUNT [STEPS [verbose]]
One walk for each seed from FIRST on, one line for each, which ends in a digest of everything that was seen; with "verbose" every step instead. What a
walk does depends on its seed and on the answers, so the same text must come out whatever carries the bytes. Walks that are known to be unequal on
the kernel itself are avoided: queues are empty, short, or full, never in between. At the end a line is waited for on standard input.
"""
import ctypes, errno, hashlib, os, random, select, socket, sys, time

libc = ctypes.CDLL(None, use_errno=True)
IN, PRI, OUT, ERR, HUP, RDHUP = 1, 2, 4, 8, 16, 0x2000
EXCLUSIVE, ONESHOT, ET = 1 << 28, 1 << 30, 1 << 31
ADD, DEL, MOD = 1, 2, 3
DONTWAIT_NOSIGNAL = 0x40 | 0x4000
BUFFER = ctypes.create_string_buffer(1 << 16)
NAMES = {IN: "IN", PRI: "PRI", OUT: "OUT", ERR: "ERR", HUP: "HUP", RDHUP: "RDHUP", 32: "NVAL", 64: "RDNORM", 128: "RDBAND", 256: "WRNORM", 512: "WRBAND",
         EXCLUSIVE: "EXCLUSIVE", ONESHOT: "ONESHOT", ET: "ET"}


class Event(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("events", ctypes.c_uint32), ("data", ctypes.c_uint64)]


class Poll(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def names(bits):
    return "+".join(name for bit, name in NAMES.items() if bits & bit) or "0"


def call(function, *arguments):
    result = function(*arguments)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result


ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE, LAST_ACK, CLOSING = 1, 4, 5, 7, 9, 11
FIONREAD, TCP_INFO = 0x541B, 11


def state(end):
    """The TCP state, as TCP_INFO has it in its first byte."""
    info, length = ctypes.create_string_buffer(8), ctypes.c_uint(8)
    return info.raw[0] if libc.getsockopt(end.open[0], socket.IPPROTO_TCP, TCP_INFO, info, ctypes.byref(length)) == 0 else CLOSE


class End:
    """One end of a connection: its open descriptors, and how many bytes are on their way to it (a great many if it is full)."""

    def __init__(self, name, connection):
        self.name, self.open, self.peer, self.pending = name, [connection.detach()], None, 0
        self.full = self.drained = self.quiet = self.haunted = self.lost = False


class Walk:
    def __init__(self, seed, steps):
        self.random, self.steps, self.seen, self.serial = random.Random(seed), steps, [], 0
        self.ends = []
        for i in range(self.random.choice((1, 1, 2, 3))):
            listener = socket.create_server(("127.0.0.1", 0))
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            listener.close()
            one, other = End(f"c{i}", client), End(f"s{i}", server)
            one.peer, other.peer = other, one
            self.ends += [one, other]
            for end in (one, other) * 2:
                libc.send(end.open[0], b"warm", 4, DONTWAIT_NOSIGNAL)
                libc.recv(end.peer.open[0], BUFFER, 4, 0)
        self.epolls = [libc.epoll_create1(0) for _ in range(self.random.choice((1, 1, 2)))]
        # Some walks have sets inside others: the outer ones last, in self.outer too.
        self.outer = [libc.epoll_create1(0) for _ in range(self.random.choice((0, 0, 1, 2)))]
        self.epolls += self.outer
        self.random.shuffle(self.outer)

    def say(self, *what):
        self.seen.append(" ".join(map(str, what)))

    def pick(self):
        """An end that is open, and one of its descriptors with a name that does not depend on numbers."""
        ends = [end for end in self.ends if end.open]
        if not ends:
            return None, None, None
        end = self.random.choice(ends)
        which = self.random.randrange(len(end.open))
        return end, end.open[which], f"{end.name}.{which}"

    def run(self):
        doings = [self.send] * 6 + [self.recv] * 6 + [self.ctl] * 8 + [self.wait] * 12 + [self.poll] * 3 + [self.select] * 2 + [self.empty] * 3 \
            + [self.shutdown, self.fill, self.fill, self.drain, self.drain, self.dup, self.close_copy]
        if self.outer:
            doings += [self.nest] * 3 + [self.poll_sets] * 4 + [self.wait_outer] * 8 + [self.fork_and_look]
        if self.random.random() < 0.5:
            doings += [self.close]
        if self.random.random() < 0.1:
            doings += [self.urgent]
        for _ in range(self.steps):
            self.random.choice(doings)()
        for end in self.ends:
            for fd in end.open:
                libc.close(fd)
        for fd in self.epolls:
            libc.close(fd)

    def settle(self, end):
        """Until what an end has done has arrived at its peer."""
        until = time.monotonic() + 2
        while time.monotonic() < until and not self.has_arrived(end):
            time.sleep(0.0002)

    def has_arrived(self, end):
        if not end.peer.open:
            # A reset answers bytes for a socket that is gone.
            return not end.open or (state(end) == CLOSE if end.lost else state(end) != ESTABLISHED)
        if end.quiet and state(end.peer) in (ESTABLISHED, FIN_WAIT1, FIN_WAIT2):
            return False
        if end.open and state(end) in (FIN_WAIT1, CLOSING, LAST_ACK):
            return False
        waiting = ctypes.c_int()
        if state(end.peer) == CLOSE or libc.ioctl(end.peer.open[0], FIONREAD, ctypes.byref(waiting)) != 0:
            return True
        return waiting.value >= end.peer.pending

    def send(self):
        end, fd, name = self.pick()
        if end is None or end.full or end.peer.full or end.peer.pending > 20000:
            return
        count = self.random.choice((1, 2, 10, 500, 5000))
        sent = call(libc.send, fd, BUFFER, count, DONTWAIT_NOSIGNAL)
        if isinstance(sent, int):
            end.peer.pending += sent
            end.lost |= not end.peer.open
        self.say("send", name, count, sent)
        self.settle(end)

    def urgent(self):
        end, fd, name = self.pick()
        if end is None or end.full or end.peer.full or not end.peer.open or end.peer.pending:
            return
        self.say("urgent", name, call(libc.send, fd, b"!", 1, DONTWAIT_NOSIGNAL | 1))
        # The mark stays in the stream, and counts or not.
        end.haunted = end.peer.haunted = True
        time.sleep(0.01)

    def recv(self, count=None):
        end, fd, name = self.pick()
        if end is None or end.full:
            return
        count = count or self.random.choice((1, 3, 700))
        got = call(libc.recv, fd, BUFFER, count, DONTWAIT_NOSIGNAL)
        if isinstance(got, int):
            end.pending -= got
        self.say("recv", name, count, got)

    def empty(self):
        end, fd, name = self.pick()
        if end is None or end.full:
            return
        answers = []
        while isinstance(got := call(libc.recv, fd, BUFFER, 30000, DONTWAIT_NOSIGNAL), int) and got > 0:
            end.pending -= got
            answers.append(got)
        self.say("empty", name, sum(answers), got)

    def fill(self):
        end, fd, name = self.pick()
        # What has been drained once and is filled again becomes writable when the kernel's window timers say so.
        if end is None or end.full or end.peer.full or end.peer.drained or not end.peer.open or end.quiet or end.peer.quiet or end.haunted or end.peer.haunted:
            return
        # Bytes reach a full end in pieces of any size, each of them an edge.
        for reader in end.peer.open:
            for epoll in self.epolls:
                libc.epoll_ctl(epoll, DEL, reader, None)
        calm = 0
        while calm < 3:
            got = call(libc.send, fd, BUFFER, len(BUFFER), DONTWAIT_NOSIGNAL)
            if isinstance(got, int):
                end.peer.pending += got
                calm = 0
                continue
            if got != "EAGAIN":
                break
            calm += 1
            time.sleep(0.002)
        end.peer.full = got == "EAGAIN"
        self.say("fill", name, got)

    def drain(self):
        full = [end for end in self.ends if end.full and end.open]
        if not full:
            return
        end = self.random.choice(full)
        until = time.monotonic() + 5
        while end.pending > 0 and time.monotonic() < until:
            got = call(libc.recv, end.open[0], BUFFER, min(len(BUFFER), end.pending), DONTWAIT_NOSIGNAL)
            if isinstance(got, int) and got > 0:
                end.pending -= got
            elif got == "EAGAIN":
                time.sleep(0.001)
            else:
                break
        end.full, end.drained = False, True
        self.say("drain", end.name, end.pending)
        time.sleep(0.005)

    def shutdown(self):
        end, fd, name = self.pick()
        if end is None or end.full or end.peer.full:
            return
        how = 1
        if how != 0:
            end.quiet = True
        self.say("shutdown", name, how, call(libc.shutdown, fd, how))
        self.settle(end)

    def dup(self):
        end, fd, name = self.pick()
        if end is None or len(end.open) > 2:
            return
        end.open.append(libc.dup(fd))
        self.say("dup", name)

    def close_copy(self):
        end, fd, name = self.pick()
        if end is None or len(end.open) < 2:
            return
        end.open.remove(fd)
        end.haunted = True
        self.say("close", name, call(libc.close, fd))

    def close(self):
        end, fd, name = self.pick()
        if end is None or end.full or end.peer.full:
            return
        for fd in list(end.open):
            self.say("close", end.name, call(libc.close, fd))
            end.open.remove(fd)
        end.quiet = True
        self.settle(end)

    def mask(self):
        bits = self.random.choice((IN, OUT, IN | OUT, IN | RDHUP, IN | OUT | RDHUP | PRI, RDHUP, 0, IN | OUT | PRI))
        return bits | self.random.choice((0, 0, ET, ET, ONESHOT, ET | ONESHOT, EXCLUSIVE if self.random.random() < 0.3 else 0))

    def ctl(self):
        end, fd, name = self.pick()
        if end is None or end.full:
            return
        which = self.random.randrange(len(self.epolls))
        operation = self.random.choice((ADD, ADD, ADD, MOD, MOD, DEL))
        self.serial += 1
        event = Event(self.mask(), self.serial | self.random.getrandbits(64) << 16 & (1 << 64) - 1)
        answer = call(libc.epoll_ctl, self.epolls[which], operation, fd, ctypes.byref(event))
        self.say("ctl", which, {ADD: "ADD", MOD: "MOD", DEL: "DEL"}[operation], name, names(event.events), f"#{event.data & 0xffff}", answer)

    def nest(self):
        """A set goes into an outer one, or out of it."""
        inner, outer = self.random.choice(self.epolls), self.random.choice(self.outer)
        operation = self.random.choice((ADD, ADD, ADD, MOD, DEL))
        self.serial += 1
        event = Event(self.random.choice((IN, IN, IN, IN | OUT, 0)) | self.random.choice((0, 0, ONESHOT)), self.serial)
        answer = call(libc.epoll_ctl, outer, operation, inner, ctypes.byref(event))
        self.say("nest", self.epolls.index(outer), {ADD: "ADD", MOD: "MOD", DEL: "DEL"}[operation], self.epolls.index(inner), names(event.events), f"#{self.serial}", answer)

    def poll_sets(self):
        if self.random.random() < 0.3:
            found = select.select(self.epolls, [], [], self.random.choice((0, 0.001)))[0]
            return self.say("select sets", *(self.epolls.index(fd) for fd in found))
        entries = (Poll * len(self.epolls))(*(Poll(fd, IN | OUT, 77) for fd in self.epolls))
        got = call(libc.poll, entries, len(self.epolls), self.random.choice((0, 0, 1)))
        self.say("poll sets", got, *(names(entry.revents) for entry in entries))

    def wait_outer(self):
        self.wait(self.epolls.index(self.random.choice(self.outer)))

    def fork_and_look(self):
        """A child looks at the sets, which takes nothing from them."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            entries = (Poll * len(self.epolls))(*(Poll(fd, IN, 77) for fd in self.epolls))
            got = call(libc.poll, entries, len(self.epolls), 0)
            os.write(write, " ".join([str(got), *(names(entry.revents) for entry in entries)]).encode())
            os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        self.say("child", os.read(read, 1000).decode())
        os.close(read)

    def wait(self, which=None):
        which = self.random.randrange(len(self.epolls)) if which is None else which
        events = (Event * 64)()
        got = call(libc.epoll_wait, self.epolls[which], events, 64, self.random.choice((0, 0, 0, 1)))
        found = sorted((event.data, event.events) for event in events[:got]) if isinstance(got, int) else []
        self.say("wait", which, got, *(f"#{data & 0xffff}:{data >> 16:x}:{names(bits)}" for data, bits in found))

    def poll(self):
        chosen = [self.pick() for _ in range(self.random.choice((1, 2, 3, 5)))]
        masks = [self.random.choice((IN, OUT, IN | OUT, RDHUP, IN | OUT | RDHUP | PRI, 0, 0x3ff & ~56)) for _ in chosen]
        gaps = [self.random.random() < 0.1 for _ in chosen]
        entries = (Poll * len(chosen))(*(Poll(-1 if gap or fd is None else fd, bits, 77) for (end, fd, name), bits, gap in zip(chosen, masks, gaps)))
        got = call(libc.poll, entries, len(chosen), self.random.choice((0, 0, 1)))
        self.say("poll", got, *(f"{name}{'~' if gap else ''}:{names(bits)}={names(entry.revents)}" for (end, fd, name), bits, gap, entry in zip(chosen, masks, gaps, entries)))

    def select(self):
        chosen = [self.pick() for _ in range(3)]
        sets = [[(fd, name) for end, fd, name in chosen if fd is not None and self.random.random() < 0.6] for _ in range(3)]
        try:
            found = select.select(*([fd for fd, _ in one] for one in sets), self.random.choice((0, 0, 0.001)))
            self.say("select", *(f"{[name for _, name in one]}={sorted({name for fd, name in one if fd in ready})}" for one, ready in zip(sets, found)))
        except OSError as error:
            self.say("select", errno.errorcode[error.errno])


def main():
    first, count = int(sys.argv[1]), int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    for seed in range(first, first + count):
        walk = Walk(seed, steps)
        walk.run()
        if len(sys.argv) > 4 and sys.argv[4] == "verbose":
            print("\n".join(walk.seen))
        print(f"seed {seed}: {len(walk.seen)} steps, {hashlib.sha256(chr(10).join(walk.seen).encode()).hexdigest()[:16]}", flush=True)
    print("walked", flush=True)
    sys.stdin.readline()


main()
