"""Writes a data set of random bytes into redis and reads it back, with a background save in the middle.
usage: redis_check.py HOST PORT SECONDS. Prints the digest of what was read, which depends on nothing but the seed."""
import hashlib, random, socket, sys, time

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = socket.create_connection((host, port), 20)
stream = connection.makefile("rb")


def send(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))


def reply():
    line = stream.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"$":
        if rest == b"-1":
            return None
        value = stream.read(int(rest) + 2)
        assert value[-2:] == b"\r\n", "reply is out of step"
        return value[:-2]
    assert kind in (b"+", b":"), line
    return rest


def call(*words):
    send(*words)
    return reply()


def round_trip():
    rng = random.Random(20)
    sizes = [1, 2, 100, 16384, 65535, 65536, 65537, 1 << 20] + [rng.randrange(1, 1 << 20) for _ in range(16)]
    values = {f"key:{i}": rng.randbytes(size) for i, size in enumerate(sizes)}
    assert call("FLUSHALL") == b"OK"
    for i, (key, value) in enumerate(values.items()):
        assert call("SET", key, value) == b"OK"
        if i == 8:
            call("BGSAVE")
    digest = hashlib.sha256()
    for key, value in values.items():
        got = call("GET", key)
        assert got == value, f"{key}: {len(got)} of {len(value)} bytes, or other bytes"
        digest.update(got)
    for key in values:  # pipelined
        send("STRLEN", key)
    assert [int(reply()) for _ in values] == sizes
    deadline = time.monotonic() + 15
    while b"rdb_bgsave_in_progress:1" in call("INFO", "persistence"):
        assert call("PING") == b"PONG" and time.monotonic() < deadline, "the background save does not end"
    assert b"rdb_last_bgsave_status:ok" in call("INFO", "persistence")
    return digest.hexdigest(), int(call("DBSIZE"))


end = time.monotonic() + seconds
results = {round_trip()}
while time.monotonic() < end:
    results.add(round_trip())
print(results)
