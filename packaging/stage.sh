#!/bin/sh
# stage.sh BINARIES TREE: lays out what the deb and the rpm contain, once for both.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$1 tree=$2
rm -rf "$tree"
install -D -m 755 "$bin/freeflow" "$tree/usr/bin/freeflow"
install -D -m 755 "$bin/freeflow-router" "$tree/usr/sbin/freeflow-router"
install -D -m 755 "$bin/freeflow-hunter" "$tree/usr/sbin/freeflow-hunter"
install -D -m 644 "$bin/libfreeflow.so" "$tree/usr/lib/freeflow/libfreeflow.so"
install -D -m 644 "$bin/libfreeflow-core.so" "$tree/usr/lib/freeflow/libfreeflow-core.so"
for unit in "$root"/packaging/systemd/*.service; do install -D -m 644 "$unit" "$tree/usr/lib/systemd/system/${unit##*/}"; done
install -D -m 644 "$root/packaging/tmpfiles/freeflow.conf" "$tree/usr/lib/tmpfiles.d/freeflow.conf"
for file in "$root"/packaging/config/*.conf; do install -D -m 644 "$file" "$tree/etc/freeflow/${file##*/}"; done
for file in "$root/README.md" "$root/SECURITY.md" "$root"/docs/*.md "$root"/integration/lab/*.yaml; do install -D -m 644 "$file" "$tree/usr/share/doc/freeflow/${file##*/}"; done

# A manual page is the program's own help.
manual() { # NAME SECTION DESCRIPTION PROGRAM
    mkdir -p "$tree/usr/share/man/man$2"
    {
        printf '.TH %s %s "" "FreeFlow %s"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n' "$1" "$2" "$("$4" --version)" "$1" "$3"
        "$4" --help | sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/"
        printf '.fi\n.SH SEE ALSO\n/usr/share/doc/freeflow/README.md\n'
    } | gzip -9n >"$tree/usr/share/man/man$2/$1.$2.gz"
}
manual freeflow 1 'run programs with their TCP connections through shared memory' "$bin/freeflow"
manual freeflow-router 8 'joins the ends of TCP connections through shared memory' "$bin/freeflow-router"
manual freeflow-hunter 8 "publishes a host's virtual IPs in etcd" "$bin/freeflow-hunter"
