#!/bin/sh
# debian-source.sh PACKAGE FOLDER: unpacks a Debian source package into FOLDER/<name-version>, from where the machine has its Debian packages. Uses package lists of
# its own, so that the machine's need not name sources and stay as they are.
set -eu
package=$1 folder=$2
lists=$(dirname "$folder")/apt
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$lists/sources"
for file in /etc/apt/sources.list $(grep -ls debian-archive-keyring /etc/apt/sources.list.d/*); do
    [ ! -e "$file" ] || sed -e 's/^Types: deb$/Types: deb-src/' -e 's/^deb /deb-src /' "$file" >"$lists/sources/${file##*/}"
done
apt() {
    apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$lists/sources" -o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" \
        -o APT::Sandbox::User=root "$@"
}
find "$lists/lists" -name '*Sources*' -mtime -1 | grep -q . || apt update
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
apt source "$package"
find . -maxdepth 1 -type f -delete
touch .complete
