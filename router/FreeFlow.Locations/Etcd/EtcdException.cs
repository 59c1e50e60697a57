using System;

namespace FreeFlow.Locations.Etcd;

/// <summary>etcd did not answer, or refused. The message is the one line for the operator.</summary>
/// <param name="message">What happened, and at which endpoint.</param>
/// <param name="code">The gRPC status code, or 14 (unavailable) if no answer came.</param>
public sealed class EtcdException(string message, int code) : Exception(message)
{
    internal const int NotFound = 5, FailedPrecondition = 9, OutOfRange = 11, Unavailable = 14, Unauthenticated = 16;

    /// <summary>gRPC's status code.</summary>
    public int Code { get; } = code;

    /// <summary>Another endpoint may do better: no answer, no leader, too slow, too many requests.</summary>
    internal bool MayPass => Code is Unavailable or 1 or 2 or 4 or 8;
}
