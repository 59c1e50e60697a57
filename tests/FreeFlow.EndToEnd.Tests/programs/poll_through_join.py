"""A thread sleeps in poll(2) on a connection while the connection gets its ring; then bytes go both ways, and "ready" is printed.

Ends when a line comes. Run with FREEFLOW_OFFER_AFTER=4.
"""
import select, signal, socket, sys, threading, time

signal.alarm(40)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
watch = select.poll()
watch.register(client, select.POLLIN)
sleeper = threading.Thread(target=watch.poll)
sleeper.start()
time.sleep(0.3)
# Nothing goes to the client yet, so the sleeper sleeps on; these messages bring the offer, and the join is taken up by one of them.
for _ in range(40):
    client.sendall(b"to the server")
    assert server.recv(100) == b"to the server"
    time.sleep(0.01)
server.sendall(b"wake up")
sleeper.join()
assert client.recv(100) == b"wake up"
for _ in range(40):
    server.sendall(b"to the client")
    assert client.recv(100) == b"to the client"
print("ready", flush=True)
sys.stdin.readline()
