#!/bin/sh
# stage.sh BINARIES TREE SYMBOLS: lays out what the deb and the rpm contain, once for both, and what their packages of debug symbols contain.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$1 tree=$2 symbols=$3
fail() { printf 'stage.sh: %s\n' "$*" >&2; exit 1; }
build_id() { readelf -n "$1" | sed -n 's/.*Build ID: *//p'; }

rm -rf "$tree" "$symbols"
# A program without what a debugger needs, and that by its build id, where every debugger looks.
program() { # NAME PATH MODE
    install -D -m "$3" "$bin/$1" "$tree/$2"
    id=$(build_id "$bin/$1")
    debug=$symbols/usr/lib/debug/.build-id/$(printf %.2s "$id")/${id#??}.debug
    mkdir -p "${debug%/*}"
    if [ "$1" = libfreeflow.so ]; then
        objcopy --only-keep-debug "$bin/$1" "$debug"
        objcopy --strip-unneeded --remove-section=.comment "$bin/$1" "$tree/$2"
    else
        [ "$(build_id "$bin/$1.dbg" 2>/dev/null)" = "$id" ] || fail "$bin/$1.dbg is not of $bin/$1: build both with 'make build'."
        cp "$bin/$1.dbg" "$debug"
        objcopy --remove-section=.gnu_debuglink --remove-section=.comment "$tree/$2"
    fi
    objcopy --compress-debug-sections "$debug"
    chmod "$3" "$tree/$2"
    chmod 644 "$debug"
}
program freeflow usr/bin/freeflow 755
program freeflow-router usr/sbin/freeflow-router 755
program freeflow-hunter usr/sbin/freeflow-hunter 755
program libfreeflow.so usr/lib/freeflow/libfreeflow.so 644
program libfreeflow-core.so usr/lib/freeflow/libfreeflow-core.so 644

for unit in "$root"/packaging/systemd/*.service; do install -D -m 644 "$unit" "$tree/usr/lib/systemd/system/${unit##*/}"; done
install -D -m 644 "$root/packaging/tmpfiles/freeflow.conf" "$tree/usr/lib/tmpfiles.d/freeflow.conf"
for file in "$root"/packaging/config/*.conf; do install -D -m 644 "$file" "$tree/etc/freeflow/${file##*/}"; done
doc=$tree/usr/share/doc/freeflow
for file in "$root/README.md" "$root/SECURITY.md" "$root"/docs/*.md "$root"/integration/lab/*.yaml; do install -D -m 644 "$file" "$doc/${file##*/}"; done
for file in "$root/packaging/prometheus/freeflow.rules.yml" "$root/packaging/grafana/freeflow.json"; do install -D -m 644 "$file" "$doc/examples/${file##*/}"; done
gzip -9n <"$root/CHANGELOG.md" >"$doc/CHANGELOG.md.gz"
# The runtime is linked into the programs; its licence asks for the notices of what it contains.
runtime=runtime.linux-x64.microsoft.dotnet.ilcompiler
version=$(sed -n '/"runtime.linux-x64.Microsoft.DotNet.ILCompiler": {/,/contentHash/s/.*"resolved": "\(.*\)",/\1/p' "$root/router/FreeFlow.Cli/packages.lock.json" | head -n 1)
notices=${NUGET_PACKAGES:-$HOME/.nuget/packages}/$runtime/$version/THIRD-PARTY-NOTICES.TXT
[ -f "$notices" ] || fail "$notices is missing: restore the packages with 'make build'."
gzip -9n <"$notices" >"$doc/dotnet-notices.txt.gz"

for page in "$root"/packaging/man/*; do
    section=${page##*.}
    mkdir -p "$tree/usr/share/man/man$section"
    gzip -9n <"$page" >"$tree/usr/share/man/man$section/${page##*/}.gz"
done
install -D -m 644 "$root/packaging/completion/freeflow.bash" "$tree/usr/share/bash-completion/completions/freeflow"
install -D -m 644 "$root/packaging/completion/freeflow-router.bash" "$tree/usr/share/bash-completion/completions/freeflow-router"
ln -s freeflow-router "$tree/usr/share/bash-completion/completions/freeflow-hunter"
install -D -m 644 "$root/packaging/completion/_freeflow" "$tree/usr/share/zsh/vendor-completions/_freeflow"
install -D -m 644 "$root/packaging/completion/freeflow.fish" "$tree/usr/share/fish/vendor_completions.d/freeflow.fish"
