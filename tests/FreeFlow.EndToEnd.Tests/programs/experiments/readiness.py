"""poll, select and epoll over connections, pipes and timers."""
import os, select, socket, threading
from .report import drain, fill, poll_one, settle


def events(found, *named):
    numbers = {thing if isinstance(thing, int) else thing.fileno(): name for name, thing in named}
    return sorted((numbers[fd], event) for fd, event in found)


def level_triggered(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN)
    print(epoll.poll(0))
    client.sendall(b"12")
    settle()
    for _ in range(3):
        print(events(epoll.poll(1), ("server", server)))
    server.recv(1)
    print(events(epoll.poll(1), ("server", server)))
    server.recv(1)
    print(epoll.poll(0))


def edge_triggered(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN | select.EPOLLET)
    client.sendall(b"12")
    settle()
    print(events(epoll.poll(1), ("server", server)), epoll.poll(0))
    server.recv(1)
    print(epoll.poll(0))
    client.sendall(b"3")
    settle()
    print(events(epoll.poll(1), ("server", server)), server.recv(10))
    print(epoll.poll(0))
    client.sendall(b"4")
    print(events(epoll.poll(1), ("server", server)), server.recv(10))


def edge_triggered_writing(client, server):
    epoll = select.epoll()
    epoll.register(client, select.EPOLLOUT | select.EPOLLET)
    print(events(epoll.poll(1), ("client", client)), epoll.poll(0))
    count = fill(client)
    epoll.poll(0)
    drain(server, count)
    print(events(epoll.poll(2), ("client", client)))


def one_shot(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN | select.EPOLLONESHOT)
    client.sendall(b"1")
    print(events(epoll.poll(1), ("server", server)), epoll.poll(0))
    client.sendall(b"2")
    settle()
    print(epoll.poll(0))
    epoll.modify(server, select.EPOLLIN | select.EPOLLONESHOT)
    print(events(epoll.poll(1), ("server", server)), epoll.poll(0))


def registered_late(client, server):
    client.sendall(b"1")
    settle()
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN | select.EPOLLET)
    print(events(epoll.poll(1), ("server", server)))
    epoll.modify(server, select.EPOLLOUT | select.EPOLLET)
    print(events(epoll.poll(1), ("server", server)))
    epoll.modify(server, select.EPOLLIN | select.EPOLLET)
    print(events(epoll.poll(1), ("server", server)))
    epoll.unregister(server)
    client.sendall(b"2")
    settle()
    print(epoll.poll(0))


def what_a_look_at_the_set_finds_is_told_to_waits(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLRDHUP)
    epoll.register(client, select.EPOLLRDHUP | select.EPOLLONESHOT)
    client.shutdown(socket.SHUT_WR)
    print("one", poll_one(epoll))
    server.shutdown(socket.SHUT_WR)
    settle()
    print("both", poll_one(epoll), events(epoll.poll(0), ("server", server), ("client", client)))


def urgent_data_is_no_edge_for_who_waits_for_room(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN | select.EPOLLET)
    print("quiet", epoll.poll(0))
    epoll.modify(server, select.EPOLLOUT | select.EPOLLET)
    print("room", epoll.poll(0.01) == [(server.fileno(), select.EPOLLOUT)], epoll.poll(0))
    client.send(b"!", socket.MSG_OOB)
    print("urgent", epoll.poll(0.05))


def mixture(client, server):
    read, write = os.pipe()
    one, other = socket.socketpair()
    epoll = select.epoll()
    for thing in (server, read, one):
        epoll.register(thing, select.EPOLLIN)
    named = (("server", server), ("pipe", read), ("pair", one))
    print(epoll.poll(0))
    os.write(write, b"x")
    print(events(epoll.poll(1), *named))
    client.send(b"x")
    other.send(b"x")
    settle()
    print(events(epoll.poll(1), *named))
    os.read(read, 1)
    print(events(epoll.poll(1), *named))
    print([(["server", "pipe", "pair"][[server, read, one].index(r)]) for r in select.select([server, read, one], [], [], 1)[0]])
    server.recv(1)
    print(len(select.select([server, read, one], [client], [], 1)[0]), len(select.select([], [client], [], 1)[1]))


def sleepers_wake(client, server):
    for name, wait in (("select", lambda: len(select.select([server], [], [], 5)[0])), ("poll", lambda: poll(server)), ("epoll", lambda: epoll(server))):
        timer = threading.Timer(0.05, client.send, [b"x"])
        timer.start()
        print(name, wait(), server.recv(10))


def poll(server):
    poller = select.poll()
    poller.register(server, select.POLLIN)
    return len(poller.poll(5000))


def epoll(server):
    with select.epoll() as poller:
        poller.register(server, select.EPOLLIN)
        return len(poller.poll(5))


def nested_epoll(client, server):
    inner, outer = select.epoll(), select.epoll()
    inner.register(server, select.EPOLLIN)
    outer.register(inner, select.EPOLLIN)
    print(outer.poll(0))
    client.send(b"x")
    print(len(outer.poll(2)), events(inner.poll(0), ("server", server)))
    server.recv(10)
    print(outer.poll(0))


def epoll_in_poll(client, server):
    inner = select.epoll()
    inner.register(server, select.EPOLLIN)
    print(select.select([inner], [], [], 0)[0])
    threading.Timer(0.1, client.send, [b"x"]).start()
    print(len(select.select([inner], [], [], 5)[0]), events(inner.poll(0), ("server", server)))


def two_epolls(client, server):
    first, second = select.epoll(), select.epoll()
    first.register(server, select.EPOLLIN)
    second.register(server, select.EPOLLIN | select.EPOLLET)
    client.send(b"x")
    settle()
    print(len(first.poll(1)), len(second.poll(1)), len(first.poll(1)), len(second.poll(0)))


def closed_while_registered(client, server):
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN)
    epoll.register(client, select.EPOLLIN)
    client.send(b"x")
    settle()
    server.close()
    settle()
    print(events(epoll.poll(0), ("client", client))[:1] != [])
    client.close()
    print(epoll.poll(0))
