#!/bin/sh
# debian-source.sh PACKAGE FOLDER: unpacks a Debian source package into FOLDER/<name-version>. Uses package lists of its own, so that the machine's need not
# name sources and stay as they are.
set -eu
package=$1 folder=$2
lists=$(dirname "$folder")/apt
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
printf 'Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' >"$lists/debian.sources"
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$lists/debian.sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" \
        -o APT::Sandbox::User=root "$@"
}
find "$lists/lists" -name '*Sources*' -mtime -1 | grep -q . || apt update
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
apt source "$package"
find . -maxdepth 1 -type f -delete
touch .complete
