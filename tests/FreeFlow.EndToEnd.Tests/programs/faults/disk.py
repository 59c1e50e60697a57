"""A full disk, for faults.py: everything that router and programs could write to is a file system without a free block, and then without a free inode."""
import os, signal, subprocess, tempfile
from rig import AT_ONCE, BIN, PATIENCE, Failure, Rig

PLACES = ("/tmp", "/var/tmp", "/dev/shm")
PROJECT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../.."))


def disk(count, seed):
    if not os.environ.get("FREEFLOW_FAULTS_MOUNTS"):
        # Mounts of its own, which end with it.
        os.environ["FREEFLOW_FAULTS_MOUNTS"] = "own"
        script = os.path.join(os.path.dirname(__file__), "faults.py")
        run = subprocess.run(["unshare", "--mount", "--propagation", "private", "python3", script, "disk", str(count), str(seed)], capture_output=True, text=True)
        said = run.stdout.strip().removeprefix("disk: ")
        if run.returncode != 0:
            raise Failure(said + run.stderr)
        return said.rpartition("; seed")[0]
    base = tempfile.mkdtemp(prefix="freeflow-disk-", dir="/run")
    try:
        return full(base, count, seed)
    finally:
        for name in ("work", "full", "project"):
            subprocess.run(["umount", "-l", os.path.join(base, name)], stderr=subprocess.DEVNULL)
        for name in ("work", "full", "project", ""):
            os.rmdir(os.path.join(base, name))


def cover(kept):
    """Small file systems in the places; the project stays where it is, even if that is inside one of them."""
    os.mkdir(kept)
    hidden = any(PROJECT.startswith(place + "/") for place in PLACES)
    if hidden:
        subprocess.run(["mount", "--bind", PROJECT, kept], check=True)
    for place in PLACES:
        mount(place, "size=64k")
    if hidden:
        os.makedirs(PROJECT)
        subprocess.run(["mount", "--bind", kept, PROJECT], check=True)


def full(base, count, seed):
    room, small = os.path.join(base, "work"), os.path.join(base, "full")
    for place, options in ((room, "size=16m"), (small, "size=64k,nr_inodes=10")):
        os.mkdir(place)
        mount(place, options)
    cover(os.path.join(base, "project"))
    fill(small)
    log = open(os.path.join(small, "log"), "ab", buffering=0)
    # The programs' own folder is what the test needs, the socket's is full; with room for a socket, which needs an inode only.
    with Rig("--verbose", base=room, socket=os.path.join(small, "router.sock"), log=log, variables={**AT_ONCE, "FREEFLOW_DEBUG": "1", "TMPDIR": small, "HOME": small}) as rig:
        for place in PLACES:
            fill(place)
        os.chdir(small)
        for number in range(count):
            stream(rig, seed + number)
        if rig.joined_total() * 2 < count:
            raise Failure(f"only {rig.joined_total()} of {count} connections had a ring")
        anchor = rig.pair(seed, styles=("poll", "threads"))
        for side in (0, 1):
            anchor.wait_for(side, "moving")
        rig.stop_router(signal.SIGKILL)
        rig.start_router()
        stream(rig, seed + count)
        # Without an inode the successor cannot listen: it says so and ends, and everybody else goes on.
        rig.stop_router(signal.SIGKILL)
        os.unlink(rig.socket)
        last = hold_inodes(small)
        run = subprocess.run([os.path.join(BIN, "freeflow-router"), "--socket", rig.socket], capture_output=True, text=True, timeout=PATIENCE)
        if run.returncode != 1 or "No space left" not in run.stderr:
            raise Failure(f"a router without an inode: {run.returncode}, {run.stderr}")
        stream(rig, seed + count + 1)
        os.unlink(last)
        rig.start_router()
        stream(rig, seed + count + 2)
        anchor.kill(0)
        anchor.check_survivor(1)
        anchor.close()
        os.chdir("/")
        written = os.path.getsize(os.path.join(small, "log"))
    log.close()
    return f"{count} streams with every disk full (the log took {written} bytes), a router killed and restarted there, one that found no inode"


def stream(rig, seed):
    pair = rig.pair(seed, 1_000_000)
    for side in (0, 1):
        pair.check_survivor(side, {0})
    pair.close()


def mount(place, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], check=True)


def fill(place):
    """To the last byte."""
    with open(os.path.join(place, "filling"), "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def hold_inodes(place):
    """Takes all there are; returns the last."""
    number, last = 0, None
    while True:
        name = os.path.join(place, f"inode{number}")
        try:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        except OSError:
            return last
        number, last = number + 1, name
