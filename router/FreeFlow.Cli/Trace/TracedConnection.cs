using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Cli.Trace;

/// <summary>One accelerated connection of a process while its bytes are copied: both directions of its ring.</summary>
internal sealed unsafe class TracedConnection : IDisposable
{
    private const int AfInet = 2;

    private readonly TracedFamily _family;
    private readonly uint _index, _generation;
    private readonly ulong _ring;
    private readonly ProcessMemory _memory;
    private readonly RingTap _outgoing, _incoming;
    private readonly byte[] _local, _remote;
    private readonly ushort _localPort, _remotePort;

    private TracedConnection(TracedFamily family, uint index, in ConnectionRecord record, ProcessMemory memory)
    {
        (_family, _index, _generation, _ring, _memory) = (family, index, record.Generation, record.RingAddress, memory);
        _outgoing = new RingTap(memory, RingLayout.WriterBlockOffset(record.Side, record.Capacity), record.Capacity);
        _incoming = new RingTap(memory, RingLayout.WriterBlockOffset(1 - record.Side, record.Capacity), record.Capacity);
        int length = record.Family == AfInet ? 4 : 16;
        fixed (byte* local = record.LocalAddress) _local = new ReadOnlySpan<byte>(local, length).ToArray();
        fixed (byte* remote = record.RemoteAddress) _remote = new ReadOnlySpan<byte>(remote, length).ToArray();
        (_localPort, _remotePort) = (record.LocalPort, record.RemotePort);
    }

    /// <summary>Both ends, in an order that is the same for both.</summary>
    public string Name => NameOf(_local, _localPort, _remote, _remotePort);

    /// <summary>Bytes that were overwritten before they were copied.</summary>
    public ulong Dropped => _outgoing.Dropped + _incoming.Dropped;

    /// <summary>Null if the record has no ring, or nothing of the process can be read.</summary>
    public static TracedConnection? Begin(TracedFamily family, uint index)
    {
        ConnectionRecord record = family.Read(index);
        if (!IsInRing(record)) return null;
        foreach (int process in family.Processes)
        {
            if (ProcessMemory.Open(process, record.RingAddress) is not { } memory) continue;
            TracedConnection connection = new(family, index, record, memory);
            if (connection._outgoing.IsRing && connection._incoming.IsRing)
            {
                family.Mark(index, traced: true);
                return connection;
            }
            memory.Dispose();
        }
        return null;
    }

    /// <summary>True if the record shows a ring that may be read.</summary>
    public static bool IsInRing(in ConnectionRecord record) =>
        record.RingAddress != 0 && record.Side <= 1 && RingLayout.IsValidCapacity(record.Capacity)
        && (ConnectionState)record.State is ConnectionState.Joined or ConnectionState.RingSharedMemory or ConnectionState.RingFabric;

    /// <summary>The name of a record's connection.</summary>
    public static string NameOf(in ConnectionRecord record)
    {
        int length = record.Family == AfInet ? 4 : 16;
        fixed (byte* local = record.LocalAddress)
        fixed (byte* remote = record.RemoteAddress)
            return NameOf(new ReadOnlySpan<byte>(local, length), record.LocalPort, new ReadOnlySpan<byte>(remote, length), record.RemotePort);
    }

    /// <summary>Writes what has come; how many packets, or −1 if the connection, or its ring, has gone and all of it is written.</summary>
    public int Copy(PacketWriter packets, byte[] buffer)
    {
        ConnectionRecord record = _family.Read(_index);
        bool over = record.Generation != _generation || record.RingAddress != _ring;
        int count = 0;
        // The questions before the answers, as far as one look can tell.
        bool server = _localPort <= _remotePort;
        for (int turn = 0; turn < 2; turn++)
        {
            bool outgoing = (turn == 0) != server;
            RingTap tap = outgoing ? _outgoing : _incoming, other = outgoing ? _incoming : _outgoing;
            int length = tap.Read(buffer, out ulong position);
            if (length < 0) return -1;
            for (int at = 0; at < length; at += PacketWriter.MostPayload)
            {
                ReadOnlySpan<byte> payload = buffer.AsSpan(at, Math.Min(PacketWriter.MostPayload, length - at));
                uint sequence = 1 + (uint)(position + (ulong)at), acknowledged = 1 + (uint)other.Position;
                if (outgoing) packets.Write(_local, _localPort, _remote, _remotePort, sequence, acknowledged, payload);
                else packets.Write(_remote, _remotePort, _local, _localPort, sequence, acknowledged, payload);
                count++;
            }
        }
        return over && count == 0 ? -1 : count;
    }

    public void Dispose()
    {
        if (_family.Read(_index).Generation == _generation) _family.Mark(_index, traced: false);
        _memory.Dispose();
    }

    private static string NameOf(ReadOnlySpan<byte> local, ushort localPort, ReadOnlySpan<byte> remote, ushort remotePort)
    {
        string here = $"{Convert.ToHexString(local)}:{localPort}", there = $"{Convert.ToHexString(remote)}:{remotePort}";
        return string.CompareOrdinal(here, there) <= 0 ? $"{here} {there}" : $"{there} {here}";
    }
}
