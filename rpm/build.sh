#!/bin/sh
# build.sh TREE OUT: makes OUT/freeflow-VERSION-1.x86_64.rpm of a tree that packaging/stage.sh has laid out.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$(cd "$1" && pwd) out=$(cd "$2" && pwd)
work=$(mktemp -d "$out/rpm.XXXXXX")
trap 'rm -rf "$work"' EXIT
# The binaries are as they shall be: no stripping, no compressing, no debug package; ownership as on every machine.
rpmbuild -bb --quiet --target x86_64-linux --define "_topdir $work" --define "_dbpath $work/db" --define "_rpmdir $out" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
    --define "ff_tree $tree" --define "ff_version $("$tree/usr/bin/freeflow" --version)" --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define '_build_id_links none' --define '_binary_payload w3.zstdio' \
    "$root/rpm/freeflow.spec"
