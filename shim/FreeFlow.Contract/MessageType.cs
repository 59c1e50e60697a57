namespace FreeFlow.Contract;

/// <summary>Element 0 of every control message.</summary>
public enum MessageType : byte
{
    /// <summary>Process to router: who answers? And then, with the family table's memfd (one descriptor): open a session.</summary>
    Hello = 1,

    /// <summary>Router to process: the router's pid namespace (one descriptor). And then: the session stands.</summary>
    Welcome = 2,

    /// <summary>Process to router: shows one connected socket (one descriptor) and asks for a ring.</summary>
    Offer = 3,

    /// <summary>Router to process: the ring's memfd, the process's own doorbell, the peer's doorbell (three descriptors).</summary>
    Join = 4,

    /// <summary>Router to process: this connection stays in the kernel, with the reason.</summary>
    Refuse = 5,

    /// <summary>Process to router: an offered or joined connection was closed.</summary>
    Withdraw = 6,

    /// <summary>Command line to router: asks for the status, as far as the kernel says that the asker may see it.</summary>
    StatusRequest = 7,

    /// <summary>Router to command line: a socket by which the status comes as JSON (one descriptor).</summary>
    StatusReply = 8,

    /// <summary>Process to router: brings what is unread in a ring back into the kernel, in place of its writer.</summary>
    ReturnRequest = 9,

    /// <summary>Verbs (<see cref="Messages.VerbsHello"/>).</summary>
    VerbsHello = 10,

    /// <summary>Verbs (<see cref="Messages.VerbsReply"/>).</summary>
    VerbsReply = 11,

    /// <summary>Verbs (<see cref="Messages.VerbsCreateQueuePair"/>).</summary>
    VerbsCreateQueuePair = 12,

    /// <summary>Verbs (<see cref="Messages.VerbsConnect"/>).</summary>
    VerbsConnect = 13,

    /// <summary>Verbs (<see cref="Messages.VerbsJoin"/>).</summary>
    VerbsJoin = 14,

    /// <summary>Verbs (<see cref="Messages.VerbsLeave"/>).</summary>
    VerbsLeave = 15,

    /// <summary>Verbs (<see cref="Messages.VerbsRegister"/>).</summary>
    VerbsRegister = 16,

    /// <summary>Verbs (<see cref="Messages.VerbsDeregister"/>).</summary>
    VerbsDeregister = 17,

    /// <summary>Verbs (<see cref="Messages.VerbsResolve"/>).</summary>
    VerbsResolve = 18,

    /// <summary>Verbs (<see cref="Messages.VerbsGrant"/>).</summary>
    VerbsGrant = 19,

    /// <summary>Verbs (<see cref="Messages.VerbsEdge"/>).</summary>
    VerbsEdge = 20,

    /// <summary>Verbs (<see cref="Messages.VerbsEdgeReply"/>).</summary>
    VerbsEdgeReply = 21,

    /// <summary>Verbs (<see cref="Messages.VerbsListen"/>).</summary>
    VerbsListen = 22,

    /// <summary>Verbs (<see cref="Messages.VerbsArrival"/>).</summary>
    VerbsArrival = 23,

    /// <summary>Verbs (<see cref="Messages.VerbsCmCommand"/>).</summary>
    VerbsCmCommand = 24,

    /// <summary>Verbs (<see cref="Messages.VerbsCmCreate"/>).</summary>
    VerbsCmCreate = 25,

    /// <summary>Verbs (<see cref="Messages.VerbsCmAddress"/>).</summary>
    VerbsCmAddress = 26,

    /// <summary>Verbs (<see cref="Messages.VerbsCmConnect"/>).</summary>
    VerbsCmConnect = 27,

    /// <summary>Verbs (<see cref="Messages.VerbsCmState"/>).</summary>
    VerbsCmState = 28,

    /// <summary>Verbs (<see cref="Messages.VerbsCmEvent"/>).</summary>
    VerbsCmEvent = 29,

    /// <summary>Process to router: puts bytes back into a socket's own queue (<see cref="Messages.RefillRequest"/>; two descriptors).</summary>
    RefillRequest = 30,
}
