using System;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>A way to a program's own socket, for <see cref="StandIn"/>, and who bears what that costs.</summary>
/// <param name="User">The program's uid.</param>
/// <param name="Take">A descriptor of the socket, the caller's to close at once, or −1. Any thread, one at a time.</param>
internal sealed record SocketLoan(uint User, Func<int> Take);
