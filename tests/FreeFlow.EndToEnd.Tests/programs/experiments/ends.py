"""How streams end: close, half-close, reset, death."""
import os, select, socket, struct, threading, time
from .report import attempt, fill, poll_one, read_to_end, settle

LINGER_RESET = struct.pack("ii", 1, 0)


def close_after_data(client, server):
    for size in (1, 1000, 100000):
        client.sendall(b"a" * size)
    client.close()
    print(len(read_to_end(server)[0]))
    attempt("again", server.recv, 10)


def half_close(client, server):
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    attempt("send after shutdown", client.send, b"x")
    print(read_to_end(server))
    server.sendall(b"answer" * 20000)
    server.close()
    print(len(read_to_end(client)[0]))


def shutdown_both(client, server):
    client.sendall(b"last")
    client.shutdown(socket.SHUT_RDWR)
    attempt("own recv", client.recv, 10)
    print(read_to_end(server))


def shutdown_reading(client, server):
    client.sendall(b"before")
    settle()
    server.shutdown(socket.SHUT_RD)
    attempt("first", server.recv, 100)
    attempt("second", server.recv, 100)


def linger_waits_for_a_peer_that_does_not_read(client, server):
    """More than a receive buffer takes: close waits for the time that was asked for, and what is left goes on without it."""
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 30000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1))
    sent = 0
    client.setblocking(False)
    while sent < 600000:
        try:
            sent += client.send(b"l" * 20000)
        except BlockingIOError:
            break
    began = time.monotonic()
    client.close()
    print("waited", time.monotonic() - began >= 1, "rest", sent > 300000, len(read_to_end(server)[0]) == sent)


def end_with_more_unread_than_the_kernel_takes_now(client, server):
    """What is unread goes into the kernel at the end, as far as its buffers take it; the reader must not notice where that was."""
    for sender, reader, end in ((client, server, lambda: client.shutdown(socket.SHUT_WR)), (server, client, server.close)):
        sender.sendall(bytes(range(250)) * 2400)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        first = reader.recv(1000, socket.MSG_WAITALL)
        end()
        poller = select.poll()
        poller.register(reader, select.POLLIN)
        print(len(poller.poll(5000)), len(reader.recv(70000, socket.MSG_PEEK)) > 0)
        rest, last = read_to_end(reader)
        print(len(rest), first + rest == bytes(range(250)) * 2400, last, len(poller.poll(5000)))


def reset_by_linger(client, server):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    client.close()
    settle()
    attempt("recv", server.recv, 10)
    attempt("recv again", server.recv, 10)
    attempt("send", server.send, b"x")


def reset_after_data(client, server):
    client.sendall(b"data")
    settle()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    client.close()
    settle()
    print(read_to_end(server))


def close_with_unread_bytes(client, server):
    server.sendall(b"never read")
    settle()
    client.close()
    settle()
    attempt("recv", server.recv, 10)
    attempt("send", server.send, b"x")


def send_after_peer_closed(client, server):
    server.close()
    settle()
    attempt("first send", client.send, b"x")
    settle()
    attempt("second send", client.send, b"x")


def sigpipe(client, server):
    server.close()
    settle()
    child = os.fork()
    if child == 0:
        import signal
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        for _ in range(2):
            client.send(b"x")
            settle()
        os._exit(0)
    print("signal", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def no_sigpipe_when_unwanted(client, server):
    server.close()
    settle()
    attempt("first", client.send, b"x", socket.MSG_NOSIGNAL)
    settle()
    attempt("second", client.send, b"x", socket.MSG_NOSIGNAL)


def blocked_reader_sees_the_end(client, server):
    threading.Timer(0.1, client.close).start()
    attempt("recv", server.recv, 10)


def blocked_reader_sees_own_shutdown(client, server):
    threading.Timer(0.1, server.shutdown, [socket.SHUT_RDWR]).start()
    attempt("recv", server.recv, 10)


def blocked_writer_sees_the_peer_close(client, server):
    fill(client)
    client.setblocking(True)
    threading.Timer(0.1, server.close).start()
    try:
        while True:
            client.send(b"x" * 100000)
    except ConnectionError:
        print("connection error")


def poll_through_all_states(client, server):
    print("idle", poll_one(server))
    client.send(b"x")
    settle()
    print("data", poll_one(server))
    server.recv(10)
    print("read", poll_one(server))
    client.shutdown(socket.SHUT_WR)
    settle()
    print("half-closed", poll_one(server))
    server.shutdown(socket.SHUT_WR)
    settle()
    print("both", poll_one(server), "|", poll_one(client))
    client.close()
    print("closed", poll_one(server))


def poll_with_bytes_before_the_end(client, server):
    client.sendall(b"x" * 10)
    client.close()
    settle()
    print(poll_one(server))
    server.recv(5)
    print(poll_one(server))
    server.recv(5)
    print(poll_one(server), server.recv(5))


def epoll_through_all_states(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
    print(epoll.poll(0))
    client.send(b"x")
    client.shutdown(socket.SHUT_WR)
    settle()
    print(sorted({event & ~1 for _, event in epoll.poll(1)}), epoll.poll(0))
    client.close()
    server.shutdown(socket.SHUT_WR)
    settle()
    print([event & select.EPOLLHUP for _, event in epoll.poll(1)])


def death_of_the_peer(client, server):
    child = os.fork()
    if child == 0:
        server.close()
        client.sendall(b"last words" * 1000)
        os.kill(os.getpid(), 9)
    client.close()
    os.waitpid(child, 0)
    print(len(read_to_end(server)[0]))
