"""Clocks that jump, for faults.py: ends that live in different time namespaces, a time of day that is set again and again, a monotonic clock that leaps."""
import os, subprocess, sys
from rig import AT_ONCE, BIN, PATIENCE, Failure, Rig

AHEAD = ["unshare", "--time", "--fork", "--kill-child", "--monotonic", "5000000", "--boottime", "5000000", "--"]


def clock(count, seed):
    said = []
    if not os.path.exists("/proc/self/ns/time"):
        said.append("no time namespaces in this kernel")
    else:
        namespaces(count, seed, said)
    for steps in ("real", "monotonic"):
        with Rig() as rig:
            rig.stop_router(15)
            rig.variables = {**AT_ONCE, "CLOCK_STEPS": steps, "LD_PRELOAD": rig.build_library("clock")}
            check(rig, steps)
            rig.start_router()
            streams(rig, count, seed, said, "while the time of day is set" if steps == "real" else "while the monotonic clock leaps")
            # Only that clock counts waits, and this program looks at it behind the library's back.
            if steps == "real":
                timeouts(rig)
    return "; ".join(said) + "; waits kept their time"


def namespaces(count, seed, said):
    with Rig(variables=AT_ONCE) as rig:
        rig.before = ([], AHEAD)
        streams(rig, count, seed, said, "between namespaces whose clocks are 58 days apart")
        # What status says of a connection's age is by the clock of its own process.
        pair = rig.pair(seed, styles=("poll", "poll"))
        for side in (0, 1):
            pair.wait_for(side, "moving")
        ages = [end["age_s"] for process in rig.status()["processes"] for end in process["connections"]]
        if not ages or min(ages) < 0:
            raise Failure(f"ages of connections: {ages}")
        pair.close()


def streams(rig, count, seed, said, how):
    for number in range(count):
        pair = rig.pair(seed + number, 1_000_000)
        for side in (0, 1):
            pair.check_survivor(side, {0})
        pair.close()
    if rig.joined_total() * 2 < count:
        raise Failure(f"only {rig.joined_total()} of {count} connections {how} had a ring")
    said.append(f"{count} streams {how}")


def check(rig, steps):
    """The library does step the clock, or all this would show nothing."""
    name = "time" if steps == "real" else "monotonic"
    # Not time.sleep, which sleeps until a moment of the clock that leaps.
    program = f"import select, time\nbefore = time.{name}(); select.select([], [], [], 1.2); print(abs(time.{name}() - before) > 60)"
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, **rig.variables}, capture_output=True, text=True, timeout=PATIENCE)
    if run.stdout.strip() != "True":
        raise Failure(f"the {steps} clock does not step: {run.stdout}{run.stderr}")


def timeouts(rig):
    variables = {**os.environ, **rig.variables, "FREEFLOW_SOCKET": rig.socket, "LD_PRELOAD": f"{BIN}/libfreeflow.so:{rig.variables['LD_PRELOAD']}"}
    before = rig.joined_total()
    run = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "timeouts.py")], env=variables, capture_output=True, text=True, timeout=PATIENCE)
    if run.returncode != 0 or "at last" not in run.stdout:
        raise Failure(f"waits: {run.stdout}{run.stderr}")
    if rig.joined_total() == before:
        raise Failure("the waits were on no ring")
