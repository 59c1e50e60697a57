namespace FreeFlow.Router.Pairing;

/// <summary>System calls in which a thread sleeps until something happens on a socket.</summary>
internal enum SleepingCallKind
{
    /// <summary>read(2), recv(2) and their kin: the descriptor comes first.</summary>
    Receive,

    /// <summary>poll(2), ppoll(2): an array and its length.</summary>
    Poll,

    /// <summary>select(2), pselect(2): a number of descriptors, then sets of bits, the first for input.</summary>
    Select,

    /// <summary>epoll_wait(2) and its kin: the set comes first.</summary>
    Epoll,
}
