"""GETs and POSTs by urllib until the time is over. usage: http_urllib.py BASE-URL SECONDS FILE..."""
import hashlib, sys, time, urllib.request

base, seconds, files = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
end, results = time.monotonic() + seconds, set()
while True:
    digest = hashlib.sha256()
    for name in files:
        with urllib.request.urlopen(f"{base}/{name}", timeout=20) as answer:
            body = answer.read()
            assert len(body) == int(answer.headers["Content-Length"]), "body is short"
            digest.update(body)
    results.add(digest.hexdigest())
    if time.monotonic() >= end:
        break
print(results)
