"""A connection gets its ring while the kernel's buffers on both sides are full; then, for every read, prints an error if it gets less than FIONREAD has just counted.

Prints "ready" when all bytes have come, and ends when a line comes. Run with FREEFLOW_OFFER_AFTER=0.
"""
import fcntl, signal, socket, struct, sys, termios, time

signal.alarm(40)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
listener.bind(("127.0.0.1", 0))
listener.listen()
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.setblocking(False)
sent = 0


def send(most):
    global sent
    try:
        while most > 0:
            count = client.send(bytes(min(most, 4096)))
            sent, most = sent + count, most - count
    except BlockingIOError:
        pass


# Nobody receives yet, so all of this is the kernel's: what the receiver has room for, and behind it what the sender's queue holds.
send(1 << 30)
# The first receive offers the connection, one after the join announces that it will look into the ring.
received = 0
for _ in range(5):
    received += len(server.recv(1))
    time.sleep(0.1)
# Into the ring, behind bytes that are still on their way.
send(50_000)
while received < sent:
    waiting = struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, b"\0" * 4))[0]
    count = len(server.recv(max(1, min(waiting, 1 << 20))))
    if count < waiting:
        sys.exit(f"at byte {received} of {sent}: FIONREAD said {waiting}, but a read got {count}")
    received += count
print("ready", flush=True)
sys.stdin.readline()
