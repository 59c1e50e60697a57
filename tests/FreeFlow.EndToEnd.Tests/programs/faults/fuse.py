"""A file server of a hostile user's own (FUSE), for fuzz.py: it answers when it likes. Whoever reads its pages, or closes its files, waits that long, with every lock that he has."""
import ctypes, mmap, os, signal, struct, tempfile, threading, time

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, OPENDIR, GETLK, SETLK, SETLKW, BATCH_FORGET = 1, 2, 3, 14, 15, 18, 25, 26, 27, 31, 32, 33, 42
FILE_BYTES, PAGE = 1 << 30, 4096
libc = ctypes.CDLL(None, use_errno=True)


class Server:
    """Mounts itself; needs a mount namespace in which this process is root. Raises OSError where that cannot be had."""

    def __init__(self, delay):
        self.delay, self.folder, self.page = delay, tempfile.mkdtemp(prefix="freeflow-fuse-"), 0
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other".encode()
        if libc.mount(b"hostile", self.folder.encode(), b"fuse", 0, options) != 0:
            os.close(self.device)
            os.rmdir(self.folder)
            raise OSError(ctypes.get_errno(), "mount")
        # A process of its own, which lives until its parent has ended: that closes files of it at its end, and waits for the answers.
        if os.fork() == 0:
            libc.prctl(1, signal.SIGKILL)
            self.serve()
            os._exit(0)
        os.close(self.device)
        self.path = os.path.join(self.folder, "file")
        self.memory = mmap.mmap(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC), FILE_BYTES, mmap.MAP_SHARED, mmap.PROT_READ)

    def end(self):
        """Whoever waits for it is answered with an error."""
        libc.umount2(self.folder.encode(), 3)
        os.rmdir(self.folder)

    def open(self):
        """A file whose close waits."""
        return os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    def undelivered(self):
        """Bytes of a page that nobody has read yet: a call that reads them waits, in the midst of what it does."""
        self.page = (self.page + 1) % (FILE_BYTES // PAGE)
        return memoryview(self.memory)[self.page * PAGE:self.page * PAGE + 100]

    def serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 17)
            except OSError:
                return  # unmounted
            _, opcode, unique, _ = struct.unpack_from("IIQQ", request)
            if opcode in (FORGET, BATCH_FORGET):
                continue
            answer = self.answer(opcode, request)
            late = self.delay() if opcode in (READ, FLUSH, GETLK, SETLK, SETLKW) else 0
            if late:
                threading.Thread(target=self.send, args=(unique, answer, late), daemon=True).start()
            else:
                self.send(unique, answer, 0)

    def send(self, unique, answer, late):
        time.sleep(late)
        error, data = (-38, b"") if answer is None else (0, answer)
        try:
            os.write(self.device, struct.pack("IiQ", 16 + len(data), error, unique) + data)
        except OSError:
            pass  # who asked was killed

    def answer(self, opcode, request):
        if opcode == INIT:
            return struct.pack("IIIIHHIIHH8I", 7, 31, 0, 0, 64, 48, 1 << 16, 1, 1, 0, *[0] * 8)
        if opcode == LOOKUP:
            return struct.pack("QQQQII", 2, 0, 1, 1, 0, 0) + self.attributes(2)
        if opcode == GETATTR:
            return struct.pack("QII", 1, 0, 0) + self.attributes(struct.unpack_from("Q", request, 16)[0])
        if opcode in (OPEN, OPENDIR):
            return struct.pack("QII", 1, 0, 0)
        if opcode == READ:
            return bytes(struct.unpack_from("I", request, 56)[0])
        return b"" if opcode in (RELEASE, FLUSH) else None

    @staticmethod
    def attributes(node):
        mode, size = (0o40755, 0) if node == 1 else (0o100666, FILE_BYTES)
        return struct.pack("QQQQQQIIIIIIIIII", node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, os.getuid(), os.getgid(), 0, PAGE, 0)
