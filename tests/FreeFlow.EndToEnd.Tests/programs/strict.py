"""One end of a connection for the tests of FREEFLOW_STRICT.

usage: strict.py server PORT | client ADDRESS PORT [WISH]
server  answers what it reads, for one connection
client  asks and reads the answer 40 times; WISH is one thing that a ring cannot do, done after half of them: option | urgent

Prints "done", or the errno's name ("end": none, the stream ended) and the call that met it; then waits for the end of standard input.
"""
import errno, os, socket, sys

SO_ZEROCOPY = 60


def serve(port):
    with socket.create_server(("0.0.0.0", port)) as listener:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)


def ask(address, port, wish):
    connection = socket.create_connection((address, port), 20)
    try:
        for number in range(40):
            call = "send"
            if number == 20:
                if wish == "option":
                    connection.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
                elif wish == "urgent":
                    connection.send(b"!", socket.MSG_OOB)
            connection.sendall(b"x" * 100)
            call, left = "recv", 100
            while left > 0:
                if not (data := connection.recv(left)):
                    return "end recv", connection
                left -= len(data)
        return "done", connection
    except OSError as error:
        return f"{errno.errorcode[error.errno]} {call}", connection


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    result, connection = ask(sys.argv[2], int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
    print(result, flush=True)
    sys.stdin.read()
