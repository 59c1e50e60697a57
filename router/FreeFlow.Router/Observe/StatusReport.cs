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
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Observe;

/// <summary>
/// One status as JSON, in pieces: {"cluster":{...},"policy":{...},"processes":[...],"programs":[...],"verbs":{...},"users":[...],"router":{...}}. Records are the processes' own word, so every value is brought into its range. What belongs to the
/// event loop is looked at by the event loop, a bounded part at a time; everything else is done by the thread that takes the pieces.
/// </summary>
/// <param name="families">The event loop's.</param>
/// <param name="asker">Who is to see it.</param>
/// <param name="visible">Whether the asker may see a session; the event loop's.</param>
/// <param name="options">The limits.</param>
/// <param name="statistics">The event loop's.</param>
internal sealed unsafe class StatusReport(IReadOnlyCollection<Family> families, Session asker, Func<Session, bool> visible, RouterOptions options, Statistics statistics)
{
    private const int RecordsAtATime = 256, FamiliesAtATime = 16;
    private const int PieceBytes = 16384;
    private const long MostBytes = 64 << 20;

    private readonly ArrayBufferWriter<byte> _piece = new(2 * PieceBytes);
    private readonly ConnectionRecord[] _records = new ConnectionRecord[RecordsAtATime];
    private readonly Decision[] _decisions = new Decision[RecordsAtATime];
    private readonly Dictionary<uint, UserAccount> _users = [];
    private readonly ProgramTotals _programs = new();
    private long _ringBytes, _strictlyRefused, _sessions;

    /// <summary>Version of this program.</summary>
    public static string Version { get; } = typeof(StatusReport).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Has the event loop do something, and waits for it.</summary>
    public required Action<Action> Ask { get; init; }

    /// <summary>For those only who may see everything.</summary>
    public ClusterMembership? Cluster { get; init; }

    /// <inheritdoc cref="Cluster"/>
    public Broker? Broker { get; init; }

    /// <summary>The event loop's.</summary>
    public required VerbsBroker Verbs { get; init; }

    /// <summary>What the last step has written.</summary>
    public ReadOnlySpan<byte> Piece => _piece.WrittenSpan;

    /// <summary>Forgets the piece.</summary>
    public void Clear() => _piece.ResetWrittenCount();

    /// <summary>Writes it, with some <see cref="PieceBytes"/> at most behind each step. Disposing of it lets go of what it holds.</summary>
    public IEnumerator<bool> Steps()
    {
        using Utf8JsonWriter json = new(_piece);
        Family[] all = [];
        json.WriteStartObject();
        Ask(() => all = Begin(json));
        json.WriteStartArray("processes");
        foreach (Family[] some in all.Chunk(FamiliesAtATime))
        {
            List<ShownFamily> shown = [];
            try
            {
                Ask(() => LookAt(some, shown));
                foreach (ShownFamily family in shown)
                {
                    Sum(family.Family);
                    if (family.Visible.Length > 0) _programs.Add(family.Visible[0], family.Family, family.Visible.Length);
                    // Records are the processes' own word: nobody may make the router write without end.
                    if (json.BytesCommitted > MostBytes) continue;
                    foreach ((Session session, List<uint> records) in Sort(family))
                    {
                        WriteProcess(json, session);
                        for (int done = 0; done < records.Count;)
                        {
                            done += WriteConnections(json, family, records, done);
                            json.Flush();
                            if (_piece.WrittenCount > PieceBytes) yield return true;
                        }
                        json.WriteEndArray();
                        json.WriteEndObject();
                    }
                }
                json.Flush();
            }
            finally
            {
                foreach (ShownFamily family in shown) family.Family.Release(asker.Account);
            }
            yield return true;
        }
        json.WriteEndArray();
        Ask(() =>
        {
            ProgramReport.Write(json, _programs);
            VerbsReport.Write(json, Verbs, visible);
            WriteUsers(json);
            WriteRouter(json);
        });
        json.WriteEndObject();
        json.Flush();
        yield return true;
    }

    /// <summary>The event loop.</summary>
    private Family[] Begin(Utf8JsonWriter json)
    {
        // Before any family is looked at: what one that goes meanwhile has carried is not counted twice.
        (_ringBytes, _strictlyRefused) = (statistics.RingBytes, statistics.StrictlyRefused);
        if (Broker is not null) _programs.Add(statistics.Ended);
        if (Cluster is not null) ClusterReport.Write(json, Cluster, Broker?.Remote);
        if (Broker is not null) WritePolicy(json, Broker.Policy);
        return [.. families];
    }

    /// <summary>The event loop. What is added has to be released.</summary>
    private void LookAt(Family[] some, List<ShownFamily> shown)
    {
        foreach (Family family in some)
        {
            if (family.Sessions.Count == 0) continue;
            Session[] sessions = [.. family.Sessions.Where(visible)];
            foreach (Session session in sessions) _users[session.Peer.UserId] = session.Account;
            _sessions += family.Sessions.Count;
            family.Retain();
            shown.Add(new ShownFamily(family, sessions, [.. family.Sessions], family.Ends.Count + family.Denials.Count > 0));
        }
    }

    private void Sum(Family family)
    {
        _ringBytes = Statistics.Sum(_ringBytes, family.RingBytes);
        _strictlyRefused = Statistics.Sum(_strictlyRefused, family.StrictlyRefused);
    }

    private void WriteRouter(Utf8JsonWriter json)
    {
        json.WriteStartObject("router");
        json.WriteString("version", Version);
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteNumber("uptime_s", statistics.UptimeSeconds);
        json.WriteNumber("sessions", _sessions);
        json.WriteNumber("joined_total", statistics.Joined);
        json.WriteNumber("ring_bytes_total", _ringBytes);
        json.WriteNumber("strictly_refused_total", _strictlyRefused);
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

    /// <summary>What of its limits each user takes, in the order of the command line's options. The event loop.</summary>
    private void WriteUsers(Utf8JsonWriter json)
    {
        json.WriteStartArray("users");
        foreach ((uint user, UserAccount account) in _users.OrderBy(user => user.Key))
        {
            json.WriteStartObject();
            json.WriteNumber("uid", user);
            Limited("sessions", account.Sessions, options.MaximumSessionsPerUser);
            Limited("connections", account.Connections, options.MaximumConnectionsPerUser);
            Limited("rings", account.Rings, options.MaximumRingsPerUser);
            Limited("ring_bytes", account.RingBytes, options.MaximumRingBytesPerUser);
            if (Broker is not null) json.WriteNumber("kept_ring_bytes", Broker.Kept.Of(user).Bytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();

        void Limited(string name, ulong used, ulong most)
        {
            json.WriteNumber(name, used);
            json.WriteNumber($"max_{name}", most);
        }
    }

    /// <summary>Which records each session that is shown has; those of no known process are the first one's.</summary>
    private List<(Session Session, List<uint> Records)> Sort(ShownFamily shown)
    {
        List<(Session, List<uint>)> sorted = [.. shown.Visible.Select(session => (session, new List<uint>()))];
        if (sorted.Count == 0) return sorted;
        Dictionary<Session, List<uint>> bySession = sorted.ToDictionary();
        Dictionary<uint, Session> byProcess = [];
        foreach (Session session in shown.All) byProcess.TryAdd(session.OwnProcessId, session);
        uint used = shown.Family.RecordsUsed;
        for (uint first = 0; first < used; first += RecordsAtATime)
        {
            int count = shown.Family.ReadRecords(first, _records.AsSpan(0, (int)Math.Min(RecordsAtATime, used - first)));
            for (int i = 0; i < count; i++)
            {
                if (!IsShown(_records[i])) continue;
                Session holder = byProcess.GetValueOrDefault((uint)_records[i].ProcessId) ?? shown.All[0];
                if (bySession.TryGetValue(holder, out List<uint>? list)) list.Add(first + (uint)i);
            }
        }
        return sorted;
    }

    private static bool IsShown(in ConnectionRecord record) => record.State is not ((uint)ConnectionState.Free or (uint)ConnectionState.Closed);

    private static void WriteProcess(Utf8JsonWriter json, Session session)
    {
        json.WriteStartObject();
        json.WriteNumber("pid", session.Peer.ProcessId);
        json.WriteString("program", session.Program);
        json.WriteString("container", session.Container);
        json.WriteNumber("uid", session.Peer.UserId);
        json.WriteStartArray("connections");
    }

    /// <summary>Those that lie close behind the first one that is not written yet; returns how many of the list are dealt with.</summary>
    private int WriteConnections(Utf8JsonWriter json, ShownFamily shown, List<uint> records, int done)
    {
        uint first = records[done];
        int some = 1;
        while (done + some < records.Count && records[done + some] - first < RecordsAtATime) some++;
        int count = shown.Family.ReadRecords(first, _records.AsSpan(0, (int)(records[done + some - 1] - first) + 1));
        List<uint> these = records.GetRange(done, some);
        if (shown.HasDecisions) Ask(() => { foreach (uint record in these) _decisions[record - first] = shown.Family.DecisionOn(record, _records[record - first].Generation); });
        foreach (uint record in these)
        {
            int at = (int)(record - first);
            if (at < count && IsShown(_records[at])) WriteConnection(json, _records[at], shown.HasDecisions ? _decisions[at] : default);
        }
        return some;
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

    /// <summary>A count as JSON can say it.</summary>
    public static long Counter(ulong value) => value > long.MaxValue ? long.MaxValue : (long)value;

    private static double AgeSeconds(ulong created)
    {
        // Stopwatch reads CLOCK_MONOTONIC here, as the shim does.
        double age = (Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency) - (created / 1e9);
        return Math.Round(Math.Max(0, age), 3);
    }
}
