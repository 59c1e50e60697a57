#!/bin/sh
# Brings a bare Debian 12 with make and the .NET 10 SDK to where FreeFlow can be built, tested and measured.
# Installs only what is missing, starts no service, stops none. Safe to run again: when nothing is missing it does nothing.
# With names, installs those packages instead.
set -eu

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v dotnet >/dev/null || fail "the command 'dotnet' is missing: install the .NET SDK, 10.0 or later (https://dot.net)."
sdk=$(dotnet --version)
[ "${sdk%%.*}" -ge 10 ] || fail "the .NET SDK is $sdk: version 10.0 or later is needed."
command -v apt-get >/dev/null || fail "the command 'apt-get' is missing: this script knows Debian 12 only; install the packages it lists by hand."

# To build: gcc links the AOT programs and the trampolines, clang-tidy reads them. Then the programs that are run under FreeFlow, and what builds namespaces.
packages="gcc clang-tidy libc6-dev zlib1g-dev liburing-dev
redis-server redis-tools memcached nginx-light wrk postgresql mariadb-server-core mariadb-client iperf3 sockperf socat ncat curl nodejs python3 python3-msgpack
musl-tools busybox-static golang-go iputils-ping sudo git
iproute2 iptables nftables util-linux procps valgrind spin etcd-server
apache2-bin bubblewrap podman crun golang-github-containers-common libjemalloc2 libtcmalloc-minimal4 libseccomp2 libasan8 libtsan2 libubsan1"
# Of the independent test suites only CPython's and rdma-core's run in 'make test'; the others' packages come with 'make test-suites'.
packages="$packages libpython3.11-testsuite python3-pyverbs"
# A kernel of one's own, for what asks for rights that a machine may lack.
packages="$packages user-mode-linux"
# The packages' test boots one in a container; rpm builds the other. Their distributions' checkers look at them, and shells at the completions.
packages="$packages systemd-container rpm dpkg-dev lintian rpmlint fish zsh groff-base"
command -v java >/dev/null || packages="$packages default-jdk-headless"
# What reads the metrics, and the captures.
packages="$packages prometheus tshark tmux"
# RDMA programs, which run without a device.
packages="$packages ibverbs-utils rdmacm-utils perftest libibverbs-dev"
# The kubelet and the header blocks of the tests are Python's.
packages="$packages python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc python3-hpack"
[ $# -eq 0 ] || packages=$*

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    say "nothing is missing"
    exit 0
fi

root=
[ "$(id -u)" = 0 ] || root=sudo
[ -z "$root" ] || command -v sudo >/dev/null || fail "packages are missing and this is not root: run as root, or install:$missing"

# Debian starts services on installation unless this file says no (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made_policy=
cleanup() {
    [ -z "$made_policy" ] || $root rm -f "$policy"
    rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod 755 "$policy"
fi

install() { $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >"$log" 2>&1 </dev/null; }
say "installing$missing"
if ! install; then
    say "refreshing the package lists"
    $root apt-get update -qq >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "apt-get update failed, see above"; }
    install || { tail -n 20 "$log" >&2; fail "apt-get install failed, see above"; }
fi
# Nor shall they start at the next boot: nothing here needs them as services.
if command -v systemctl >/dev/null; then
    for unit in redis-server memcached nginx postgresql iperf3 etcd prometheus; do
        case " $missing " in *" $unit"*) $root systemctl disable -q "$unit" >/dev/null 2>&1 || true ;; esac
    done
fi
say "done"
