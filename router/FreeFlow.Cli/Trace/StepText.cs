using System;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Cli.Trace;

/// <summary>One step of a connection, in a line.</summary>
internal static unsafe class StepText
{
    /// <summary>Time, age of the connection, program, ends, state, and the reason why it is not further.</summary>
    public static string Of(TracedFamily family, in ConnectionRecord record)
    {
        double age = (Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency) - (record.CreatedNanoseconds / 1e9);
        string reason = (Reason)record.Reason == Reason.None ? "" : $" ({(Reason)record.Reason})";
        string bytes = $"kernel {record.KernelSent}/{record.KernelReceived}, ring {record.EarlierSent + record.SendTail}/{record.EarlierReceived + record.ReceiveHead}";
        return string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.Now:HH:mm:ss.fff} +{Math.Max(0, age) * 1000:0} ms {family.Program} {family.Process} {Local(record)} {Remote(record)} {(ConnectionState)record.State}{reason}; sent/received: {bytes}");
    }

    private static IPEndPoint Local(in ConnectionRecord record)
    {
        fixed (byte* address = record.LocalAddress) return EndPoint(record.Family, address, record.LocalPort);
    }

    private static IPEndPoint Remote(in ConnectionRecord record)
    {
        fixed (byte* address = record.RemoteAddress) return EndPoint(record.Family, address, record.RemotePort);
    }

    private static IPEndPoint EndPoint(ushort family, byte* address, ushort port) => new(new IPAddress(new ReadOnlySpan<byte>(address, family == 2 ? 4 : 16)), port);
}
