namespace FreeFlow.EndToEnd.Tests;

/// <summary>What programs/stream.py is asked to do.</summary>
/// <param name="Where">processes (one per container) | threads | single (of one process, in the server's container).</param>
/// <param name="Style">blocking | poll | select | epoll-lt | epoll-et | epoll-oneshot.</param>
/// <param name="Family">4 | 6 | mapped (IPv4-mapped IPv6 on the client's side) | dual (IPv4 client, IPv6 listener).</param>
/// <param name="Bytes">Bytes in each direction.</param>
/// <param name="Seed">Of the bytes, their sizes and the calls that move them.</param>
/// <param name="Options">
/// Words: pauses (each side sleeps now and then), promised (what FIONREAD counts must come in one read), warm (question and answer before the flood),
/// narrow (small socket buffers).
/// </param>
public sealed record StreamPlan(string Where, string Style, string Family, long Bytes, int Seed, string Options = "")
{
    public override string ToString() => $"{Where}, {Style}, IPv{Family}, {Bytes} bytes, seed {Seed}, {Options}";
}
