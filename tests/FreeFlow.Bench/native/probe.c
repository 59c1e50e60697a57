#include "probe.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *name; int arguments; int (*run)(int, char **); const char *usage; } verbs[] = {
    {"pair", 3, pair, "pair ADDRESS PORT SECONDS: both ends in this thread; CPU ns of one 64-byte send and receive"},
    {"pong", 2, pong, "pong ADDRESS PORT: returns what ping sends, never sleeping"},
    {"ping", 3, ping, "ping ADDRESS PORT SECONDS: 64-byte round trips, never sleeping; p50 and p99 in ns, count"},
    {"sink", 2, sink, "sink ADDRESS PORT: reads one connection to its end in 128 KiB blocks; bytes and seconds"},
    {"source", 3, source, "source ADDRESS PORT SECONDS: writes 128 KiB blocks"},
    {"hold", 2, hold, "hold ADDRESS PORT: echoes until idle"},
    {"idle", 3, idle, "idle ADDRESS PORT COUNT: one used connection; COUNT more after a line on standard input; then sleeps"},
    {"crowd", 5, crowd, "crowd ADDRESS PORT PROCESSES COUNT BYTES: at a line each on standard input every process opens and uses COUNT connections, sends BYTES on each, closes them"},
    {"swallow", 5, swallow, "swallow ADDRESS PORT STREAMS WARMING SECONDS: reads all of them; bytes altogether, bytes and seconds after warming, and by stream the least, mean and most"},
    {"pour", 3, pour, "pour ADDRESS PORT STREAMS: writes into all of them until the other side closes"},
    {"meter", 4, meter, "meter ADDRESS PORT STREAMS SECONDS: reads all of them; Mbit/s of each second"},
    {"count", 3, count, "count PORT TIMES CROWD: each call TIMES times on a loopback connection of its own, beside CROWD idle ones, for callgrind"},
    {"join", 3, join, "join ADDRESS PORT COUNT: both ends of COUNT connections, one after the other, in this thread; µs from the second end's first message to the first that no kernel carries, in order, and how many had none in 2 s"},
    {"burn", 1, burn, "burn COUNT: so many processes that want to run all the time, until the end of standard input"},
    {"descriptor", 1, descriptor, "descriptor SECONDS: ns of one 1-byte write and read on a pipe"},
    {"start", 3, start, "start SECONDS PRELOAD PROGRAM: µs from spawn to end, with LD_PRELOAD=PRELOAD unless that is empty"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (argc == verbs[i].arguments + 2 && strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 2, argv + 2);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) fprintf(stderr, "probe %s\n", verbs[i].usage);
    return 2;
}
