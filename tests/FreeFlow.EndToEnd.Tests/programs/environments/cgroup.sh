#!/bin/bash
# cgroup.sh MEMORY-BYTES PIDS command...: runs a command in control groups of its own with these limits (version 2, or 1 where the machine has that); 0: no limit.
# Leaves none behind. Exit code 77 and a line if this machine lets nobody make one.
set -u
memory=$1 pids=$2
shift 2
name=freeflow-test-$$
made=()
refuse() { echo "no control group can be made here: $1"; clean; exit 77; }
clean() { for group in "${made[@]}"; do for try in 1 2 3 4 5 6 7 8 9 10; do rmdir "$group" 2>/dev/null && break; sleep 0.1; done; done; }
group() { mkdir "$1" 2>/dev/null || refuse "$1"; made+=("$1"); }
limit() { [ "$2" = 0 ] || echo "$2" 2>/dev/null > "$1" || refuse "$1"; }

root=/sys/fs/cgroup
if [ -e $root/cgroup.controllers ]; then
    echo "+memory +pids" 2>/dev/null > $root/cgroup.subtree_control
    group "$root/$name"
    limit "$root/$name/memory.max" "$memory"
    limit "$root/$name/pids.max" "$pids"
else
    group "$root/memory/$name"
    group "$root/pids/$name"
    limit "$root/memory/$name/memory.limit_in_bytes" "$memory"
    limit "$root/pids/$name/pids.max" "$pids"
fi
# exec, or the shell would count.
GROUPS_TO_JOIN="${made[*]}" bash -c 'for group in $GROUPS_TO_JOIN; do echo $$ > $group/cgroup.procs || exit 77; done; exec "$@"' bash env -u GROUPS_TO_JOIN "$@" &
wait $!
code=$?
clean
exit $code
