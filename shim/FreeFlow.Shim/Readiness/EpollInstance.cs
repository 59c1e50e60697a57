using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Readiness;

/// <summary>What this process knows of one epoll instance that has a TCP socket registered.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EpollInstance
{
    /// <summary>Thread that holds the lists below, 0 if none.</summary>
    public uint Lock;

    /// <summary>One of the descriptors below, to reach the kernel's set by.</summary>
    public int Epoll;

    /// <summary>Descriptors of this process that refer to it.</summary>
    public int References;

    /// <summary>Index plus one of the first registration.</summary>
    public int FirstRegistration;

    /// <summary>Registrations whose connection has a ring.</summary>
    public int Accelerated;

    /// <summary>Registrations that bear a tag without a ring (<see cref="RegistrationFlags.Tagged"/>).</summary>
    public int Tagged;

    /// <summary>
    /// Hot registrations: those whose doorbell is not armed, to be looked at in user space. All others are armed and cost nothing: the kernel reports
    /// their doorbell.
    /// </summary>
    public int* Hot;
    public int HotCount;

    /// <summary>Where the next look at the hot ones starts, so that none starves.</summary>
    public int HotStart;

    /// <summary>1: every hot one has had its turn since the kernel had one.</summary>
    public int HotCameRound;

    /// <summary>Whose turn it is, how many events the kernel's has had, and the data of one of them; see <see cref="EpollTurns"/>.</summary>
    public int Turn;
    public int TurnLength;
    public ulong TurnMark;

    /// <summary>Threads that sleep in the kernel on this instance, or are about to: counted before they arm.</summary>
    public int Sleepers;

    /// <summary>Threads that have slept in a wait on the instance and have not returned from it.</summary>
    public int Inside;

    /// <summary>1: its last descriptor is closed; it lives on by one of the shim's own until nobody is inside any more.</summary>
    public int Kept;

    /// <summary>
    /// An eventfd of the shim's own in this epoll set, level-triggered: wakes a sleeper that must look at its registrations again. Not a doorbell, which
    /// would wake whoever rings it, too. 0 before the first accelerated registration.
    /// </summary>
    public int Nudge;

    /// <summary>Number of the wait in progress; tells which registrations are in its result already.</summary>
    public uint Round;

    /// <summary>1: a wait for it has come by the shim, so that it may contain what is the shim's (<see cref="Registrations.BeginWaiting"/>).</summary>
    public int Waited;

    /// <summary>Calls of epoll_wait so far.</summary>
    public uint Waits;

    /// <summary>When the kernel was last asked.</summary>
    public ulong KernelAsked;

    /// <summary>Next free instance plus one.</summary>
    public int NextFree;

    /// <summary>1: a process forked since has the same set and the same nudge.</summary>
    public int Shared;

    /// <summary>1: connections with one doorbell have been registered here.</summary>
    public int HasMates;

    /// <summary>1: others wait for this instance as a whole: it is registered in another one, or polled.</summary>
    public int Watched;

    /// <summary>
    /// An epoll set of the shim's own, for a watched instance: what the shim has added (doorbells, the nudge) and its tagged sockets move there, so that the kernel's answer for
    /// the application's set means only what the application put in. 0 if there is none.
    /// </summary>
    public int Private;

    /// <summary>1: they have moved, and the private set is itself in the application's.</summary>
    public int IsPrivate;

    /// <summary>Registrations that stand for other epoll instances.</summary>
    public int Guests;

    /// <summary>Edges of hot registrations that were seen so far: what an edge-triggered registration of this instance in another one counts.</summary>
    public ulong Edges;

    /// <summary>Not 0: another program has the set, too; what is registered in it stays in the kernel, for this reason.</summary>
    public int GivenAway;
}
