"""One end of the connection that stream.py drives: what it sends, what it expects, and every way of sending and receiving."""
import fcntl, os, random, socket, struct, sys, termios, time

PERIOD, LARGEST = 1_000_003, 400_000
TIMEOUT = 30


def fail(text):
    print(text, file=sys.stderr, flush=True)
    os._exit(1)


class Pattern:
    """The bytes one direction carries: PERIOD random bytes, over and over; a prime, so that no power of two hides a slip."""

    def __init__(self, seed):
        block = random.Random(seed).randbytes(PERIOD)
        self.bytes = memoryview(block + block[:LARGEST])

    def at(self, position, count):
        start = position % PERIOD
        return self.bytes[start:start + count]


class End:
    """One end of the connection: side 0 accepted, side 1 connected; each sends its own pattern and expects the other's."""

    def __init__(self, connection, side, total, seed, blocking, pauses, promised):
        self.socket, self.fd = connection, connection.fileno()
        self.total, self.blocking, self.pauses, self.promised = total, blocking, pauses, promised
        self.rng, self.receive_rng = random.Random(f"{seed} {side} s"), random.Random(f"{seed} {side} r")
        self.outgoing, self.incoming = Pattern(seed * 2 + side), Pattern(seed * 2 + 1 - side)
        self.side, self.name = side, f"seed {seed}, {'client' if side else 'server'}"
        self.sent = self.received = 0
        if self.rng.random() < 0.5:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @staticmethod
    def size(rng):
        return rng.choice((1, 7, 64, 1000, 4096, 16384, 65536, rng.randrange(1, 3000), rng.randrange(1, LARGEST)))

    def pause(self, rng):
        if self.pauses and rng.random() < 0.02:
            time.sleep(rng.random() * 0.02)

    def send_some(self):
        """One sending call; raises BlockingIOError when the road is full."""
        rng = self.rng
        self.pause(rng)
        data = self.outgoing.at(self.sent, min(self.size(rng), self.total - self.sent))
        cut = rng.randrange(len(data) + 1)
        how = rng.randrange(5)
        if how == 0:
            count = self.socket.send(data)
        elif how == 1:
            count = os.write(self.fd, data)
        elif how == 2:
            count = os.writev(self.fd, [data[:cut], data[cut:]])
        elif how == 3:
            count = self.socket.sendmsg([data[:cut], data[cut:], b""])
        else:
            count = self.socket.send(data, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT if not self.blocking else 0)
        if not 0 < count <= len(data):
            fail(f"{self.name}: sending {len(data)} bytes returned {count}")
        self.sent += count

    def receive_some(self):
        """One receiving call and the comparison; raises BlockingIOError when there is nothing."""
        rng = self.receive_rng
        self.pause(rng)
        size, how = self.size(rng), rng.randrange(7)
        if how == 0:
            data = self.socket.recv(size)
        elif how == 1:
            data = os.read(self.fd, size)
        elif how == 2:
            first, second = bytearray(size), bytearray(rng.randrange(1, 5000))
            count = os.readv(self.fd, [first, second])
            data = (first + second)[:count] if count > size else first[:count]
        elif how == 3:
            first, second = bytearray(rng.randrange(1, 100)), bytearray(size)
            count = self.socket.recvmsg_into([first, second])[0]
            data = (first + second)[:count]
        elif how == 4:
            peeked = self.socket.recv(size, socket.MSG_PEEK)
            data = self.socket.recv(len(peeked)) if peeked else b""
            if data != peeked[:len(data)]:
                fail(f"{self.name}: at {self.received} a peek saw other bytes than the read after it")
        elif how == 5:
            waiting = struct.unpack("i", fcntl.ioctl(self.fd, termios.FIONREAD, b"\0" * 4))[0]
            data = self.socket.recv(max(1, min(waiting, LARGEST)))
            if self.promised and len(data) < min(waiting, LARGEST):
                fail(f"{self.name}: FIONREAD said {waiting}, but a read got {len(data)}")
        elif self.blocking:
            data = self.socket.recv(min(size, self.total - self.received), socket.MSG_WAITALL)
            if len(data) < min(size, self.total - self.received):
                fail(f"{self.name}: MSG_WAITALL returned {len(data)} of {size} bytes")
        else:
            data = self.socket.recv(size, socket.MSG_DONTWAIT)
        self.check(data)

    def check(self, data):
        if not data:
            fail(f"{self.name}: end of stream after {self.received} of {self.total} bytes")
        while data:
            expected = self.incoming.at(self.received, min(len(data), LARGEST))
            if data[:len(expected)] != expected:
                wrong = next(i for i in range(len(expected)) if data[i] != expected[i])
                tail = bytes(data[wrong:wrong + 16])
                found = bytes(self.incoming.bytes).find(tail) if len(tail) == 16 else -1
                own = bytes(self.outgoing.bytes).find(tail) if len(tail) == 16 else -1
                fail(f"{self.name}: byte {self.received + wrong} is wrong; what came ({tail.hex()}, one of {len(data)}) stands at {found} (of {PERIOD}), in its own at {own}")
            self.received += len(expected)
            data = data[len(expected):]
        if self.received > self.total:
            fail(f"{self.name}: {self.received} bytes came, {self.total} were sent")

    @property
    def wants_to_send(self):
        return self.sent < self.total

    @property
    def wants_to_receive(self):
        return self.received < self.total

    def push(self, count):
        self.socket.sendall(self.outgoing.at(self.sent, count))
        self.sent += count

    def pull(self, count):
        self.check(self.socket.recv(count, socket.MSG_WAITALL))

    def finish(self):
        """Half-close; the end of the stream must come from the other side, and nothing before it."""
        self.socket.setblocking(True)
        self.socket.settimeout(TIMEOUT)
        self.socket.shutdown(socket.SHUT_WR)
        rest = self.socket.recv(100)
        if rest:
            fail(f"{self.name}: {len(rest)} bytes after the end")
