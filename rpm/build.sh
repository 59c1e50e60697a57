#!/bin/sh
# build.sh TREE SYMBOLS OUT: makes OUT/freeflow-VERSION-1.x86_64.rpm and OUT/freeflow-debuginfo-VERSION-1.x86_64.rpm of the trees that packaging/stage.sh has laid out.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$(cd "$1" && pwd) symbols=$(cd "$2" && pwd) out=$(cd "$3" && pwd)
work=$(mktemp -d "$out/rpm.XXXXXX")
trap 'rm -rf "$work"' EXIT
# As for the deb: no file and no header is newer than the last entry of the list of changes.
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$root/deb/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
# The binaries are as they shall be: no stripping, no compressing; ownership as on every machine.
rpmbuild -bb --quiet --target x86_64-linux --define "_topdir $work" --define "_dbpath $work/db" --define "_rpmdir $out" --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define "ff_tree $tree" --define "ff_symbols $symbols" --define "ff_license $root/LICENSE" --define "ff_version $("$tree/usr/bin/freeflow" --version)" \
    --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define '_build_id_links none' --define '_binary_payload w3.zstdio' \
    --define '_buildhost localhost' --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' --define "_buildrootdir $work/root" \
    "$root/rpm/freeflow.spec" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
