"""Header blocks by python3-hpack. blocks.py make SEED COUNT: prints connections, a line each, as JSON [[hex of block, [[name, value], ...]], ...].
blocks.py check: reads such lines with the rewritten hex behind each ([hex, fields, rewritten]), and ends with 1 at the first that is not what was sent."""
import json, random, sys
from hpack import Decoder, Encoder

if sys.argv[1] == "make":
    random.seed(int(sys.argv[2]))
    names = [":path", ":method", ":scheme", "te", "content-type", "user-agent", "grpc-timeout", "x-" + "n" * 40]
    for _ in range(int(sys.argv[3])):
        encoder, blocks = Encoder(), []
        for _ in range(random.randint(1, 12)):
            if random.random() < 0.2:
                encoder.header_table_size = random.choice([0, 100, 500, 4096])
            fields = [[":authority", random.choice(["/var/lib/kubelet/x.sock", "localhost", "", "/" + "p" * 200])]]
            for _ in range(random.randint(0, 12)):
                text = "".join(chr(random.randint(32, 126)) for _ in range(random.choice([0, 3, 20, 126, 127, 128, 300])))
                fields.append([random.choice(names), text])
            random.shuffle(fields)
            blocks.append([encoder.encode(fields, huffman=random.random() < 0.7).hex(), fields])
        print(json.dumps(blocks))
else:
    for line in sys.stdin:
        for block, fields, rewritten in json.loads(line):
            expected = [[name, "localhost" if name == ":authority" else value] for name, value in fields]
            # A decoder that knows nothing of the blocks before.
            seen = [list(field) for field in Decoder().decode(bytes.fromhex(rewritten))]
            if seen != expected:
                sys.exit(f"{block}: {seen} in place of {expected}")
