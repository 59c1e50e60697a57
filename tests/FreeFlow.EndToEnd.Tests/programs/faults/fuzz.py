"""An unprivileged user at the router's control socket: fuzz.py ROUTER-SOCKET PROGRAM SECONDS SEED.

Records what real libraries say to the router (a relay between them passes everything on, descriptors too), and then says it again, changed: bits,
lengths, numbers, order, and up to 253 descriptors of every kind at once (kinds.py). Says what programs with verbs say, with any numbers, and writes into what it is given. Where it may mount
a file system of its own (fuse.py), it shows files of that, and sockets whose locks are held by transfers that wait for it. Prints how much was said.
"""
import array, fcntl, os, random, select, signal, socket, struct, subprocess, sys, tempfile, threading, time
import fuse, kinds

MOST = 253  # SCM_MAX_FD
MOST_KEPT = 100
MOST_HELD = 12
router, program, seconds, seed = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)


def send(sock, data, descriptors):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    return sock.sendmsg([data], ancillary, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def receive(sock):
    data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(4 * MOST), socket.MSG_DONTWAIT)
    return data, [fd for _, _, raw in ancillary for fd in struct.unpack(f"{len(raw) // 4}i", raw[:len(raw) // 4 * 4])]


def call():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(router)
    return sock


def record():
    """What two real programs say to the router: their messages with the descriptors."""
    heard = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "relay.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen()
        variables = {**os.environ, "LD_PRELOAD": os.path.join(os.path.dirname(program), "libfreeflow.so"), "FREEFLOW_SOCKET": path, "FREEFLOW_OFFER_AFTER": "0"}
        server = subprocess.Popen([program, "listen", "0", "1", "poll", "3000000"], env=variables, stdout=subprocess.PIPE, text=True)
        port = server.stdout.readline().split()[1]
        client = subprocess.Popen([program, "connect", port, "1", "poll", "3000000"], env=variables, stdout=subprocess.DEVNULL)
        other, callers = {}, set()
        deadline = time.monotonic() + 20
        while (server.poll() is None or client.poll() is None) and time.monotonic() < deadline:
            for sock in select.select([listener, *other], [], [], 0.05)[0]:
                if sock is listener:
                    ours, theirs = listener.accept()[0], call()
                    other[ours], other[theirs] = theirs, ours
                    callers.add(ours)
                elif sock in other:
                    relay(sock, other, callers, heard)
        for process in (server, client):
            process.kill()
            process.wait()
        server.stdout.close()
        for sock in [listener, *other]:
            sock.close()
    return heard


def relay(sock, other, callers, heard):
    try:
        data, descriptors = receive(sock)
        if not data:
            raise OSError("closed")
        send(other[sock], data, descriptors)
        if sock in callers:
            heard.append((data, descriptors))
            return
        for fd in descriptors:
            os.close(fd)
    except OSError:
        peer = other.pop(sock)
        other.pop(peer)
        sock.close()
        peer.close()


def strange():
    """A descriptor of any kind, for once; the caller closes it."""
    if rng.random() < 0.05 and server:
        slow.add(fd := server.open())
        return fd
    if rng.random() < 0.4:
        name = rng.choice(list(usable))
        try:
            fd = usable[name]()
            shown.add(name)
            return fd
        except OSError:
            pass  # there are many already
    kind = rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 15)) if rng.random() < 0.95 else rng.choice((6, 11, 12, 13, 14))
    if kind == 0: return os.open("/dev/null", os.O_RDWR)
    if kind == 1: return os.open("/etc/passwd", os.O_RDONLY)
    if kind == 2: return os.open("/", os.O_PATH)
    if kind == 3: return os.eventfd(1)
    if kind == 4: return epoll_set()
    if kind == 5: return os.pidfd_open(os.getpid())
    if kind == 6: return table(rng.randrange(3))
    if kind == 8: return socket.socket(socket.AF_UNIX, rng.choice((socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET))).detach()
    if kind == 9: return socket.socket(rng.choice((socket.AF_INET, socket.AF_INET6)), rng.choice((socket.SOCK_STREAM, socket.SOCK_DGRAM))).detach()
    if kind == 10: return pipe_end()
    if kind == 11: return lingering()
    if kind == 12: return listening()
    if kind == 13: return wrapped(lingering() if rng.random() < 0.5 else call().detach())
    if kind == 14: return much_memory()
    return call().detach()


def wrapped(fd):
    """A Unix socket in whose queue another descriptor lies, which the kernel closes with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, rng.choice((socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)))
    try:
        send(ours, b"x", [fd])
    except OSError:
        pass  # too many are under way
    finally:
        close(fd)
        ours.close()
    return wrapped(theirs.detach()) if rng.random() < 0.3 else theirs.detach()


def much_memory():
    """Sealed memory that takes its time to free, and that only the router may have in the end."""
    fd = os.memfd_create("much", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 64 << 20)
    for place in range(0, 64 << 20, 1 << 20):
        os.pwrite(fd, b"x" * 4096, place)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def epoll_set():
    with select.epoll() as epoll:
        return os.dup(epoll.fileno())


def pipe_end():
    ends = os.pipe()
    which = rng.randrange(2)
    os.close(ends[1 - which])
    return ends[which]


def table(sealed):
    """Memory that looks like a family table: the recorded one's head, and the size, or nearly; sealed as it must be, or otherwise."""
    head = os.pread(tables[0], 65536, 0)
    fd = os.memfd_create("fuzz", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, os.fstat(tables[0]).st_size + (0 if rng.random() < 0.8 else rng.choice((-1, 1, -4096, 4096))))
    os.pwrite(fd, damage(head) if rng.random() < 0.3 else head, 0)
    if sealed:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL if sealed == 1 else rng.randrange(16))
    return fd


def pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def lingering():
    """The last close of it waits for a peer that does not read."""
    client, server = pair()
    kept.append(server)
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(65536))
    except BlockingIOError:
        pass
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, rng.randrange(3)))
    slow.add(client.fileno())
    return client.detach()


def close(fd):
    # If the router has closed its copy already, this is the last one, and waits.
    if fd not in slow:
        return os.close(fd)
    slow.discard(fd)
    threading.Thread(target=last_close, args=(os.dup(fd),), daemon=True).start()
    os.close(fd)


def last_close(fd):
    try:
        os.close(fd)
    except OSError:
        pass  # its server is gone


def listening():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return os.dup(listener.fileno())


def damage(data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not data:
            break
        at = rng.randrange(len(data))
        choice = rng.randrange(6)
        if choice == 0: data[at] ^= 1 << rng.randrange(8)
        elif choice == 1: data[at] = rng.choice((0, 1, 0x7f, 0x80, 0x90, 0xc0, 0xc4, 0xcc, 0xcd, 0xce, 0xcf, 0xd3, 0xd9, 0xdc, 0xdf, 0xff))
        elif choice == 2: del data[at:at + rng.randrange(1, 9)]
        elif choice == 3: data[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif choice == 4: data[at:] = rng.choice(recorded)[0][at:]
        else: data[at:at + 5] = b"\xce" + struct.pack(">I", rng.choice((0, 1, 0xffff, 0x10000, 0x7fffffff, 0xffffffff, rng.randrange(1 << 32))))
    return bytes(data if rng.random() < 0.99 else data * 20)


def a_few(known):
    """Descriptors for one message: those that belong to it, others, too few, too many. The fresh ones are to be closed."""
    if rng.random() < 0.6:
        return known, []
    count = rng.choice((0, 1, 1, 2, 3, 4, 60, 61, 64, MOST - 1, MOST) if rng.random() < 0.3 else (0, 1, 1, 2, 3))
    fresh = [strange() for _ in range(min(count, 4))]
    pool = fresh + known + stable
    return (fresh + [rng.choice(pool) for _ in range(count)])[:count], fresh


def session(counts, crowded=False):
    sock = call()
    try:
        hello = rng.random() < 0.8
        for step in range(rng.choice((1, 2, 5, 30, 200))):
            data, known = rng.choice(hellos) if hello and step == 0 else rng.choice(recorded)
            if not (hello and step == 0) and rng.random() < 0.7:
                data = damage(data)
            descriptors, fresh = ([stable[0]] * MOST, []) if crowded else (known, []) if hello and step == 0 else a_few(known)
            try:
                send(sock, data, descriptors)
                counts["messages"] += 1
                counts["descriptors"] += len(descriptors)
                counts["of 253"] += len(descriptors) == MOST
                if rng.random() < 0.5:
                    # Statuses that nobody reads, and rings that are kept behind their connections.
                    hoard.extend(receive(sock)[1])
                    while len(hoard) > MOST_KEPT:
                        os.close(hoard.pop(rng.randrange(len(hoard))))
            except BlockingIOError:
                pass
            except OSError as error:
                # Turned away, or too many descriptors of this user's are under way (ETOOMANYREFS).
                if error.errno in (109, 11):
                    time.sleep(0.01)
                    continue
                counts["closed by the router"] += 1
                break
            finally:
                for fd in fresh:
                    close(fd)
            if rng.random() < 0.02:
                # A packet of no bytes, and its descriptor stays in the queue if the router has done with this session.
                fresh = strange()
                try:
                    send(sock, b"", [fresh])
                except OSError:
                    pass
                finally:
                    close(fresh)
            if rng.random() < 0.1:
                # The router maps what it was shown, and so can its owner write there.
                os.pwrite(rng.choice(tables), rng.randbytes(rng.randrange(1, 64)), rng.randrange(70000))
    finally:
        sock.close()
        for server in kept:
            server.close()
        kept.clear()


def pack(kind, *words):
    """A message as the contract has it: an array of numbers, and of bytes."""
    data = bytes([0x91 + len(words), kind])
    for word in words:
        data += b"\xcf" + struct.pack(">Q", word & (1 << 64) - 1) if isinstance(word, int) else (b"\xd9" if isinstance(word, str) else b"\xc4") + bytes([len(word)]) + (word.encode() if isinstance(word, str) else word)
    return data


def number():
    return rng.choice((0, 1, 2, 4095, 4096, 0xffffff, 0xffffffff, 1 << 63, rng.randrange(1 << rng.randrange(1, 65))))


def verbs_session(counts):
    """Queue pairs, regions and edges, with its own and others' numbers; what it is given, memory and doorbells, is filled with anything."""
    sock = call()
    queue_pairs, given = [1, 2], []
    own = 0xffff7f000001
    region = kinds.memory(3, 4096, 6)
    try:
        send(sock, pack(10, 3, os.getpid(), "verbs", ""), [])
        for _ in range(rng.choice((5, 30, 200))):
            kind = rng.choice((12, 13, 13, 14, 16, 17, 18, 20, 22))
            one, other, key = rng.choice(queue_pairs), rng.choice(queue_pairs), rng.randrange(3)
            words = {
                12: (1, 1, rng.choice((2, 2, 3, 4))), 13: (1, one, 14, 0, own, 0, own, other), 14: (1, one, rng.randrange(2)), 16: (1, 1, key, 14, 0, rng.choice((100, number())), 0, rng.choice((0, number())), 0), 17: (1, key),
                18: (1, one, key), 20: (1, one, key, rng.randrange(4), rng.choice((0, number())), 8, number(), number(), rng.randbytes(8)), 22: (1, one),
            }[kind]
            data = pack(kind, *words)
            if rng.random() < 0.2:
                data = damage(data)
            elif rng.random() < 0.2:
                data = pack(kind, *[number() if isinstance(word, int) and rng.random() < 0.3 else word for word in words])
            proof = [bound.fileno()] if kind == 13 else [region] if kind == 16 else []
            descriptors, fresh = (proof, []) if rng.random() < 0.8 else a_few(proof)
            try:
                send(sock, data, descriptors)
                counts["messages"] += 1
                counts["descriptors"] += len(descriptors)
                select.select([sock], [], [], 0.02)
                answer, heard = receive(sock)
                if kind == 12 and len(answer) > 4:
                    queue_pairs.append(int.from_bytes(answer[-4:].split(b"\xce")[-1], "big"))
                given += heard
            except BlockingIOError:
                pass
            finally:
                for fd in fresh:
                    close(fd)
            for fd in given[-4:]:
                try:
                    if rng.random() < 0.5:
                        os.pwrite(fd, rng.randbytes(8), rng.choice((0, 4, 64, 72, 88, 96, 104, 112, 256, 320, 384, rng.randrange(400))))
                except OSError:
                    pass  # a doorbell
    except OSError:
        counts["closed by the router"] += 1
    finally:
        os.close(region)
        for fd in given:
            os.close(fd)
        sock.close()


def held_session(counts):
    """Shows both ends of a connection while a transfer of its own has one of them locked, as a connection and as the proof of an address."""
    reap()
    if len(held) >= MOST_HELD:
        return
    client, accepted = pair()
    transfer = threading.Thread(target=hold, args=(client,), daemon=True)
    transfer.start()
    time.sleep(0.01)
    hello, sock = rng.choice(hellos), call()
    try:
        if rng.random() < 0.5:
            send(sock, *hello)
            send(sock, offer, [client.fileno()])
        else:
            send(sock, pack(10, 3, os.getpid(), "verbs", ""), [])
            send(sock, pack(12, 1, 1, 2), [])
            send(sock, pack(13, 1, 1, 14, 0, 0xffff7f000001, 0, 0xffff7f000001, 2), [client.fileno()])
        counts["messages"] += 3
        counts["held"] += 1
    except OSError:
        counts["closed by the router"] += 1
    finally:
        held.append((sock, transfer, client, accepted))


def reap():
    for entry in [entry for entry in held if not entry[1].is_alive()]:
        held.remove(entry)
        for end in (entry[0], entry[2], entry[3]):
            end.close()


def hold(client):
    try:
        client.send(server.undelivered())
    except OSError:
        pass


os.umask(0o022)
recorded = []
# On a busy machine a program may have ended before it has said all it has to say.
for _ in range(20):
    recorded += record()
    if {data[1] for data, _ in recorded} >= {1, 3} and len(recorded) >= 5:
        break
hellos = [(data, descriptors) for data, descriptors in recorded if len(data) > 1 and descriptors and os.readlink(f"/proc/self/fd/{descriptors[0]}").startswith("/memfd:")]
tables, hoard, kept, slow, server = [descriptors[0] for _, descriptors in hellos], [], [], set(), None
stable = [end.detach() for end in pair()] + tables
# Kinds that these programs have no need of: Withdraw, which says what Offer says, StatusRequest, with its own version, and RefillRequest.
offer = next(data for data, _ in recorded if data[1] == 3)
recorded += [(b"\x93\x06" + offer[2:-1], []), (b"\x92\x07\x07", stable[:1]), (b"\x91\x1e", [stable[0], tables[0]])]
assert (os.getuid() != 0 or os.readlink("/proc/self/ns/user") != os.environ.get("FREEFLOW_HOST_USERS")) and len(hellos) >= 2 and len(recorded) >= 4, (os.getuid(), recorded)
counts = {"messages": 0, "descriptors": 0, "of 253": 0, "closed by the router": 0, "held": 0}
usable, shown, held = kinds.usable(), set(), []
bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bound.bind(("127.0.0.1", 0))
try:
    server = fuse.Server(lambda: rng.choice((0.01, 0.1, 1, 3)))
except OSError:
    server = None
end = time.monotonic() + seconds
# On a busy machine there are few sessions: the first is sure to send as many descriptors as there can be.
while time.monotonic() < end or counts["of 253"] == 0:
    session(counts, crowded=counts["of 253"] == 0)
    if rng.random() < 0.3:
        verbs_session(counts)
    if server and rng.random() < 0.2:
        held_session(counts)
assert counts["messages"] > 10 and counts["of 253"] > 0, counts
print(f"{counts['messages']} messages, {counts['of 253']} of them with 253 descriptors, {len(shown)} kinds of descriptors, {counts['held']} held sockets, {counts['closed by the router']} sessions closed by the router", flush=True)
if server:
    server.end()
# Threads may be in the midst of what nobody ends.
os._exit(0)
