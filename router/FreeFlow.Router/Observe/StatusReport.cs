using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>The status as JSON. Records are the processes' own word, so every value is brought into its range.</summary>
internal static unsafe class StatusReport
{
    private const int RecordsAtATime = 256;
    private const long MostBytes = 64 << 20;

    /// <summary>Version of this program.</summary>
    public static string Version { get; } = typeof(StatusReport).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Writes {"router":{...},"processes":[...]} with the processes that <paramref name="visible"/> lets through.</summary>
    public static void Write(IBufferWriter<byte> target, IEnumerable<Family> families, Func<Session, bool> visible, Statistics statistics, RouterOptions options, ClusterMembership? cluster, Broker? broker)
    {
        using Utf8JsonWriter json = new(target);
        json.WriteStartObject();
        WriteRouter(json, families, statistics);
        if (cluster is not null) ClusterReport.Write(json, cluster, broker?.Remote);
        if (broker is not null) WritePolicy(json, broker.Policy);
        WriteUsers(json, families.SelectMany(family => family.Sessions).Where(visible), options, broker?.Kept);
        json.WriteStartArray("processes");
        foreach (Family family in families)
        {
            // Records are the processes' own word: nobody may make the router write without end.
            if (json.BytesCommitted + json.BytesPending > MostBytes) break;
            WriteFamily(json, family, visible);
            json.Flush();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRouter(Utf8JsonWriter json, IEnumerable<Family> families, Statistics statistics)
    {
        json.WriteStartObject("router");
        json.WriteString("version", Version);
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteNumber("uptime_s", statistics.UptimeSeconds);
        json.WriteNumber("sessions", families.Sum(family => family.Sessions.Count));
        json.WriteNumber("joined_total", statistics.Joined);
        json.WriteNumber("ring_bytes_total", families.Aggregate(statistics.RingBytes, (sum, family) => Statistics.Sum(sum, family.RingBytes)));
        json.WriteNumber("strictly_refused_total", families.Aggregate(statistics.StrictlyRefused, (sum, family) => Statistics.Sum(sum, family.StrictlyRefused)));
        json.WriteNumber("faults", statistics.Faults);
        json.WriteNumber("pauses", statistics.Pauses);
        json.WriteStartObject("loop");
        json.WriteNumber("holds", statistics.Holds.Count);
        json.WriteNumber("longest_ms", statistics.Holds.LongestMilliseconds);
        json.WriteString("longest", statistics.Holds.Longest);
        json.WriteEndObject();
        json.WriteStartObject("refused");
        foreach ((Reason reason, long count) in statistics.Refused) json.WriteNumber(reason.ToString(), count);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePolicy(Utf8JsonWriter json, PolicyTable policy)
    {
        json.WriteStartObject("policy");
        json.WriteString("file", policy.Path ?? "");
        json.WriteStartArray("rules");
        foreach (PolicyRule rule in policy.Rules)
        {
            json.WriteStartObject();
            json.WriteString("name", rule.Name);
            json.WriteString("over", rule.Over.ToString());
            json.WriteNumber("decided", rule.Decided);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What of its limits each user takes, in the order of the command line's options.</summary>
    private static void WriteUsers(Utf8JsonWriter json, IEnumerable<Session> sessions, RouterOptions options, KeptRings? kept)
    {
        json.WriteStartArray("users");
        foreach (IGrouping<uint, Session> user in sessions.GroupBy(session => session.Peer.UserId).OrderBy(user => user.Key))
        {
            UserAccount account = user.First().Account;
            json.WriteStartObject();
            json.WriteNumber("uid", user.Key);
            Limited("sessions", account.Sessions, options.MaximumSessionsPerUser);
            Limited("connections", account.Connections, options.MaximumConnectionsPerUser);
            Limited("rings", account.Rings, options.MaximumRingsPerUser);
            Limited("ring_bytes", account.RingBytes, options.MaximumRingBytesPerUser);
            if (kept is not null) json.WriteNumber("kept_ring_bytes", kept.Of(user.Key).Bytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();

        void Limited(string name, ulong used, ulong most)
        {
            json.WriteNumber(name, used);
            json.WriteNumber($"max_{name}", most);
        }
    }

    private static void WriteFamily(Utf8JsonWriter json, Family family, Func<Session, bool> visible)
    {
        Session[] shown = family.Sessions.Where(visible).ToArray();
        if (shown.Length == 0) return;
        Dictionary<Session, List<(ConnectionRecord Record, Decision Decision)>> records = shown.ToDictionary(session => session, _ => new List<(ConnectionRecord, Decision)>());
        Dictionary<uint, Session> byProcess = [];
        foreach (Session session in family.Sessions) byProcess.TryAdd(session.OwnProcessId, session);

        ConnectionRecord[] chunk = new ConnectionRecord[RecordsAtATime];
        uint used = family.RecordsUsed;
        for (uint first = 0; first < used; first += RecordsAtATime)
        {
            int count = family.ReadRecords(first, chunk.AsSpan(0, (int)Math.Min(RecordsAtATime, used - first)));
            for (int i = 0; i < count; i++)
            {
                ref readonly ConnectionRecord record = ref chunk[i];
                if (record.State is (uint)ConnectionState.Free or (uint)ConnectionState.Closed) continue;
                Session holder = byProcess.GetValueOrDefault((uint)record.ProcessId) ?? family.Sessions[0];
                if (records.TryGetValue(holder, out List<(ConnectionRecord, Decision)>? list)) list.Add((record, family.DecisionOn(first + (uint)i, record.Generation)));
            }
        }
        foreach (Session session in shown) WriteProcess(json, session, records[session]);
    }

    private static void WriteProcess(Utf8JsonWriter json, Session session, List<(ConnectionRecord Record, Decision Decision)> records)
    {
        json.WriteStartObject();
        json.WriteNumber("pid", session.Peer.ProcessId);
        json.WriteString("program", session.Program);
        json.WriteString("container", session.Container);
        json.WriteNumber("uid", session.Peer.UserId);
        json.WriteStartArray("connections");
        foreach ((ConnectionRecord record, Decision decision) in records) WriteConnection(json, record, decision);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteConnection(Utf8JsonWriter json, in ConnectionRecord record, Decision decision)
    {
        Reason reason = decision.IsOpen ? Reason.LabelsUnknown : (Reason)record.Reason;
        fixed (byte* local = record.LocalAddress)
        fixed (byte* remote = record.RemoteAddress)
        {
            json.WriteStartObject();
            json.WriteString("local", Endpoint(record.Family, local, record.LocalPort));
            json.WriteString("remote", Endpoint(record.Family, remote, record.RemotePort));
        }
        json.WriteNumber("fd", record.Descriptor);
        json.WriteString("state", Words.Of((ConnectionState)record.State));
        json.WriteString("reason", Words.Of(reason));
        json.WriteString("reason_code", reason.ToString());
        json.WriteString("rule", decision.Rule ?? "");
        json.WriteString("strictly_refused", record.Refused == 0 ? "" : ((Reason)record.Refused).ToString());
        json.WriteNumber("kernel_sent", Counter(record.KernelSent));
        json.WriteNumber("kernel_received", Counter(record.KernelReceived));
        json.WriteNumber("ring_sent", Counter(record.EarlierSent + record.SendTail));
        json.WriteNumber("ring_received", Counter(record.EarlierReceived + record.ReceiveHead));
        json.WriteNumber("age_s", AgeSeconds(record.CreatedNanoseconds));
        json.WriteEndObject();
    }

    private static string Endpoint(ushort family, byte* address, ushort port) => family switch
    {
        Native.Libc.AF_INET => new InternetEndpoint(InternetAddress.FromIPv4(new ReadOnlySpan<byte>(address, 4)), port).ToString(),
        Native.Libc.AF_INET6 => new InternetEndpoint(InternetAddress.FromIPv6(new ReadOnlySpan<byte>(address, 16)), port).ToString(),
        _ => "",
    };

    private static long Counter(ulong value) => value > long.MaxValue ? long.MaxValue : (long)value;

    private static double AgeSeconds(ulong created)
    {
        // Stopwatch reads CLOCK_MONOTONIC here, as the shim does.
        double age = (Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency) - (created / 1e9);
        return Math.Round(Math.Max(0, age), 3);
    }
}
