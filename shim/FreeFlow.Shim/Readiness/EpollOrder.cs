using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// The kernel reports what became ready first before the rest, and servers serve in that order: a client that writes to one connection and then to another finds the first
/// one served first. Rings that were found ready by one look are brought into that order by the time of their last bytes.
/// </summary>
internal static unsafe class EpollOrder
{
    /// <summary>So many reports are sorted; a longer list is the work of many peers, and stays as it is.</summary>
    private const int Most = 64;

    /// <summary>Sorts the reports of hot registrations at <paramref name="first"/> and after. Caller holds the instance's lock.</summary>
    public static void Sort(EpollInstance* instance, EpollEvent* events, int first, int count)
    {
        int length = count - first;
        if (length > Most) return;
        ulong* times = stackalloc ulong[Most];
        int* entries = stackalloc int[Most];
        int found = 0;
        for (int i = 0; i < instance->HotCount && found < length; i++)
        {
            Registration* entry = Registrations.Entries + instance->Hot[i];
            int at = entry->ReportedAt - first;
            if (entry->ReportedRound != instance->Round || (uint)at >= (uint)length || entry->Connection == 0) continue;
            entries[at] = instance->Hot[i];
            times[at] = Volatile.Read(ref Block.Incoming(Family.Records + (entry->Connection - 1))->WrittenAt);
            found++;
        }
        // A report whose registration has left the list meanwhile.
        if (found < length) return;
        for (int i = 1; i < length; i++)
        {
            ulong time = times[i];
            int entry = entries[i], at = i;
            EpollEvent report = events[first + i];
            for (; at > 0 && times[at - 1] > time; at--)
            {
                times[at] = times[at - 1];
                entries[at] = entries[at - 1];
                events[first + at] = events[first + at - 1];
                Registrations.Entries[entries[at]].ReportedAt = first + at;
            }
            if (at == i) continue;
            times[at] = time;
            entries[at] = entry;
            events[first + at] = report;
            Registrations.Entries[entry].ReportedAt = first + at;
        }
    }
}
