namespace FreeFlow.Lab.Hosts;

/// <summary>The shell that runs in the laboratory's namespaces: what mount(8), ip(8), bridge(8) and tc(8) do is said in their own language.</summary>
internal static class LabScripts
{
    /// <summary>
    /// First process of the whole laboratory and of its underlay: a switch and nothing else. While $1/up is missing it lives as long as its standard input, so that an "up"
    /// that is killed half-way leaves nothing; afterwards until "down" kills it, and with it everything below (pid_namespaces(7)). $1: state folder.
    /// </summary>
    internal const string Root = """
        set -e
        read -r stat </proc/self/stat
        exec 3<&0 </dev/null >>"$1/root.log" 2>&1
        trap '[ -e "$1/root" ] || : >"$1/root.failed"' EXIT
        ip link set dev lo up
        ip link add name switch type bridge mcast_snooping 0
        ip link set dev switch up
        printf '%s\n' "$stat" >"$1/root.new"
        mv "$1/root.new" "$1/root"
        cat <&3 >/dev/null & wait $!
        exec 3<&-
        [ -e "$1/up" ] || exit 0
        sleep infinity & wait $!
        """;

    /// <summary>
    /// First process of a host, a container or etcd's place. $1: file for the line of /proc/self/stat as the machine sees it; $2: folder that appears as /run/freeflow; $3: name; $4: rw where the router is to listen there, else ro.
    /// It waits for its children as an init does, so orphans do not remain as zombies.
    /// </summary>
    internal const string Place = """
        set -e
        read -r stat </proc/self/stat
        trap '[ -e "$1" ] || : >"$1.failed"' EXIT
        mount -t proc proc /proc
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /dev/shm
        mkdir -m 1777 /run/lock /run/postgresql
        mkdir /run/freeflow
        mount --bind "$2" /run/freeflow
        [ "$4" = rw ] || mount -o remount,bind,ro /run/freeflow
        hostname "$3"
        ip link set dev lo up
        echo 10000 65535 >/proc/sys/net/ipv4/ip_local_port_range
        echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse
        printf '%s\n' "$stat" >"$1.new"
        mv "$1.new" "$1"
        sleep infinity & wait $!
        """;

    /// <summary>Starts <see cref="Place"/> and lets it go. $1: log; $2: the script's file; then its arguments.</summary>
    internal const string Begin = """
        log=$1; shift
        setsid unshare --net --mount --propagation slave --pid --ipc --uts --fork sh "$@" </dev/null >>"$log" 2>&1 &
        """;

    /// <summary>Starts a daemon and lets it go. $1: log; then the command.</summary>
    internal const string Daemon = """
        log=$1; shift
        setsid "$@" </dev/null >>"$log" 2>&1 &
        """;

    /// <summary>Cable between a switch and a place. $1: the switch's port; $2: the place's pid; $3: the switch; $4: MTU; $5: the card's address, the same in all its lives.</summary>
    internal const string Cable = """
        ip link add name "$1" mtu "$4" type veth peer name eth0 mtu "$4" address "$5" netns "$2"
        ip link set dev "$1" master "$3" up
        """;

    /// <summary>Brings up eth0. $1: address with prefix length; $2: IPv6 address or nothing; $3: default route or nothing.</summary>
    internal const string Card = """
        ip addr add "$1" brd + dev eth0
        [ -z "$2" ] || ip -6 addr add "$2/64" dev eth0 nodad
        ip link set dev eth0 up
        [ -z "$3" ] || ip route add default via "$3"
        """;

    /// <summary>The overlay's end on a host. $1: address on the underlay; $2: overlay id; $3: MTU; $4: gateway address with prefix length; then the other hosts' addresses.</summary>
    internal const string Overlay = """
        self=$1 id=$2 mtu=$3 gateway=$4; shift 4
        ip link add name containers mtu "$mtu" type bridge mcast_snooping 0
        ip link add name vxlan0 mtu "$mtu" type vxlan id "$id" local "$self" dev eth0 dstport 4789
        ip link set dev vxlan0 master containers up
        ip link set dev containers up
        ip addr add "$gateway" brd + dev containers
        for peer in "$@"; do bridge fdb append 00:00:00:00:00:00 dev vxlan0 dst "$peer"; done
        echo 1 >/proc/sys/net/ipv4/ip_forward
        """;

    /// <summary>Slows what leaves by a card. $1: card; $2: rate or nothing; $3: delay or nothing.</summary>
    internal const string Slow = """
        if [ -n "$3" ]; then tc qdisc replace dev "$1" root netem delay "$3" limit 100000 ${2:+rate "$2"}
        elif [ -n "$2" ]; then tc qdisc replace dev "$1" root tbf rate "$2" burst 256kb latency 50ms
        else tc qdisc del dev "$1" root 2>/dev/null || true; fi
        """;
}
