using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>The way of datagrams from one queue pair to another, from one address to another; opened by the sender, whose address is proven.</summary>
internal sealed class VerbsPath(VerbsPair shared, VerbsQueuePair sender, VerbsQueuePair receiver, InternetAddress from, InternetAddress to)
{
    /// <summary>Whose block is whose.</summary>
    public const int Sending = 0, Receiving = 1;

    public VerbsPair Shared { get; } = shared;
    public VerbsQueuePair Sender { get; } = sender;
    public VerbsQueuePair Receiver { get; } = receiver;
    public InternetAddress From { get; } = from;
    public InternetAddress To { get; } = to;
}
