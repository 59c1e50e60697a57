using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Socket options that ask for what only the kernel does with the bytes: such a connection stays there, or goes back.</summary>
internal static unsafe class KernelOptions
{
    /// <param name="level">SOL_SOCKET or SOL_TCP.</param>
    /// <param name="option">The option's number, which setsockopt(2) has just accepted.</param>
    /// <param name="value">Its value.</param>
    /// <param name="length">The value's length.</param>
    /// <summary>True if the option has been switched on that the ring cannot follow.</summary>
    public static bool Need(int level, int option, void* value, uint length)
    {
        int number = 0;
        if (length < sizeof(int) || !CallerMemory.TryRead((int*)value, &number)) number = 0;
        return level switch
        {
            Linux.SOL_SOCKET => option switch
            {
                // One byte is what every wait waits for; a negative number stands for as many as can be.
                Linux.SO_RCVLOWAT => number is > 1 or < 0,
                // A negative one switches it off (socket(7)).
                Linux.SO_PEEK_OFF => number >= 0,
                // Ancillary data that tells of packets.
                Linux.SO_ZEROCOPY or Linux.SO_TIMESTAMP or Linux.SO_TIMESTAMPNS or Linux.SO_TIMESTAMPING
                    or (>= Linux.SO_TIMESTAMP_NEW and <= Linux.SO_TIMESTAMPING_NEW) => number != 0,
                Linux.SO_ATTACH_FILTER or Linux.SO_ATTACH_BPF => true,
                _ => false,
            },
            Linux.SOL_TCP => option is Linux.TCP_ULP or Linux.TCP_REPAIR || (option == Linux.TCP_INQ && number != 0),
            _ => false,
        };
    }
}
