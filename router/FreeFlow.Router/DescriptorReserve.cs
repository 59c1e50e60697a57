using System;
using FreeFlow.Native;

namespace FreeFlow.Router;

/// <summary>
/// Keeps the last descriptors for what must not fail: messages that carry some, answers, and the calls by which the router looks at the kernel. The kernel always gives the lowest free number (open(2)),
/// so a number near the limit says that few are left, and nothing has to be counted.
/// </summary>
internal static class DescriptorReserve
{
    /// <summary>Twice what one message can carry (SCM_MAX_FD), and some more.</summary>
    private const ulong Most = 512;

    private static ulong s_forRings = int.MaxValue, s_forSessions = int.MaxValue, s_ofUser = int.MaxValue;

    /// <summary>Raises the limit as far as the system lets us, and keeps a part of it back.</summary>
    public static void Establish()
    {
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out ResourceLimit limit) != 0) return;
        limit.Soft = limit.Hard;
        if (Libc.setrlimit(Libc.RLIMIT_NOFILE, limit) != 0 && Libc.getrlimit(Libc.RLIMIT_NOFILE, out limit) != 0) return;
        ulong kept = Math.Min(Most, limit.Soft / 4);
        s_forRings = limit.Soft - kept;
        s_forSessions = limit.Soft - (2 * kept);
        s_ofUser = limit.Soft / 4;
    }

    /// <summary>True if a caller that got this number must be turned away. Those who are in already can go on for a while longer.</summary>
    public static bool IsTooHighForSession(int descriptor) => descriptor >= 0 && (ulong)descriptor >= s_forSessions;

    /// <summary>False if a user, who has so many descriptors that this router keeps for verbs, would have too many with so many more.</summary>
    public static bool HasRoom(ulong kept, ulong more) => kept + more <= s_ofUser;

    /// <summary>True if what got this number, to be kept for a ring, a link or a namespace, must be given up.</summary>
    public static bool IsTooHigh(int descriptor) => descriptor >= 0 && (ulong)descriptor >= s_forRings;
}
