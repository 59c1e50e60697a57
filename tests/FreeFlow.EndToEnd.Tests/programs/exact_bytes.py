"""Bytes that show where they belong, and a receive of exactly so many, for programs that have one connection and a role."""
import sys


def pattern(count):
    """The first bytes of a stream of numbered words, scrambled; count is a multiple of 4."""
    return b"".join((n * 2654435761 % (1 << 32)).to_bytes(4, "little") for n in range(count // 4))


def receive(sock, count, role):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            sys.exit(f"{role}: the stream ends after {len(data)} of {count} bytes")
        data += more
    return data


def receive_pattern(sock, count, role):
    received, expected = receive(sock, count, role), pattern(count)
    if received != expected:
        sys.exit(f"wrong byte at {next(i for i in range(count) if received[i] != expected[i])}")
