"""Streams over mirrored rings whose routers die at any moment (docs/fabric.md), on one machine: mirror.c is both routers, end.py each of the two programs.

usage: mirror.py [COUNT] [SEED] [LIFE]    COUNT connections (default 60); at most LIFE words are told between the routers before one of them dies (default 60)
LIBRARY and PROGRAM in the environment: libfreeflow.so and the compiled mirror. Prints its seed; the same seed draws the same connections again.
"""
import os, random, subprocess, sys, tempfile

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 60
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
LIFE = int(sys.argv[3]) if len(sys.argv) > 3 else 60
HERE = os.path.dirname(os.path.abspath(__file__))


def run(folder, seed, life, early, count, port):
    path = os.path.join(folder, f"router-{seed}")
    mirror = subprocess.Popen([os.environ["PROGRAM"], path, str(seed), str(life), str(early)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    mirror.stdout.readline()
    # Without a wait for the join a ring may come too late to be seen at all.
    waits = seed % 2
    environment = {**os.environ, "LD_PRELOAD": os.environ["LIBRARY"], "FREEFLOW_SOCKET": path, "FREEFLOW_OFFER_AFTER": str(seed % 3), "FREEFLOW_JOIN": "wait" if waits else ""}
    ends = []
    try:
        for role in ("server", "client"):
            end = subprocess.Popen([sys.executable, os.path.join(HERE, "end.py"), role, str(port), str(seed), str(count), str(int(early or not waits))],
                                   env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            ends.append(end)
            if role == "server":
                end.stdout.readline()
        said = [end.communicate(timeout=120) for end in ends]
        wrong = [f"{end.args[2]} ended with {end.returncode}: {error}" for end, (_, error) in zip(ends, said) if end.returncode != 0]
        if wrong:
            return "\n".join(wrong)
    finally:
        for end in ends:
            end.kill()
            end.wait()
        mirror.stdin.close()
        mirror.wait()
    return ""


def main():
    print(f"mirror: {COUNT} connections, seed {SEED}, life {LIFE}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        # Never lost; lost at any time; and lost within the join.
        for part, (life, early) in enumerate([(0, 0), (LIFE, 0), (LIFE, 0), (12, 1)]):
            error = run(folder, SEED * 4 + part, life, early, COUNT // 4, 18000 + (SEED * 4 + part) % 10000)
            if error:
                sys.exit(f"mirror: part {part}\n{error}\nagain: mirror.py {COUNT} {SEED} {LIFE}")
    print("mirror: all bytes in their places")


main()
