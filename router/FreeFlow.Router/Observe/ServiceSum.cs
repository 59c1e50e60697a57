using FreeFlow.Contract;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Router.Observe;

/// <summary>What the connections of one program to, or as, one service have come to. By the processes' own word, which is why sums stop at the largest number.</summary>
internal sealed class ServiceSum
{
    public long Open { get; private set; }
    public long OpenInRing { get; private set; }
    public long Ended { get; private set; }
    public long EndedInRing { get; private set; }
    public long KernelSent { get; private set; }
    public long KernelReceived { get; private set; }
    public long RingSent { get; private set; }
    public long RingReceived { get; private set; }

    /// <summary>Adds what the shim has kept of ended connections.</summary>
    public void Add(in ServiceTotals totals)
    {
        Ended = Statistics.Sum(Ended, totals.Ended);
        EndedInRing = Statistics.Sum(EndedInRing, totals.EndedInRing);
        AddBytes(totals.KernelSent, totals.KernelReceived, totals.RingSent, totals.RingReceived);
    }

    /// <summary>Adds a connection: an open one, or one that has ended with its process.</summary>
    public void Add(in ConnectionRecord record, bool isOpen)
    {
        ulong sent = record.EarlierSent + record.SendTail, received = record.EarlierReceived + record.ReceiveHead;
        bool inRing = isOpen ? (ConnectionState)record.State is ConnectionState.RingSharedMemory or ConnectionState.RingRdma or ConnectionState.RingFabric : sent + received != 0;
        if (isOpen) (Open, OpenInRing) = (Open + 1, OpenInRing + (inRing ? 1 : 0));
        else (Ended, EndedInRing) = (Statistics.Sum(Ended, 1), Statistics.Sum(EndedInRing, inRing ? 1 : 0));
        AddBytes(record.KernelSent, record.KernelReceived - record.KernelDropped, sent, received);
    }

    /// <summary>Adds all of another one.</summary>
    public void Add(ServiceSum other)
    {
        (Open, OpenInRing) = (Open + other.Open, OpenInRing + other.OpenInRing);
        (Ended, EndedInRing) = (Statistics.Sum(Ended, other.Ended), Statistics.Sum(EndedInRing, other.EndedInRing));
        AddBytes((ulong)other.KernelSent, (ulong)other.KernelReceived, (ulong)other.RingSent, (ulong)other.RingReceived);
    }

    private void AddBytes(ulong kernelSent, ulong kernelReceived, ulong ringSent, ulong ringReceived)
    {
        KernelSent = Statistics.Sum(KernelSent, StatusReport.Counter(kernelSent));
        KernelReceived = Statistics.Sum(KernelReceived, StatusReport.Counter(kernelReceived));
        RingSent = Statistics.Sum(RingSent, StatusReport.Counter(ringSent));
        RingReceived = Statistics.Sum(RingReceived, StatusReport.Counter(ringReceived));
    }
}
