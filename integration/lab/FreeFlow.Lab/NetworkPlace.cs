using System;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab;

/// <summary>A place with namespaces of its own (network, mount, pid, IPC, host name), and one network card, <c>eth0</c>.</summary>
public abstract class NetworkPlace : Place
{
    private protected NetworkPlace(string name) : base(name, null)
    {
    }

    /// <summary>IPv4 address on eth0.</summary>
    public string Address4 { get; internal init; } = "";

    /// <summary>IPv6 address on eth0.</summary>
    public string Address6 { get; internal init; } = "";

    /// <summary>Pid, outside, of the process that holds the namespaces (/proc/&lt;pid&gt;/ns).</summary>
    public abstract int NamespacePid { get; }

    internal override string[] Entry => ["nsenter", "-t", NamespacePid.ToString(CultureInfo.InvariantCulture), "-m", "-n", "-p", "-i", "-u", "--"];

    /// <summary>True when something listens on the TCP port here, by the kernel's own table: nobody connects, so one-shot servers are not disturbed.</summary>
    public bool IsListening(int port)
    {
        string suffix = $":{port:X4}";
        return new[] { "tcp", "tcp6" }.SelectMany(table => File.ReadLines($"/proc/{NamespacePid}/net/{table}")).Any(line =>
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 3 } fields && fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] == "0A");
    }

    /// <summary>Waits until something listens on the TCP port; throws after <paramref name="timeout"/> (default 15 s), or when <paramref name="server"/> ends.</summary>
    public void WaitForPort(int port, LabProcess? server = null, TimeSpan? timeout = null)
    {
        bool up = Waiting.Until(() => IsListening(port) || server is { HasExited: true }, timeout ?? TimeSpan.FromSeconds(15)) && IsListening(port);
        if (!up) throw new LabException($"Nobody listens on port {port} of {Name}. Output: {(server?.Output + server?.Error).Trim()}");
    }

    /// <summary>Bytes received by the kernel on eth0 since the place began, headers included: the witness for what went round the rings.</summary>
    public long NetworkBytesReceived =>
        File.ReadLines($"/proc/{NamespacePid}/net/dev").Select(line => line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[0] == "eth0").Sum(fields => long.Parse(fields[1], CultureInfo.InvariantCulture));
}
