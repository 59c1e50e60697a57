using System;
using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Readiness;

/// <summary>One descriptor in one epoll instance, as the application registered it (epoll_ctl(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Registration
{
    public int Instance;
    public int Descriptor;

    /// <summary>Index of the connection's record plus one once the registration is accelerated; 0 before.</summary>
    public uint Connection;

    /// <summary>Index plus one of the epoll instance this registration stands for; 0 for a socket's.</summary>
    public int Guest;

    /// <summary>The application's event mask and data.</summary>
    public uint Events;
    public RegistrationFlags Flags;
    public ulong Data;

    /// <summary>The mask the kernel has now; may be wider than needed, so that most changes of an accelerated registration cost no system call.</summary>
    public uint KernelEvents;

    /// <summary>What the kernel has said of it, as an edge-triggered one hears it once, since the application last changed the registration.</summary>
    public uint KernelTold;

    /// <summary>The ring's Tail at the last report; edge-triggered reports need a newer one.</summary>
    public ulong TailReported;

    /// <summary>Of a watched instance: Tail and mask when they were last counted among its <see cref="EpollInstance.Edges"/>.</summary>
    public ulong TailSeen;
    public uint BitsSeen;

    /// <summary>Raised when the registration is freed, so that an event fetched before finds out.</summary>
    public uint Generation;

    /// <summary>Place in the instance's hot list, −1 if cold.</summary>
    public int HotPosition;

    /// <summary>The instance's count of waits when it became hot or was last reported.</summary>
    public uint HotSince;

    /// <summary>CLOCK_MONOTONIC nanoseconds when its socket was last asked what the kernel has to say of it.</summary>
    public ulong KernelAsked;

    /// <summary>Round and place of the last report, to merge what kernel and ring say of one registration.</summary>
    public uint ReportedRound;
    public int ReportedAt;

    /// <summary>Lists: registrations of one descriptor, of one instance; all plus one, 0 ends.</summary>
    public int NextOfDescriptor;
    public int NextOfInstance;
    public int PreviousOfInstance;

    /// <summary>Circle of the registrations of one instance whose connections share a doorbell, plus one; 0 if there is no other.</summary>
    public int NextMate;
}

/// <summary>State bits of a <see cref="Registration"/>.</summary>
[Flags]
internal enum RegistrationFlags : uint
{
    None = 0,

    /// <summary>EPOLLONESHOT has fired; silent until EPOLL_CTL_MOD.</summary>
    Disarmed = 1,

    /// <summary>
    /// Removed by the application, but still in the kernel's set: programs that add and remove the same socket all the time pay nothing, and the first
    /// event the kernel reports removes it for good.
    /// </summary>
    Dormant = 4,

    /// <summary>Dormant, and no longer in the kernel's set.</summary>
    Absent = 8,

    /// <summary>
    /// Its descriptor is closed, but the socket lives on by another one: epoll(7) goes on reporting it, and nobody can modify or remove it any more.
    /// <see cref="Registration.Descriptor"/> is one that is still open.
    /// </summary>
    Ghost = 16,

    /// <summary>A ghost of whose socket this process has no descriptor at all, but a relative has. <see cref="Registration.Descriptor"/> is −1.</summary>
    Bodiless = 256,

    /// <summary>
    /// It has no ring, and bears the shim's tag in the kernel all the same: whether EPOLLONESHOT has fired must be known when a ring comes.
    /// </summary>
    Tagged = 512,

    /// <summary>Added or modified since the last report: edge-triggered mode owes a report of the present state.</summary>
    Fresh = 2,

    /// <summary>The kernel's event was taken while somebody else asked whether the instance is ready: it is still to be reported, if what it says still holds then.</summary>
    Owed = 32,

    /// <summary>Moved from one kernel set to another, which says anew what the first had said.</summary>
    Echoes = 64,

    /// <summary>The kernel has been given a mask, and answers that its socket is writable, as it always is while the ring is used.</summary>
    Answers = 128,

    /// <summary>A report has told what the kernel's set still holds: the event that says no more than that is not told again.</summary>
    Told = 1024,

    /// <summary>The own shutdown(2) has woken whoever waits on the socket: the kernel's set holds an event, which belongs to the report that is owed.</summary>
    Woken = 2048,
}
