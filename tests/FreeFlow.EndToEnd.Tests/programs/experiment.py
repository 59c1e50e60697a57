"""Does one thing to a TCP connection of this process with itself and prints what the calls returned.

usage: experiment.py list | NAME [4|6]
First some bytes go both ways; then it prints "ready" and waits for a line, so that a test can look at the connection; then it does NAME.
The same text must come out whatever carries the bytes.
"""
import importlib, inspect, os, pkgutil, signal, socket, sys
import experiments


def all_experiments():
    for module in sorted(m.name for m in pkgutil.iter_modules(experiments.__path__) if m.name != "report"):
        for name, function in inspect.getmembers(importlib.import_module(f"experiments.{module}"), inspect.isfunction):
            if list(inspect.signature(function).parameters) == ["client", "server"]:
                yield name, function


def connection(family):
    listener = socket.create_server(("127.0.0.1", 0) if family == "4" else ("::1", 0), family=socket.AF_INET if family == "4" else socket.AF_INET6)
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    listener.close()
    return client, server


def main():
    if sys.argv[1] == "list":
        print("\n".join(name for name, _ in all_experiments()))
        return
    signal.alarm(20)
    client, server = connection(sys.argv[2] if len(sys.argv) > 2 else "4")
    for round in range(4):
        for a, b in ((client, server), (server, client)):
            a.sendall(b"warm up %d" % round)
            assert b.recv(100) == b"warm up %d" % round
    print("ready", flush=True)
    sys.stdin.readline()
    dict(all_experiments())[sys.argv[1]](client, server)
    print("done", flush=True)
    os._exit(0)


main()
