#!/bin/sh
# build.sh TREE OUT: makes OUT/freeflow_VERSION_amd64.deb of a tree that packaging/stage.sh has laid out.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$1 out=$2
version=$("$tree/usr/bin/freeflow" --version)
work=$(mktemp -d "$out/deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -a "$tree/." "$work/"
mkdir -m 755 "$work/DEBIAN"
# The newest symbol version that a binary asks for is the libc that it needs.
libc=$(find "$work/usr" -type f \( -name '*.so' -o -path '*bin/*' \) -exec objdump -T {} + | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1)
sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$work" | cut -f 1)/" -e "s/@LIBC@/${libc#GLIBC_}/" "$root/deb/control.in" >"$work/DEBIAN/control"
for script in postinst prerm postrm; do install -m 755 "$root/deb/$script" "$work/DEBIAN/$script"; done
(cd "$work" && find etc -type f | sort | sed 's,^,/,' >DEBIAN/conffiles && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums)
chmod 755 "$work"
dpkg-deb --root-owner-group -Zxz -z0 --build "$work" "$out/freeflow_${version}_amd64.deb" >/dev/null
