using System;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>
/// How a link's TCP connection finds its rate. A host whose connections go far is often set to BBR, which sends by a timer at the rate that it has estimated (tcp(7), tcp_bbr). Within a
/// data centre the timer is slower than the round trip, and a link, which carries nothing at one moment and everything at the next, gives it little to estimate: there the kernel's own default,
/// CUBIC, carries several times as much. Any thread.
/// </summary>
internal static unsafe class CongestionControl
{
    private const string Pacing = "bbr", Near = "cubic";

    /// <summary>Round trips below this are within a data centre.</summary>
    private const uint NearMicroseconds = 1000;

    /// <summary>tcpi_min_rtt of struct tcp_info (linux/tcp.h), µs.</summary>
    private const int MinimumRoundTripAt = 148;

    /// <summary>TCP_CA_NAME_MAX of linux/tcp.h.</summary>
    private const int MostNameBytes = 16;

    /// <summary>Takes <paramref name="name"/>; false with errno if this kernel does not have it.</summary>
    public static bool TrySet(int descriptor, string name)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(name + "\0")) return Libc.setsockopt(descriptor, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, bytes, (uint)name.Length) == 0;
    }

    /// <summary>After some words both ways: where the host's own choice does not fit so short a way, takes the one that does.</summary>
    public static void Fit(int descriptor)
    {
        if (Of(descriptor).StartsWith(Pacing, StringComparison.Ordinal) && MinimumRoundTrip(descriptor) < NearMicroseconds) TrySet(descriptor, Near);
    }

    /// <summary>The one in use.</summary>
    public static string Of(int descriptor)
    {
        byte* name = stackalloc byte[MostNameBytes];
        uint length = MostNameBytes;
        if (Libc.getsockopt(descriptor, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, &length) != 0) return "";
        ReadOnlySpan<byte> all = new(name, (int)length);
        int end = all.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? all : all[..end]);
    }

    /// <summary>In µs; the highest number if nothing is known.</summary>
    private static uint MinimumRoundTrip(int descriptor)
    {
        byte* info = stackalloc byte[MinimumRoundTripAt + sizeof(uint)];
        uint length = MinimumRoundTripAt + sizeof(uint);
        return Libc.getsockopt(descriptor, Libc.IPPROTO_TCP, Libc.TCP_INFO, info, &length) == 0 && length >= MinimumRoundTripAt + sizeof(uint) ? *(uint*)(info + MinimumRoundTripAt) : uint.MaxValue;
    }
}
