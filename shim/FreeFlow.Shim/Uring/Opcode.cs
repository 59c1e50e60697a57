namespace FreeFlow.Shim.Uring;

/// <summary>IORING_OP_ numbers that the shim tells apart, and those that move no byte of the descriptor they name.</summary>
internal static class Opcode
{
    public const byte Nop = 0, SendMessage = 9, Close = 19, FilesUpdate = 20, EpollControl = 29, Splice = 30, Tee = 33, Shutdown = 34,
        SendMessageZeroCopy = 48;

    /// <summary>Beyond it nothing is known: the descriptor is taken for one that bytes are moved on.</summary>
    private const byte LastHarmless = 62;

    /// <summary>
    /// One bit for each operation whose descriptor field is none, is a folder's, or names a file whose bytes stay where they are: timeouts,
    /// cancelling, opening, buffers, names and attributes, futexes, MSG_RING, SOCKET, WAITID, FIXED_FD_INSTALL, FTRUNCATE, PIPE.
    /// </summary>
    private const ulong Harmless =
        (1UL << 0) | (1UL << 3) | (1UL << 7) | (1UL << 8) | (1UL << 11) | (1UL << 12) | (1UL << 14) | (1UL << 15) | (1UL << 17)
        | (1UL << 18) | (1UL << 21) | (1UL << 24) | (1UL << 25) | (1UL << 28) | (1UL << 31) | (1UL << 32) | (1UL << 35) | (1UL << 36)
        | (1UL << 37) | (1UL << 38) | (1UL << 39) | (1UL << 40) | (1UL << 41) | (1UL << 42) | (1UL << 43) | (1UL << 44) | (1UL << 45)
        | (1UL << 50) | (1UL << 51) | (1UL << 52) | (1UL << 53) | (1UL << 54) | (1UL << 55) | (1UL << 62);

    public static bool IsHarmless(byte opcode) => opcode <= LastHarmless && (Harmless & (1UL << opcode)) != 0;
}
