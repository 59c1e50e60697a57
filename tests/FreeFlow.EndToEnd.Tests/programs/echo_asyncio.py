"""Echo by asyncio. usage: echo_asyncio.py server PORT | client HOST PORT SECONDS"""
import asyncio, hashlib, random, sys, time


async def echo(reader, writer):
    while data := await reader.read(100_000):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(port):
    async with await asyncio.start_server(echo, "0.0.0.0", port) as server:
        await server.serve_forever()


async def client(host, port, number, end):
    reader, writer = await asyncio.open_connection(host, port)
    rng, digest = random.Random(number), hashlib.sha256()
    blocks = [rng.randbytes(rng.choice([1, 100, 5000, 300_000])) for _ in range(30)]
    for round in range(1_000_000):
        for block in blocks:
            writer.write(block)
            got = await reader.readexactly(len(block))
            assert got == block, f"client {number}, round {round}: {len(block)} bytes differ"
            if round == 0:
                digest.update(got)
        if time.monotonic() >= end:
            break
    writer.write_eof()
    assert await reader.read() == b"", "bytes after the end"
    writer.close()
    return digest.hexdigest()


async def clients(host, port, seconds):
    end = time.monotonic() + seconds
    print(await asyncio.gather(*(client(host, port, n, end) for n in range(5))))


if sys.argv[1] == "server":
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(clients(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
