using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Cli.Trace;

/// <summary>
/// <c>freeflow trace</c>: what accelerated connections carry, as packets, or what becomes of connections, in words. It looks at the processes'
/// memory from outside, which needs the rights that a debugger needs, and holds nobody up.
/// </summary>
internal static class TraceCommand
{
    private const int BufferBytes = 1 << 20;
    private const int LookMilliseconds = 100;

    /// <summary>Between two looks at rings that carry nothing just now.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMicroseconds(200);

    public static int Execute(TraceOptions options)
    {
        using CancellationTokenSource stop = options.Time is { } time ? new(time) : new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using TracedFamilies families = new(options);
        families.Look();
        if (options.Capture is null) Tell(families, options, stop.Token);
        else Capture(families, options, stop.Token);
        if (families.Denied > 0 && Libc.geteuid() != 0) Console.Error.WriteLine($"freeflow: trace: {families.Denied} processes of other users are not looked at: run it as root");
        return 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static void Capture(TracedFamilies families, TraceOptions options, CancellationToken stop)
    {
        Dictionary<string, TracedConnection> traced = [];
        byte[] buffer = new byte[BufferBytes];
        long packetCount = 0;
        ulong dropped = 0;
        int connections = 0;
        using Stream target = Open(options.Capture!);
        try
        {
            PacketWriter packets = new(target);
            packets.Flush();
            long nextLook = 0;
            while (!stop.IsCancellationRequested)
            {
                long now = Stopwatch.GetTimestamp();
                if (now >= nextLook)
                {
                    families.Look();
                    connections += Begin(families, options, traced);
                    nextLook = now + (Stopwatch.Frequency * LookMilliseconds / 1000);
                }
                long before = packetCount;
                foreach ((string name, TracedConnection connection) in traced.ToArray())
                {
                    int copied = connection.Copy(packets, buffer);
                    packetCount += Math.Max(0, copied);
                    if (copied >= 0) continue;
                    dropped += connection.Dropped;
                    connection.Dispose();
                    traced.Remove(name);
                }
                if (packetCount != before) packets.Flush();
                else Thread.Sleep(s_rest);
            }
        }
        catch (IOException exception)
        {
            // Who read it has gone, or the disk is full.
            Console.Error.WriteLine($"freeflow: trace: {options.Capture}: {exception.Message}");
        }
        foreach (TracedConnection connection in traced.Values)
        {
            dropped += connection.Dropped;
            connection.Dispose();
        }
        Console.Error.WriteLine($"freeflow: trace: {packetCount} packets of {connections} connections, {dropped} bytes dropped");
    }

    /// <summary>Takes up connections that have a ring now; how many. Of two ends on this host the first that is found stands for both.</summary>
    private static int Begin(TracedFamilies families, TraceOptions options, Dictionary<string, TracedConnection> traced)
    {
        int begun = 0;
        foreach (TracedFamily family in families.All)
        {
            for (uint index = 0; index < family.RecordsUsed; index++)
            {
                ConnectionRecord record = family.Read(index);
                if (!TracedConnection.IsInRing(record) || !IsMeant(record, options) || traced.ContainsKey(TracedConnection.NameOf(record))) continue;
                if (TracedConnection.Begin(family, index) is not { } connection) continue;
                if (traced.TryAdd(connection.Name, connection)) begun++;
                else connection.Dispose();
            }
        }
        return begun;
    }

    private static bool IsMeant(in ConnectionRecord record, TraceOptions options) => options.Port == 0 || record.LocalPort == options.Port || record.RemotePort == options.Port;

    private static Stream Open(string path)
    {
        try
        {
            if (path == "-")
            {
                if (!Console.IsOutputRedirected) throw new CommandException("trace: --pcap - writes packets, and this is a terminal: freeflow trace --pcap - | wireshark -k -i -", 2);
                return new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
            }
            FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 1 << 16 };
            // What connections carry is nobody else's business.
            if (OperatingSystem.IsLinux()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return new FileStream(path, options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"trace: --pcap {path}: {exception.Message}");
        }
    }

    /// <summary>A line for each step that a connection takes.</summary>
    private static void Tell(TracedFamilies families, TraceOptions options, CancellationToken stop)
    {
        Dictionary<(TracedFamily, uint, uint), (uint State, uint Reason)> seen = [];
        families.Ended += family => { foreach ((TracedFamily, uint, uint) key in seen.Keys.Where(key => key.Item1 == family).ToArray()) seen.Remove(key); };
        long nextLook = 0;
        while (!stop.IsCancellationRequested)
        {
            long now = Environment.TickCount64;
            if (now >= nextLook)
            {
                families.Look();
                nextLook = now + LookMilliseconds;
            }
            foreach (TracedFamily family in families.All.ToArray())
            {
                for (uint index = 0; index < family.RecordsUsed; index++)
                {
                    ConnectionRecord record = family.Read(index);
                    if ((ConnectionState)record.State == ConnectionState.Free || record.RemotePort == 0 || !IsMeant(record, options)) continue;
                    (TracedFamily, uint, uint) key = (family, index, record.Generation);
                    if (seen.TryGetValue(key, out (uint, uint) last) && last == (record.State, record.Reason)) continue;
                    if (index < family.RecordsUsed && record.Generation > 0) seen.Remove((family, index, record.Generation - 1));
                    seen[key] = (record.State, record.Reason);
                    Console.Out.WriteLine(PrintableText.Of(StepText.Of(family, record)));
                }
            }
            Thread.Sleep(1);
        }
        Console.Out.Flush();
    }
}
