using System.Threading;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Shim.Control;

/// <summary>Keeps what a connection has carried when its record is freed, for <c>freeflow status</c>.</summary>
internal static unsafe class ServiceCounts
{
    private const uint Last = FamilyLayout.ServiceCount - 1;

    public static void Add(FamilyHeader* header, ConnectionRecord* record)
    {
        // It has never had a peer.
        if (record->RemotePort == 0) return;
        ulong ringSent = record->EarlierSent + record->SendTail, ringReceived = record->EarlierReceived + record->ReceiveHead;
        ServiceTotals* totals = Find(header, ServiceTotals.KeyOf(record->LocalPort, record->RemotePort));
        Interlocked.Increment(ref totals->Ended);
        if (ringSent + ringReceived != 0) Interlocked.Increment(ref totals->EndedInRing);
        else if (record->Reason < FamilyLayout.ReasonCount) Interlocked.Increment(ref header->EndedByReason[record->Reason]);
        Interlocked.Add(ref totals->KernelSent, record->KernelSent);
        Interlocked.Add(ref totals->KernelReceived, record->KernelReceived - record->KernelDropped);
        Interlocked.Add(ref totals->RingSent, ringSent);
        Interlocked.Add(ref totals->RingReceived, ringReceived);
    }

    /// <summary>The place of a service, taken if it has none; the last one if there is none to be had.</summary>
    private static ServiceTotals* Find(FamilyHeader* header, uint key)
    {
        ServiceTotals* places = (ServiceTotals*)((byte*)header + FamilyLayout.ServicesOffset);
        for (uint i = 0; i < Last; i++)
        {
            uint there = Volatile.Read(ref places[i].Key);
            if (there == 0) there = Interlocked.CompareExchange(ref places[i].Key, key, 0);
            if (there == key || there == 0) return places + i;
        }
        Volatile.Write(ref places[Last].Key, ServiceTotals.Others);
        return places + Last;
    }
}
