#!/bin/sh
# build.sh TREE SYMBOLS OUT: makes OUT/freeflow_VERSION_amd64.deb and OUT/freeflow-dbgsym_VERSION_amd64.deb of the trees that packaging/stage.sh has laid out.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tree=$1 symbols=$2 out=$3
version=$("$tree/usr/bin/freeflow" --version)
[ "$version" = "$(dpkg-parsechangelog -l "$root/deb/changelog" -S Version)" ] || { echo "deb/changelog: its first entry is not version $version; add one." >&2; exit 1; }
# No file is newer than the changelog's last entry, so that the same programs make the same package.
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$root/deb/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
work=$(mktemp -d "$out/deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -a "$tree" "$work/freeflow"
cp -a "$symbols" "$work/freeflow-dbgsym"

doc=$work/freeflow/usr/share/doc/freeflow
install -m 644 "$root/deb/copyright" "$doc/copyright"
gzip -9n <"$root/deb/changelog" >"$doc/changelog.gz"
install -D -m 644 "$root/deb/lintian-overrides" "$work/freeflow/usr/share/lintian/overrides/freeflow"
mkdir -p "$work/freeflow-dbgsym/usr/share/doc"
ln -s freeflow "$work/freeflow-dbgsym/usr/share/doc/freeflow-dbgsym"

# The newest symbol version that a binary asks for is the libc that it needs.
libc=$(find "$work/freeflow/usr" -type f \( -name '*.so' -o -path '*bin/*' \) -exec objdump -T {} + | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1)
build_ids=$(cd "$symbols/usr/lib/debug/.build-id" && find . -type f | sort | sed -e 's,[./],,g' -e 's,debug$,,' | tr '\n' ' ' | sed 's/ $//')

control() { # TEMPLATE PACKAGE
    mkdir -m 755 "$work/$2/DEBIAN"
    sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$work/$2" | cut -f 1)/" -e "s/@LIBC@/${libc#GLIBC_}/" -e "s/@BUILD_IDS@/$build_ids/" \
        "$root/deb/$1" >"$work/$2/DEBIAN/control"
    (cd "$work/$2" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
    chmod 755 "$work/$2"
}
control control.in freeflow
control control-symbols.in freeflow-dbgsym
for script in postinst prerm postrm; do install -m 755 "$root/deb/$script" "$work/freeflow/DEBIAN/$script"; done
(cd "$work/freeflow" && find etc -type f | LC_ALL=C sort | sed 's,^,/,' >DEBIAN/conffiles)
for package in freeflow freeflow-dbgsym; do
    dpkg-deb --root-owner-group -Zxz -z0 --build "$work/$package" "$out/${package}_${version}_amd64.deb" >/dev/null
done
