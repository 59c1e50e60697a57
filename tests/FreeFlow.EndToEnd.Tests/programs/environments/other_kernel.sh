#!/bin/sh
# Process 1 of a kernel of its own (User-mode Linux) over this machine's files, which it may only read but for $RUN. Takes from the kernel's command line:
#   BIN  folder of FreeFlow's programs
#   RUN  folder with the shell script "program", which is run plain and then preloaded, and for what comes out: plain and ring (output and exit code), status.json
# Not over /tmp: the checkout may lie there.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TMPDIR=/run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm /run/out
mount -t tmpfs tmpfs /dev/shm
mount -t hostfs -o "$RUN" none /run/out
ip link set lo up
cd /run/out || exit 1

echo 1100000 > /proc/sys/fs/nr_open
(sh ./program; echo "exit code $?") > plain 2>&1
"$BIN/freeflow-router" > router.log 2>&1 &
for _ in $(seq 300); do "$BIN/freeflow" status --json > /dev/null 2>&1 && break; sleep 0.1; done
export FREEFLOW_OFFER_AFTER=0 FREEFLOW_JOIN=wait LD_PRELOAD="$BIN/libfreeflow.so"
(sh ./program; echo "exit code $?") > ring 2>&1
unset LD_PRELOAD
"$BIN/freeflow" status --json > status.json
sync
poweroff -f
