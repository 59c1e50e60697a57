"""A descriptor of every kind that the kernel has and this user may have, for fuzz.py."""
import ctypes, os, select, socket, struct, tempfile

libc = ctypes.CDLL(None, use_errno=True)
SEALS = 15
F_ADD_SEALS = 1033


def call(number, *words):
    fd = libc.syscall(number, *words)
    if fd < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return fd


def memory(flags, bytes, seals=0):
    fd = libc.memfd_create(b"kind", flags)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "memfd_create")
    os.ftruncate(fd, bytes)
    if seals:
        libc.fcntl(fd, F_ADD_SEALS, seals)
    return fd


def in_a_cycle():
    """A Unix socket that lies in its own peer's queue, and the other way round: the kernel's garbage."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    socket.send_fds(one, [b"x"], [other.fileno()])
    socket.send_fds(other, [b"x"], [one.fileno()])
    other.close()
    return one.detach()


def sets_in_a_cycle():
    """An epoll set with a socket in whose queue that very set lies, and another set above it."""
    inner, outer = select.epoll(), select.epoll()
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    inner.register(other.fileno(), select.EPOLLIN)
    outer.register(inner.fileno(), select.EPOLLIN)
    socket.send_fds(one, [b"x"], [outer.fileno(), inner.fileno()])
    one.close()
    other.close()
    kept = os.dup(outer.fileno())
    inner.close()
    outer.close()
    return kept


def pipe():
    ours, theirs = os.pipe()
    os.close(theirs)
    return ours


def io_uring():
    parameters = ctypes.create_string_buffer(120)
    return call(425, 8, parameters)


def bpf_map():
    attributes = ctypes.create_string_buffer(struct.pack("IIIII", 2, 4, 8, 16, 0) + bytes(100))
    return call(321, 0, attributes, 120)


def perf_event():
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 0) + bytes(112))
    return call(298, attributes, 0, -1, -1, 0)


def signalfd():
    mask = ctypes.c_uint64(1 << 9)
    return call(289, -1, ctypes.byref(mask), 8, 0)


def landlock():
    rules = ctypes.c_uint64(1)
    return call(444, ctypes.byref(rules), 8, 0)


def locked_file():
    fd, path = tempfile.mkstemp()
    os.unlink(path)
    os.lockf(fd, os.F_LOCK, 1)
    return fd


def a_socket(family, kind):
    return lambda: socket.socket(family, kind, 0).detach()


MAKERS = {
    "null": lambda: os.open("/dev/null", os.O_RDWR), "file": lambda: os.open("/etc/passwd", os.O_RDONLY), "folder": lambda: os.open("/", os.O_RDONLY),
    "path": lambda: os.open("/", os.O_PATH), "locked file": locked_file, "terminal": lambda: os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY),
    "random": lambda: os.open("/dev/urandom", os.O_RDONLY), "proc": lambda: os.open("/proc/self/mem", os.O_RDWR), "namespace": lambda: os.open("/proc/self/ns/net", os.O_RDONLY),
    "user namespace": lambda: os.open("/proc/self/ns/user", os.O_RDONLY), "cgroup": lambda: os.open("/sys/fs/cgroup", os.O_RDONLY), "device of FUSE": lambda: os.open("/dev/fuse", os.O_RDWR),
    "pipe": pipe, "eventfd": lambda: os.eventfd(1), "timerfd": lambda: call(283, 1, 0), "signalfd": signalfd, "pidfd": lambda: os.pidfd_open(os.getpid()),
    "pidfd of its parent": lambda: os.pidfd_open(os.getppid() or 1), "inotify": lambda: call(294, 0), "fanotify": lambda: call(300, 0x200, 0), "userfaultfd": lambda: call(323, 1),
    "io_uring": io_uring, "bpf map": bpf_map, "perf event": perf_event, "landlock": landlock, "mount": lambda: call(430, b"tmpfs", 0), "tree": lambda: call(428, -100, b"/", 0),
    "secret memory": lambda: call(447, 0), "memory": lambda: memory(1, 4096), "memory that may be sealed": lambda: memory(3, 4096), "sealed memory": lambda: memory(3, 4096, SEALS),
    "memory without end": lambda: memory(3, (1 << 62) - 4096, 6), "memory of huge pages": lambda: memory(3 | 4, 2 << 20, 7), "memory that is no program": lambda: memory(3 | 8, 4096),
    "epoll": lambda: call(291, 0), "epoll sets in a cycle": sets_in_a_cycle, "sockets in a cycle": in_a_cycle,
}
MAKERS |= {f"socket {family}.{kind}": a_socket(family, kind) for family in range(1, 47) for kind in (1, 2, 3, 5)}


def usable():
    """Those that this user may have here."""
    found = {}
    for name, make in MAKERS.items():
        try:
            os.close(make())
            found[name] = make
        except (OSError, ValueError):
            pass
    return found
