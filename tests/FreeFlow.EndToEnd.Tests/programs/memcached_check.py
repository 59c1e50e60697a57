"""Stores random values in memcached over several connections at once and reads them back.
usage: memcached_check.py HOST PORT SECONDS. Prints a digest that depends on nothing but the seeds."""
import concurrent.futures, hashlib, random, socket, sys, time

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])


def worker(number):
    rng, digest = random.Random(number), hashlib.sha256()
    connection = socket.create_connection((host, port), 20)
    stream = connection.makefile("rb")
    values = {b"w%d:%d" % (number, i): rng.randbytes(rng.choice([1, 10, 1000, 70000, 500000])) for i in range(25)}
    end = time.monotonic() + seconds
    while True:
        for key, value in values.items():
            connection.sendall(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value))
            assert (line := stream.readline()) == b"STORED\r\n", line
        # one request for all: the answer is larger than any buffer
        connection.sendall(b"get " + b" ".join(values) + b"\r\n")
        for key, value in values.items():
            assert (line := stream.readline()) == b"VALUE %s 0 %d\r\n" % (key, len(value)), line
            assert (got := stream.read(len(value) + 2)) == value + b"\r\n", f"{key}: other bytes"
        assert stream.readline() == b"END\r\n"
        if time.monotonic() >= end:
            break
    for value in values.values():
        digest.update(value)
    return digest.hexdigest()


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(list(pool.map(worker, range(4))))
