using FreeFlow.Contract;

namespace FreeFlow.Router.Pairing;

/// <summary>The kernel, as the router's only source of facts about connections (design, principle 4).</summary>
internal interface IKernelWitness
{
    /// <summary>Reads what a socket that a process showed says of itself. Any thread: it may wait for who holds the socket's lock.</summary>
    ShownSocket Read(int socket);

    /// <summary>The facts about such a socket. <see cref="Reason.None"/> with facts, or why there are none.</summary>
    Reason Examine(ShownSocket shown, out SocketFacts? facts);

    /// <summary>Asks whether exactly this socket is still established with these addresses, without having a descriptor of it.</summary>
    Liveness Ask(SocketFacts facts);

    /// <summary>A session has shown a socket of this namespace: what is needed to ask there is kept until as many calls of <see cref="Release"/>.</summary>
    void Retain(ulong namespaceCookie);

    /// <summary>Nothing came of what was shown last: a namespace that no session has retained is let go of.</summary>
    void ReleaseUnused(ulong namespaceCookie);

    /// <summary>That session has ended.</summary>
    void Release(ulong namespaceCookie);
}
