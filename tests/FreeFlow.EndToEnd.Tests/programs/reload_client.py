"""reload_client.py HOST PORT SECONDS FOLDER: keep-alive connections, each request compared with the file; prints what failed.

A connection that the server closes between two requests is no failure (RFC 9112, 9.3.1): it is opened again. An answer that ends early, or is not the file, is.
"""
import http.client, os, random, sys, threading, time

host, port, seconds, folder = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
files = {name: open(os.path.join(folder, name), "rb").read() for name in ("file1", "file1024", "file65536", "file1000003")}
failures, done, closed = [], [0] * 8, [0] * 8
end = time.monotonic() + seconds


def client(number):
    choice = random.Random(number)
    connection = http.client.HTTPConnection(host, port, timeout=20)
    while time.monotonic() < end:
        name = choice.choice(list(files))
        try:
            connection.request("GET", "/" + name)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()
            closed[number] += 1
            continue
        except Exception as error:
            failures.append(f"{name}: {error!r}")
            connection.close()
            continue
        try:
            body = answer.read()
            if answer.status != 200 or body != files[name]:
                failures.append(f"{name}: status {answer.status}, {len(body)} bytes")
            done[number] += 1
        except Exception as error:
            failures.append(f"{name}: {error!r}")
            connection.close()


threads = [threading.Thread(target=client, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{sum(done)} requests, {sum(closed)} closed between", file=sys.stderr)
print("every thread was served" if all(done) else f"starved: {done}")
print("failures:", sorted(set(failures))[:5])
