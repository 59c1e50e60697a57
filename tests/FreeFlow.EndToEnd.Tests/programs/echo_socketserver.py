"""Echo of lines by socketserver's threads or forked processes, and file-like streams.
usage: echo_socketserver.py server PORT | forking-server PORT | client HOST PORT SECONDS"""
import hashlib, random, socket, socketserver, sys, threading, time


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class ForkingServer(socketserver.ForkingTCPServer):
    allow_reuse_address = True


def client(host, port, number, end, results):
    rng, digest = random.Random(number), hashlib.sha256()
    lines = [rng.randbytes(rng.choice([0, 1, 30, 9000, 100_000])).hex().encode() + b"\n" for _ in range(30)]
    with socket.create_connection((host, port), 20) as connection, connection.makefile("rb") as stream:
        while True:
            for line in lines:
                connection.sendall(line)
                got = stream.readline()
                assert got == line.upper(), f"client {number}: a line of {len(line)} bytes differs"
            if time.monotonic() >= end:
                break
        connection.shutdown(socket.SHUT_WR)
        assert stream.read() == b"", "bytes after the end"
    for line in lines:
        digest.update(line)
    results[number] = digest.hexdigest()


if sys.argv[1].endswith("server"):
    with (Server if sys.argv[1] == "server" else ForkingServer)(("0.0.0.0", int(sys.argv[2])), Handler) as server:
        server.serve_forever()
host, port, end, results = sys.argv[2], int(sys.argv[3]), time.monotonic() + float(sys.argv[4]), {}
threads = [threading.Thread(target=client, args=(host, port, n, end, results)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(results) == 4, "a client failed"
print(sorted(results.items()))
