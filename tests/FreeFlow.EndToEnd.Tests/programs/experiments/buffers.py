"""SO_SNDBUF and SO_RCVBUF: how much a sender may send that nobody reads."""
import select, socket
from .report import attempt


def fill(sender):
    sender.setblocking(False)
    sent = 0
    try:
        while sent < 400_000:
            sent += sender.send(b"x" * 1000)
    except BlockingIOError:
        pass
    return sent


def small_buffers_stop_a_sender(client, server):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = fill(client)
    print("stops:", sent < 400_000)
    print("can send:", bool(select.select([], [client], [], 0)[1]))
    got = 0
    while got < sent:
        got += len(server.recv(100_000))
    print("all is there:", got == sent)
    attempt("again", client.send, b"y")
    attempt("it comes", server.recv, 100)


def a_small_buffer_that_is_made_smaller_still(client, server):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50_000)
    first = fill(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
    attempt("no more", client.send, b"y")
    got = 0
    while got < first:
        got += len(server.recv(100_000))
    attempt("again", client.send, b"y")
    attempt("it comes", server.recv, 100)
