using System;
using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>How long a request waits for an answer (IBA 9.7.6.1.3), by the attributes that the program has set: retries of a silent peer, and of one that has no receive (RNR).</summary>
internal static unsafe class Deadlines
{
    private const byte ForEver = 7;

    /// <summary>A device waits between one and four times what was asked for.</summary>
    private const ulong Patience = 4;

    private const ulong TimeoutUnitNanoseconds = 4096, RnrUnitNanoseconds = 10_000;

    /// <summary>RNR NAK timer field values (IBA table 45), in units of 0.01 ms.</summary>
    private static ReadOnlySpan<uint> RnrTimers =>
    [
        65536, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152,
    ];

    /// <summary>The oldest request has made no progress: ends it when its time is over. True if there is a limit, or one was passed.</summary>
    public static bool Check(QueuePair* pair)
    {
        ulong now = Process.Now();
        if (pair->StalledSince == 0) pair->StalledSince = now;
        bool answers = Requester.IsReady(pair);
        ulong limit = answers ? RnrLimit(pair) : SilenceLimit(pair);
        if (limit == 0) return false;
        if (now - pair->StalledSince < limit) return true;
        // Once more: the answer may have come while nobody looked.
        pair->StalledSince = 0;
        WorkRequest* request = QueuePair.SendAt(pair, pair->SendHead++);
        if (pair->SendNext < pair->SendHead) pair->SendNext = pair->SendHead;
        QueuePairErrors.CompleteSend(pair, request, answers ? Ibv.RnrRetryExcErr : Ibv.RetryExcErr);
        QueuePairErrors.Enter(pair);
        return true;
    }

    private static ulong RnrLimit(QueuePair* pair)
    {
        byte retries = pair->Attributes.RnrRetry;
        // With a receive posted the peer is only slow.
        bool hasReceive = pair->SendHead != pair->SendNext && Volatile.Read(ref pair->Out->Receives) > QueuePair.SendAt(pair, pair->SendHead)->Message;
        if (retries >= ForEver || hasReceive) return 0;
        uint code = Volatile.Read(ref pair->Out->RnrTimer) & 31;
        return (retries + 1UL) * RnrTimers[(int)code] * RnrUnitNanoseconds;
    }

    private static ulong SilenceLimit(QueuePair* pair)
    {
        int exponent = pair->Attributes.Timeout & 31;
        return exponent == 0 ? 0 : (TimeoutUnitNanoseconds << exponent) * (pair->Attributes.RetryCount + 1UL) * Patience;
    }
}
