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

    /// <summary>The application's event mask and data.</summary>
    public uint Events;
    public RegistrationFlags Flags;
    public ulong Data;

    /// <summary>The mask the kernel has now; may be wider than needed, so that most changes of an accelerated registration cost no system call.</summary>
    public uint KernelEvents;

    /// <summary>The ring's Tail at the last report; edge-triggered reports need a newer one.</summary>
    public ulong TailReported;

    /// <summary>Raised when the registration is freed, so that an event fetched before finds out.</summary>
    public uint Generation;

    /// <summary>Place in the instance's hot list, −1 if cold.</summary>
    public int HotPosition;

    /// <summary>The instance's count of waits when it became hot or was last reported.</summary>
    public uint HotSince;

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

    /// <summary>Added or modified since the last report: edge-triggered mode owes a report of the present state.</summary>
    Fresh = 2,
}
