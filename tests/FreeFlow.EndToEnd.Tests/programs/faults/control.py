"""The router's control socket in the hands of an unprivileged user, for faults.py; fuzz.py is that user."""
import os, shutil, signal, statistics, subprocess, sys, time
from rig import BIN, PATIENCE, Failure, Rig
from windows import QUIET, STORM, Windows

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
# The same, as the root of namespaces of its own: users, network, mounts, processes. There it may mount a file system.
INSIDE = [*NOBODY[:-1], "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", 'ip link set lo up; exec "$@"', "inside"]
OTHER = ["setpriv", "--reuid=65533", "--regid=65533", *NOBODY[3:]]
# One in namespaces that are the host's root's, as a container without a user namespace. (Root's limits are one, wherever its processes are: docs/security.md.)
CONTAINER = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c", 'ip link set lo up; exec setpriv --reuid=65531 --regid=65531 "$@"', "container", *NOBODY[3:]]
PLACES = (NOBODY, INSIDE, OTHER, CONTAINER)
NAMES = "uids 65534, 65534 in namespaces of its own, 65533, 65531 in a container's"
FUZZERS = len(PLACES)
# Storms of so many seconds at most, and between them a quarter as long as many processes that only use the processor: the ratio is that of what hostility adds.
STORM_SECONDS = 8
BURN = [sys.executable, "-c", "while True: pass"]
# What the runtime may start for itself meanwhile, and keep of memory that it has had once.
OWN_THREADS = 3
OWN_KIB = 48 << 10


def control(count, seed):
    with Rig() as rig:
        os.chmod(rig.folder.name, 0o755)
        for library in ("libfreeflow.so", "libfreeflow-core.so"):
            shutil.copy(os.path.join(BIN, library), rig.folder.name)
        # Who is not to be disturbed: a ring that runs all the while, and connections that come and go.
        bystander = rig.pair(seed, styles=("poll", "threads"))
        for side in (0, 1):
            bystander.wait_for(side, "moving")
        if len(rig.rings(bystander.port)) != 2:
            raise Failure("the bystander has no ring")
        server, client = neighbours(rig)
        descriptors, threads = settled(rig)
        memory = own_kib(rig)
        for name in ("fuzz.py", "kinds.py", "fuse.py"):
            script = shutil.copy(os.path.join(os.path.dirname(__file__), name), rig.folder.name)
        script = os.path.join(rig.folder.name, "fuzz.py")
        fuzzers = []
        environment = {**os.environ, "FREEFLOW_HOST_USERS": os.readlink("/proc/self/ns/user")}
        for number in range(FUZZERS):
            words = [*PLACES[number], sys.executable, "-B", script, rig.socket, rig.program, str(count * 5 / 4), str(seed * FUZZERS + number)]
            fuzzers.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", env=environment, start_new_session=True))
        burners = [subprocess.Popen(BURN, start_new_session=True) for _ in range(FUZZERS)]
        rig.others += fuzzers + burners
        before, others, took = rig.joined_total(), 0, {QUIET: [], STORM: []}
        windows, storm = Windows(client), min(STORM_SECONDS, count / 2)
        rig.at_end.append(lambda: tell(fuzzers + burners, signal.SIGKILL))
        phase, ends = QUIET, 0
        while any(fuzzer.poll() is None for fuzzer in fuzzers):
            if time.monotonic() > ends:
                phase = STORM if phase == QUIET else QUIET
                ends = time.monotonic() + (storm if phase == STORM else storm / 4)
                tell(fuzzers, signal.SIGCONT if phase == STORM else signal.SIGSTOP)
                tell(burners, signal.SIGSTOP if phase == STORM else signal.SIGCONT)
                windows.begin(phase)
            newcomer, begun = rig.pair(seed + 1 + others, 300_000), time.monotonic()
            for side in (0, 1):
                newcomer.check_survivor(side, {0})
            newcomer.close()
            took[phase].append(time.monotonic() - begun)
            others += 1
            if rig.router.poll() is not None:
                raise Failure(f"the router has ended with {rig.router.returncode}")
            time.sleep(0.1)
        tell(burners, signal.SIGKILL)
        honest = windows.end()
        rig.others.remove(client)
        server.kill()
        rig.others.remove(server)
        server.communicate()
        said = []
        for fuzzer in fuzzers:
            said.append(fuzzer.communicate()[0].strip())
            rig.others.remove(fuzzer)
            if fuzzer.returncode != 0:
                raise Failure(f"the unprivileged user: {said[-1]}")
        if len(rig.rings(bystander.port)) != 2:
            raise Failure("the bystander's connection is not in its ring any more")
        first = rig.rings(bystander.port)[0]["ring_sent"]
        after = rig.pair(seed, 3_000_000, styles=("poll", "poll"))
        for side in (0, 1):
            after.check_survivor(side, {0})
        after.close()
        if rig.rings(bystander.port)[0]["ring_sent"] <= first:
            raise Failure("the bystander's ring stands still")
        if rig.joined_total() == before:
            raise Failure("no connection that came meanwhile had a ring")
        deadline = time.monotonic() + PATIENCE
        while settled(rig)[0] > descriptors or settled(rig)[1] > threads + OWN_THREADS:
            if time.monotonic() > deadline:
                raise Failure(f"the router had {descriptors} descriptors and {threads} threads, and has {settled(rig)}: {rig.router_files()}")
            time.sleep(0.2)
        while own_kib(rig) > memory + OWN_KIB:
            if time.monotonic() > deadline:
                raise Failure(f"the router had {memory} KiB of its own, and has {own_kib(rig)}")
            time.sleep(0.2)
        told = rig.status()["router"]
        if told["faults"]:
            raise Failure(f"the router has counted {told['faults']} faults of its own")
        bystander.kill(0)
        bystander.check_survivor(1)
        bystander.close()
        held = f"the loop was held {told['loop']['holds']} times, for {told['loop']['longest_ms']} ms at most ({told['loop']['longest']})"
        newcomers = " and ".join(f"{statistics.median(took[kind] or [0]):.2f} s ({kind})" for kind in (QUIET, STORM))
        return f"{count} s, by {NAMES}: {'; '.join(said)}; {held}; {told['pauses']} pauses; {others} connections of others meanwhile, in {newcomers}; an honest client: {honest}; descriptors, threads and KiB of the router before {(descriptors, threads, memory)}, after {(*settled(rig), own_kib(rig))}"


def neighbour(rig, what, port):
    """A server that echoes, or a client that asks it, under FreeFlow (neighbour.c)."""
    chosen = {"LD_PRELOAD": f"{BIN}/libfreeflow.so", "FREEFLOW_SOCKET": rig.socket, "FREEFLOW_OFFER_AFTER": "0", "FREEFLOW_JOIN": "wait"}
    process = subprocess.Popen([rig.neighbour, what, str(port)], env={**os.environ, **chosen}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.port = port or int(process.stdout.readline().split()[1])
    rig.others.append(process)
    return process


def neighbours(rig):
    rig.neighbour = rig.build("neighbour")
    server = neighbour(rig, "serve", 0)
    return server, neighbour(rig, "ask", server.port)


def tell(processes, what):
    """All of each one's group."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, what)


def own_kib(rig):
    with open(f"/proc/{rig.router.pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss_Anon:"))


def settled(rig):
    """Descriptors and threads of the router. The command that asks for the status has a session itself, so it is not asked here."""
    return len(rig.router_files()), len(os.listdir(f"/proc/{rig.router.pid}/task"))
