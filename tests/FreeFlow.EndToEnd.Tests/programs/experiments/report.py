"""Printing what calls return, errors by name."""
import errno, select, time

POLL_NAMES = {select.POLLIN: "IN", select.POLLOUT: "OUT", select.POLLERR: "ERR", select.POLLHUP: "HUP", select.POLLRDHUP: "RDHUP", select.POLLPRI: "PRI", select.POLLNVAL: "NVAL"}


def short(value):
    if isinstance(value, (bytes, bytearray)) and len(value) > 40:
        return f"{len(value)} bytes, sum {sum(value)}"
    return repr(value)


def attempt(what, call, *arguments):
    """Prints "what: result" or "what: ERRNO", and returns the result."""
    try:
        result = call(*arguments)
        print(f"{what}: {short(result)}")
        return result
    except OSError as error:
        print(f"{what}: {errno.errorcode.get(error.errno, repr(error))}")


def read_to_end(connection):
    """All bytes up to the end of the stream, and how it ended."""
    received = bytearray()
    try:
        while data := connection.recv(10000):
            received += data
        return bytes(received), "end of stream"
    except OSError as error:
        return bytes(received), errno.errorcode[error.errno]


def names(events):
    return " ".join(name for bit, name in sorted(POLL_NAMES.items()) if events & bit) or "nothing"


def poll_one(connection, wanted=select.POLLIN | select.POLLOUT | select.POLLRDHUP, timeout=0):
    poll = select.poll()
    poll.register(connection, wanted)
    return names(dict(poll.poll(timeout)).get(connection.fileno(), 0))


def fill(connection):
    """Sends until the road is full; the number of bytes, which depends on buffers and is not to be printed."""
    connection.setblocking(False)
    count = 0
    block = bytes(range(256)) * 64
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            count += connection.send(block)
        except BlockingIOError:
            return count
    raise TimeoutError("the road never fills")


def drain(connection, count):
    """Reads exactly count bytes."""
    connection.setblocking(True)
    while count > 0:
        data = connection.recv(min(count, 1 << 20))
        assert data, "end of stream while draining"
        count -= len(data)


def settle():
    """Longer than any wake-up or packet on one machine takes."""
    time.sleep(0.1)
