using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>What one program's connections have come to, by service; and why those that no ring has carried were not further.</summary>
internal sealed class ProgramSum
{
    private const int RecordsAtATime = 256;

    /// <summary>A family says at most as many; a program that comes again and again may have had others.</summary>
    private const int MostServices = 256;

    private readonly long[] _reasons = new long[FamilyLayout.ReasonCount];

    /// <summary>Connected processes.</summary>
    public long Processes { get; set; }

    /// <summary>By <see cref="ServiceTotals.KeyOf"/>.</summary>
    public SortedDictionary<uint, ServiceSum> Services { get; } = [];

    /// <summary>How many connections have ended in the kernel, or are there, by <see cref="Reason"/>.</summary>
    public ReadOnlySpan<long> Reasons => _reasons;

    /// <summary>Adds what a family's table says; its first <paramref name="most"/> records are looked at.</summary>
    public void Add(Family family, bool isOpen, uint most)
    {
        Span<ServiceTotals> ended = stackalloc ServiceTotals[FamilyLayout.ServiceCount];
        Span<uint> reasons = stackalloc uint[FamilyLayout.ReasonCount];
        family.ReadTotals(ended, reasons);
        foreach (ref readonly ServiceTotals service in ended)
        {
            if (service.Key != 0) Of(service.Key).Add(service);
        }
        for (int i = 0; i < reasons.Length; i++) _reasons[i] += reasons[i];
        ConnectionRecord[] records = new ConnectionRecord[RecordsAtATime];
        uint used = Math.Min(family.RecordsUsed, most);
        for (uint first = 0; first < used; first += RecordsAtATime)
        {
            int count = family.ReadRecords(first, records.AsSpan(0, (int)Math.Min(RecordsAtATime, used - first)));
            foreach (ref readonly ConnectionRecord record in records.AsSpan(0, count)) Add(record, isOpen);
        }
    }

    /// <summary>Adds all of another one.</summary>
    public void Add(ProgramSum other)
    {
        Processes += other.Processes;
        foreach ((uint key, ServiceSum service) in other.Services) Of(key).Add(service);
        for (int i = 0; i < _reasons.Length; i++) _reasons[i] += other._reasons[i];
    }

    private void Add(in ConnectionRecord record, bool isOpen)
    {
        if ((ConnectionState)record.State == ConnectionState.Free || record.RemotePort == 0) return;
        // A closed one's record is kept for a while, for what the other end has not read.
        Of(ServiceTotals.KeyOf(record.LocalPort, record.RemotePort)).Add(record, isOpen && (ConnectionState)record.State != ConnectionState.Closed);
        if (record.EarlierSent + record.SendTail + record.EarlierReceived + record.ReceiveHead != 0 && (ConnectionState)record.State == ConnectionState.Closed) return;
        bool kernel = (ConnectionState)record.State is not (ConnectionState.RingSharedMemory or ConnectionState.RingRdma or ConnectionState.RingFabric);
        if (kernel && record.Reason < FamilyLayout.ReasonCount) _reasons[record.Reason]++;
    }

    private ServiceSum Of(uint key)
    {
        if (Services.TryGetValue(key, out ServiceSum? known)) return known;
        if (Services.Count >= MostServices && !Services.TryGetValue(key = ServiceTotals.Others, out known)) return Services[key] = new ServiceSum();
        return known ?? (Services[key] = new ServiceSum());
    }
}
