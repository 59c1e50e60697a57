#!/bin/sh
# debian-source.sh PACKAGE FOLDER [RELEASE]: unpacks a Debian source package into FOLDER/<name-version>, from where the machine has its Debian packages: the newest
# version that can be had, because a mirror may list one whose files it does not hold yet. With RELEASE from that release of Debian, not from the machine's own.
# Uses package lists of its own, so that the machine's stay as they are.
set -eu
package=$1 folder=$2 release=${3:-}
lists=$(dirname "$folder")/apt${release:+-$release}
other=s/^$/\&/
[ -z "$release" ] || other="s/$(. /etc/os-release && echo "$VERSION_CODENAME")/$release/g"
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$lists/sources"
for file in /etc/apt/sources.list $(grep -ls debian-archive-keyring /etc/apt/sources.list.d/*); do
    [ ! -e "$file" ] || sed -e 's/^Types: deb$/Types: deb-src/' -e 's/^deb /deb-src /' -e "$other" "$file" >"$lists/sources/${file##*/}"
done
apt() {
    tool=$1
    shift
    "apt-$tool" -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$lists/sources" -o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" \
        -o APT::Sandbox::User=root "$@"
}
find "$lists/lists" -name '*Sources*' -mtime -1 | grep -q . || apt get update
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
fetch() {
    for version in $(apt cache madison "$package" | awk '{ print $3 }'); do apt get source "$package=$version" && return; done
    return 1
}
fetch
find . -maxdepth 1 -type f -delete
touch .complete
