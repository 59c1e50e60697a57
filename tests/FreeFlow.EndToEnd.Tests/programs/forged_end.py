"""forged_end.py serve ADDRESS PORT | call LOCAL PORT REMOTE PORT: questions and answers over one connection, until standard input ends."""
import select
import socket
import sys

mode, address, port, *remote = sys.argv[1:]
end = socket.socket()
end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
end.bind((address, int(port)))
if mode == "serve":
    end.listen()
    print("listens", flush=True)
    connection = end.accept()[0]
    while question := connection.recv(100):
        connection.sendall(question)
else:
    end.connect((remote[0], int(remote[1])))
    print("connected", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        end.sendall(b"question")
        left = 8
        while left:
            left -= len(end.recv(left))
