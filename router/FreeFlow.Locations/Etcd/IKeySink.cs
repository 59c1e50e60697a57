using System;

namespace FreeFlow.Locations.Etcd;

/// <summary>Hears what a <see cref="KeyFollower"/> learns: always on one thread at a time, in etcd's order within a range.</summary>
internal interface IKeySink
{
    /// <summary>All entries of the range follow; may come again before <see cref="ListEnds"/> when etcd failed in the middle.</summary>
    void ListBegins(KeyRange range);

    void Listed(KeyRange range, KeyValue entry);

    /// <summary>What was not listed does not exist.</summary>
    void ListEnds(KeyRange range, long revision);

    void Put(KeyRange range, KeyValue entry);

    void Deleted(KeyRange range, KeyValue entry);

    /// <summary>Every range is followed from now on. Called again after each change of the ranges.</summary>
    void Current(Uri endpoint, long revision);

    /// <summary>etcd does not answer: what was heard last may grow old. Called for each attempt.</summary>
    /// <param name="reason">For the operator.</param>
    /// <param name="lastHeard">Stopwatch timestamp of the last sign of life.</param>
    void Outage(string reason, long lastHeard);
}
