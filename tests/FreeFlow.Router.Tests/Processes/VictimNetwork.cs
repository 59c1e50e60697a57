using System;
using System.Diagnostics;
using System.Net;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Two network namespaces as root makes them for containers, joined by a veth pair. Gone on Dispose.</summary>
internal sealed class VictimNetwork : IDisposable
{
    private static int _number;
    private readonly string _nameA, _nameB;

    public VictimNetwork()
    {
        string stem = $"fft{Environment.ProcessId}x{++_number}";
        _nameA = stem + "a";
        _nameB = stem + "b";
        Ip($"netns add {_nameA}");
        Ip($"netns add {_nameB}");
        Ip($"-n {_nameA} link add v0 type veth peer name v0 netns {_nameB}");
        Ip($"-n {_nameA} addr add {AddressA}/24 dev v0");
        Ip($"-n {_nameB} addr add {AddressB}/24 dev v0");
        Ip($"-n {_nameA} -6 addr add {SixA}/64 dev v0 nodad");
        Ip($"-n {_nameB} -6 addr add {SixB}/64 dev v0 nodad");
        foreach (string name in (string[])[_nameA, _nameB])
        {
            Ip($"-n {name} link set v0 up");
            Ip($"-n {name} link set lo up");
        }
    }

    public static IPAddress AddressA { get; } = IPAddress.Parse("10.98.7.1");
    public static IPAddress AddressB { get; } = IPAddress.Parse("10.98.7.2");

    public static IPAddress SixA { get; } = IPAddress.Parse("fd98:7::1");
    public static IPAddress SixB { get; } = IPAddress.Parse("fd98:7::2");

    public string PathA => $"/run/netns/{_nameA}";
    public string PathB => $"/run/netns/{_nameB}";

    /// <summary>A connection from A to B.</summary>
    public TcpPair Connect(bool six = false)
    {
        using System.Net.Sockets.Socket listener = Place.Run(PathB, null, () => TcpPair.Listen(new IPEndPoint(six ? SixB : AddressB, 0)));
        return Place.Run(PathA, null, () => TcpPair.Connect(new IPEndPoint(six ? SixA : AddressA, 0), listener));
    }

    public void Dispose()
    {
        Ip($"netns del {_nameA}");
        Ip($"netns del {_nameB}");
    }

    internal static void Ip(string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ip {arguments}: {error}");
    }
}
