"""What an honest client hears, by half seconds, and in which phase each of them lay; for faults.py."""
import statistics, subprocess, threading
from rig import PATIENCE, Failure

QUIET, STORM = "quiet", "storm"
# From so many windows of each kind on a ratio says something on a busy machine.
ENOUGH = 20
MOST_RATIO = 2


class Windows:
    """A neighbour that asks (neighbour.c), and the p99 of each of its windows, in microseconds. The window in which a phase began is of neither."""

    def __init__(self, client):
        self.client, self.phase, self.is_first = client, QUIET, True
        self.p99 = {QUIET: [], STORM: []}
        self.last = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def begin(self, phase):
        self.phase, self.is_first = phase, True

    def read(self):
        for line in self.client.stdout:
            words = line.split()
            if words[0] != "window":
                self.last = line.strip()
                continue
            if not self.is_first:
                self.p99[self.phase].append(int(words[2]))
            self.is_first = False

    def end(self):
        """What the client says at its end, with the ratio of the two phases' medians, which is held against two if there are windows enough."""
        self.client.stdin.close()
        try:
            code = self.client.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the honest client does not come to its end") from None
        self.reader.join(PATIENCE)
        if code != 0:
            raise Failure(f"the honest client: {self.last}")
        quiet, storm = (statistics.median(self.p99[phase] or [0]) for phase in (QUIET, STORM))
        count = min(len(self.p99[QUIET]), len(self.p99[STORM]))
        said = f"{self.last}; median p99 of half seconds: {quiet:.0f} us with as much work of others that is honest ({len(self.p99[QUIET])} windows), {storm:.0f} us with theirs ({len(self.p99[STORM])})"
        if count < ENOUGH:
            return said
        if storm > MOST_RATIO * quiet:
            raise Failure(f"an honest client waits more than {MOST_RATIO} times as long: {said}")
        return f"{said}, a ratio of {storm / max(quiet, 1):.2f}"
