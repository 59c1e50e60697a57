#!/bin/bash
# podman.sh FOLDER LIBRARIES command...: runs a command in a container that podman makes, with podman's own seccomp profile and capabilities, in this network
# namespace; preloaded if this script is. FOLDER is for podman's files; LIBRARIES holds libfreeflow.so. Programs are the machine's (/usr, read-only).
set -eu
folder=$1 libraries=$2
if [ "${IN_OWN_MOUNTS:-}" = "" ]; then IN_OWN_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"; fi
shift 2
variables=()
[ -z "${LD_PRELOAD:-}" ] || variables=(-e LD_PRELOAD=/opt/freeflow/libfreeflow.so)
for name in ${!FREEFLOW_*}; do variables+=(-e "$name"); done
unset LD_PRELOAD IN_OWN_MOUNTS

# crun knows control groups of version 1 or of version 2, not both side by side.
[ ! -e /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified
root=$folder/rootfs
mkdir -p "$root"/{usr,proc,dev,sys,tmp,run,etc,opt/freeflow} "$folder/run"
for name in bin lib lib64 sbin; do ln -sfn "usr/$name" "$root/$name"; done
# Where root may not raise limits (no CAP_SYS_RESOURCE), those that podman asks for would end the container.
cat > "$folder/crun" <<'END'
#!/bin/sh
bundle=. before=
for word; do case $before in --bundle|-b) bundle=$word ;; esac; before=$word; done
[ ! -f "$bundle/config.json" ] || /usr/bin/python3 -c 'import json, sys
config = json.load(open(sys.argv[1])); config["process"].pop("rlimits", None); json.dump(config, open(sys.argv[1], "w"))' "$bundle/config.json"
exec /usr/bin/crun "$@"
END
chmod +x "$folder/crun"
cat > "$folder/containers.conf" <<END
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "none"
[engine.runtimes]
crun = ["$folder/crun"]
END
CONTAINERS_CONF=$folder/containers.conf exec podman --root "$folder/storage" --runroot "$folder/run" --tmpdir "$folder/run" --storage-driver vfs \
    run --rm --network host --cgroups=disabled -v /usr:/usr:ro -v "$libraries:/opt/freeflow:ro" -v /run/freeflow:/run/freeflow:ro "${variables[@]}" --rootfs "$root" "$@"
