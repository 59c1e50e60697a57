namespace FreeFlow.EndToEnd.Tests;

/// <summary>What programs/stream.py is asked to do.</summary>
/// <param name="Where">processes (one per container) | threads | single (of one process, in the server's container).</param>
/// <param name="Style">blocking | poll | select | epoll-lt | epoll-et | epoll-oneshot.</param>
/// <param name="Family">4 | 6 | mapped (IPv4-mapped IPv6 on the client's side) | dual (IPv4 client, IPv6 listener).</param>
/// <param name="Bytes">Bytes in each direction.</param>
/// <param name="Seed">Of the bytes, their sizes and the calls that move them.</param>
/// <param name="Pauses">Each side sleeps now and then.</param>
/// <param name="Promised">What FIONREAD counts must come in one read.</param>
public sealed record StreamPlan(string Where, string Style, string Family, long Bytes, int Seed, bool Pauses = false, bool Promised = false)
{
    public override string ToString() => $"{Where}, {Style}, IPv{Family}, {Bytes} bytes, seed {Seed}{(Pauses ? ", pauses" : "")}{(Promised ? ", promised" : "")}";
}
