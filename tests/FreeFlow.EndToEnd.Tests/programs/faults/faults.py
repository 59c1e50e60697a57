"""Faults under load: every stream stays byte-exact, or ends with the error that the kernel gives. Nobody hangs, nothing is left.

usage: faults.py WHAT [COUNT] [SEED]
kill      COUNT times (default 80) one of two streaming programs gets SIGKILL at a random moment; now and then the router does
router    the router is killed and restarted COUNT times (default 5) under a running ring, which the new one must show; new connections use the kernel
          meanwhile and rings afterwards
stop      COUNT times (default 20) SIGSTOP for a moment, of either end or the router; FREEFLOW_STOP_SECONDS=n stops each of the three once for n seconds
hostile   for COUNT seconds (default 10) neighbours write what they like into every word of the rings they share with a server, and misuse its
          doorbell: the server lives, and answers another client; guard pages around the server's rings end it if it strays out of one
control   for COUNT seconds (default 5) unprivileged users, in namespaces of their own or not, send the router real messages that they have changed, verbs,
          sockets whose locks they hold, and up to 253 descriptors of every kind: nobody else is disturbed, and no descriptor stays
          In both an honest client asks and is answered all the while; from a minute on its p99 (the median of those of half seconds) must not be more than
          twice what it is in pauses, in which as much honest work is done
disk      COUNT (default 4) streams, and routers started, where every disk is full
clock     COUNT (default 4) streams of each kind while clocks jump
all       everything

Prints one line per part, with its seed, and returns 0; or what went wrong and 1.
"""
import os, random, signal, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from clocks import clock
from control import control
from disk import disk
from rig import BIN, PATIENCE, Failure, Rig
from windows import QUIET, STORM, Windows

AT_A_TIME = 4
# Rounds of attackers, or of visitors, before it is the others' turn.
SAME = 8


def kill(rig, count, seed):
    def trial(number):
        rng = random.Random(seed * 1_000_003 + number)
        pair = rig.pair(seed * 1_000_003 + number)
        victim = rng.randrange(2)
        try:
            # Anywhere from the first steps of the join to a ring that has gone round many times.
            if rng.random() < 0.8:
                pair.wait_for(0, "met")
                pair.wait_for(1, "met")
            if rng.random() < 0.5:
                pair.wait_for(rng.randrange(2), "moving")
            time.sleep(rng.random() ** 2 * 0.05)
            pair.kill(victim)
            if not pair.has_met(1 - victim):
                return None  # no connection yet: the one is refused, the other waits for somebody else
            return pair.check_survivor(1 - victim)
        finally:
            pair.close()

    def pester_router():
        rng = random.Random(seed)
        while not done:
            time.sleep(1 + rng.random() * 3)
            if done:
                break
            rig.stop_router(signal.SIGKILL)
            time.sleep(rng.random() * 0.3)
            rig.start_router()

    done = []
    with ThreadPoolExecutor(AT_A_TIME + 1) as pool:
        pest = pool.submit(pester_router)
        try:
            ends = list(pool.map(trial, range(count)))
        finally:
            done.append(True)
        pest.result()
    rig.joined += rig.status()["router"]["joined_total"]
    if rig.joined * 4 < count:
        raise Failure(f"only {rig.joined} of {count} connections ever had a ring")
    return f"{count} kills, {rig.joined} rings; {ends.count(0)} survivors saw the end of the stream, {ends.count(104)} a reset, {ends.count(None)} nobody"


def router(rig, count, seed):
    anchor = rig.pair(seed)
    for side in (0, 1):
        anchor.wait_for(side, "moving")
    wait_until(lambda: len(rig.rings(anchor.port)) == 2, "the first connection never came to run through a ring")
    for number in range(count):
        rig.stop_router(signal.SIGKILL)
        before = rig.pair(seed + 1 + number, 2_000_000)
        for side in (0, 1):
            before.check_survivor(side, {0})
        before.close()
        rig.start_router()
        wait_until(lambda: len(rig.rings(anchor.port)) == 2, f"restart {number}: the running ring is not shown by the new router")
        first = rig.rings(anchor.port)[0]["ring_sent"]
        wait_until(lambda: rig.rings(anchor.port)[0]["ring_sent"] > first, f"restart {number}: the running ring stands still")
        after = rig.pair(seed + 1001 + number)
        wait_until(lambda: len(rig.rings(after.port)) == 2, f"restart {number}: a new connection gets no ring")
        after.close()
    anchor.close()
    return f"{count} restarts; the running ring was shown again each time, connections in between used the kernel, later ones rings"


def stop(rig, count, seed):
    rng = random.Random(seed)
    pair = rig.pair(seed)
    for side in (0, 1):
        pair.wait_for(side, "moving")
    # Who is told to wait for the join would wait for a router that stands still at each transfer.
    rig.variables = {"FREEFLOW_JOIN": ""}
    long = float(os.environ.get("FREEFLOW_STOP_SECONDS", "0"))
    for number in range(count + (3 if long else 0)):
        who = [pair.ends[0], pair.ends[1], rig.router][number % 3]
        who.send_signal(signal.SIGSTOP)
        newcomer = rig.pair(seed + 1 + number, 500_000) if who is rig.router else None
        time.sleep(rng.random() * 0.3 if number < count else long)
        if newcomer:
            for side in (0, 1):
                newcomer.check_survivor(side, {0})
            newcomer.close()
        who.send_signal(signal.SIGCONT)
    victim = rng.randrange(2)
    pair.kill(victim)
    pair.check_survivor(1 - victim)
    pair.close()
    return f"{count} stops{f', three of {long:.0f} s' if long else ''}; connections made while the router stood still went their way in the kernel"


def hostile(rig, count, seed):
    """One process that serves everybody; attackers that spoil their rings, a few at a time; and a client that must get its answers meanwhile."""
    rng = random.Random(seed)
    program = rig.build("neighbour")
    walls = rig.build_library("guards")

    def start(*words, library=""):
        chosen = {"LD_PRELOAD": f"{BIN}/libfreeflow.so{library}", "FREEFLOW_SOCKET": rig.socket, "FREEFLOW_OFFER_AFTER": "0", "FREEFLOW_JOIN": "wait"}
        process = subprocess.Popen([program, *map(str, words)], env={**os.environ, **chosen}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        rig.others.append(process)
        return process

    # Reading or writing outside of a ring ends the server with exit code 99, and nothing else hides it.
    server = start("serve", 0, library=f":{walls}")
    port = int(server.stdout.readline().split()[1])
    stray = start("stray", port, library=f":{walls}")
    if stray.wait(PATIENCE) != 99:
        raise Failure(f"who strays out of a ring ends with {stray.returncode}: there is no wall")
    client = start("ask", port)
    windows = Windows(client)
    rings = died = guarded = number = 0
    end = time.monotonic() + count
    while time.monotonic() < end:
        # Visitors make the same calls, and spoil nothing.
        phase = (STORM, QUIET)[number // SAME % 2]
        if number % SAME == 0:
            windows.begin(phase)
        number += 1
        attackers = [start("attack" if phase == STORM else "visit", port, rng.randrange(1 << 40)) for _ in range(2)]
        for attacker in attackers:
            try:
                # What it does to its own library is its own affair.
                said = attacker.communicate(timeout=PATIENCE)[0]
                rings += said.count("rings 1") if phase == STORM else 0
                died += attacker.returncode < 0
            except subprocess.TimeoutExpired:
                attacker.kill()
                attacker.communicate()
            rig.others.remove(attacker)
        if server.poll() is not None:
            raise Failure(f"the server has ended with {server.returncode}: {server.stdout.read()}")
        guarded = max(guarded, walled(server.pid))
        if client.poll() is not None:
            raise Failure(f"the other client: {windows.last}")
    said = windows.end()
    rig.others.remove(client)
    if rings + died == 0:
        raise Failure(f"the other client: {said}; {rings} rings were spoilt")
    if guarded == 0:
        raise Failure("the server's rings have no guard pages")
    return f"{count} s, {rings} rings spoilt, the server's behind guard pages ({died} attackers fell over what they had done), the other client: {said}"


def walled(pid):
    """How many rings of a process have a page without access right before and behind them."""
    with open(f"/proc/{pid}/maps") as file:
        lines = [line.split() for line in file]
    inside = [number for number in range(1, len(lines) - 1) if len(lines[number]) > 5 and "freeflow-ring" in lines[number][5]]
    return sum(lines[number - 1][1] == "---p" and lines[number + 1][1] == "---p" for number in inside)


def wait_until(true, otherwise, patience=30):
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            raise Failure(otherwise)
        time.sleep(0.05)


def with_rig(part):
    def run(count, seed):
        with Rig() as rig:
            return part(rig, count, seed)
    return run


PARTS = {
    "kill": (with_rig(kill), 80), "router": (with_rig(router), 5), "stop": (with_rig(stop), 20), "hostile": (with_rig(hostile), 10),
    "control": (control, 5), "disk": (disk, 4), "clock": (clock, 4),
}


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    count = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None
    seed = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else random.randrange(1_000_000)
    for name, (part, usual) in PARTS.items():
        if what not in (name, "all"):
            continue
        try:
            print(f"{name}: {part(count if count and name in (what, 'kill') else usual, seed)}; seed {seed}", flush=True)
        except Failure as failure:
            print(f"{name}, seed {seed}: {failure}", flush=True)
            return 1
    return 0


sys.exit(main())
