"""A router, pairs of programs under FreeFlow, and what must be true of them, for faults.py."""
import json, os, random, select, signal, subprocess, tempfile, threading, time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4))
BIN = os.environ.get("FREEFLOW_BIN") or os.path.join(ROOT, "artifacts", "bin")
PATIENCE = 30
# A ring from the first byte on, for streams that are short.
AT_ONCE = {"FREEFLOW_OFFER_AFTER": "0", "FREEFLOW_JOIN": "wait"}
STYLES = ("threads", "poll", "level", "edge", "ask")
# What recv(2) and send(2) say of a peer that has died: end of stream or reset; broken pipe or reset.
RECEIVE_ENDS, SEND_ENDS = {0, 104}, {0, 32, 104}


class Failure(Exception):
    pass


class Rig:
    """A folder with the built program and a router's socket; leaves nothing."""

    def __init__(self, *options, base=None, socket=None, log=subprocess.DEVNULL, variables=None):
        self.folder = tempfile.TemporaryDirectory(prefix="freeflow-faults-", dir=base)
        self.program, self.others, self.at_end = self.build("end"), [], []
        self.socket = socket or os.path.join(self.folder.name, "router.sock")
        self.options, self.router, self.joined, self.pairs = options, None, 0, []
        # Where router and ends write their lines, what stands before an end's command by side, and what all find in their environment.
        self.log, self.before, self.variables = log, ([], []), variables or {}
        self.start_router()

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        for step in self.at_end:
            step()
        for pair in list(self.pairs):
            pair.close()
        for process in self.others:
            process.kill()
            process.communicate()
        held = []
        if self.router:
            self.router.send_signal(signal.SIGCONT)
            # The ends are gone, and a ring lives as long as somebody has it open.
            held = [name for name in self.router_files() if "freeflow-ring" in name or "TCP" in name]
            self.stop_router(signal.SIGTERM)
        self.folder.cleanup()
        if held and error is None:
            raise Failure(f"the router still holds {held}")

    def build(self, name, *options):
        program = os.path.join(self.folder.name, name)
        subprocess.run(["gcc", "-O2", "-Wall", *options, "-o", program, os.path.join(os.path.dirname(__file__), f"{name.removesuffix('.so')}.c"), "-lpthread"], check=True)
        return program

    def build_library(self, name):
        return self.build(f"{name}.so", "-shared", "-fPIC")

    def router_files(self):
        folder = f"/proc/{self.router.pid}/fd"
        return [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder) if os.path.lexists(os.path.join(folder, name))]

    def start_router(self):
        self.router = subprocess.Popen([os.path.join(BIN, "freeflow-router"), "--socket", self.socket, *self.options], stderr=self.log, env={**os.environ, **self.variables})
        deadline = time.monotonic() + PATIENCE
        while self.status() is None:
            if time.monotonic() > deadline or self.router.poll() is not None:
                raise Failure("the router does not come up")
            time.sleep(0.01)

    def stop_router(self, how):
        if self.router is None:
            return
        status = self.status() if how == signal.SIGKILL else None
        self.joined += status["router"]["joined_total"] if status else 0
        self.router.send_signal(how)
        self.router.wait(PATIENCE)
        self.router = None

    def status(self):
        run = subprocess.run([os.path.join(BIN, "freeflow"), "status", "--router", self.socket, "--json"], capture_output=True, timeout=PATIENCE)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def joined_total(self):
        return self.status()["router"]["joined_total"]

    def rings(self, port):
        """The ends of the connection to this port that run through a ring, as the router sees them."""
        status = self.status() or {"processes": []}
        ends = [c for p in status["processes"] for c in p["connections"] if any(c[side].endswith(f":{port}") for side in ("local", "remote"))]
        return [end for end in ends if end["state"] == "ring (shm)"]

    def environment(self, rng):
        chosen = {"LD_PRELOAD": os.path.join(BIN, "libfreeflow.so"), "FREEFLOW_SOCKET": self.socket}
        chosen["FREEFLOW_OFFER_AFTER"] = rng.choice(("0", "0", "1", "3"))
        if rng.random() < 0.5:
            chosen["FREEFLOW_JOIN"] = "wait"
        if rng.random() < 0.3:
            chosen["FREEFLOW_SPIN_US"] = rng.choice(("0", "20"))
        library = self.variables.get("LD_PRELOAD")
        # Behind FreeFlow's own, so that what it asks libc goes by that library too.
        if library:
            library = f"{chosen['LD_PRELOAD']}:{library}"
        return {**os.environ, **chosen, **self.variables, "LD_PRELOAD": library or chosen["LD_PRELOAD"]}

    def pair(self, seed, count=0, styles=None):
        pair = Pair(self, seed, count, styles)
        self.pairs.append(pair)
        return pair


class Pair:
    """Two running ends of one connection."""

    def __init__(self, rig, seed, count, styles):
        rng = random.Random(seed)
        styles = styles or (rng.choice(STYLES), rng.choice(STYLES))
        self.name = f"seed {seed}, {styles[0]} and {styles[1]}"
        self.ends, self.lines, self.rig = [], [[], []], rig
        for side in (0, 1):
            port = "0" if side == 0 else self.wait_for(0, "port ").split()[1]
            command = [rig.program, ("listen", "connect")[side], port, str(seed % 1_000_000), styles[side], str(count)]
            end = subprocess.Popen(rig.before[side] + command, env=rig.environment(rng), stdout=subprocess.PIPE, stderr=None if rig.log == subprocess.DEVNULL else rig.log, text=True)
            self.ends.append(end)
            threading.Thread(target=self.read, args=(end, self.lines[side]), daemon=True).start()
        self.port = int(port)

    @staticmethod
    def read(end, lines):
        for line in end.stdout:
            lines.append(line.strip())

    def wait_for(self, side, text, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while True:
            found = [line for line in self.lines[side] if line.startswith(text)]
            if found:
                return found[0]
            if time.monotonic() > deadline:
                raise Failure(f"{self.name}: end {side} never said '{text}', only {self.lines[side]}")
            time.sleep(0.001)

    def has_met(self, side):
        """True if the end has its connection, or is about to say so: it dies of a refusal, and a listener stays."""
        for _ in range(100):
            if any(line.startswith("met") for line in self.lines[side]):
                return True
            if self.ends[side].poll() is not None:
                return False
            time.sleep(0.002)
        return False

    def kill(self, side):
        self.ends[side].kill()
        self.ends[side].wait()

    def check_survivor(self, side, receive_ends=RECEIVE_ENDS):
        """It must end by itself, soon, with an error that the kernel gives, and without a wrong byte. Returns what recv(2) said."""
        try:
            code = self.ends[side].wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: end {side} hangs after its peer's death; {self.lines[side]}") from None
        line = self.wait_for(side, "end: ", 5) if code == 0 else str(self.lines[side])
        words = dict(word.split("=") for word in line.split() if "=" in word)
        if code != 0 or int(words["recv"]) not in receive_ends or int(words["send"]) not in SEND_ENDS:
            raise Failure(f"{self.name}: end {side} returned {code}: {line}")
        return int(words["recv"])

    def close(self):
        for end in self.ends:
            if end.poll() is None:
                end.send_signal(signal.SIGCONT)
                end.kill()
            end.wait()
        if self in self.rig.pairs:
            self.rig.pairs.remove(self)
