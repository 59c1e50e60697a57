namespace FreeFlow.Shim.Native;

/// <summary>Bits of the per-descriptor byte; the same names stand in native/freeflow.h.</summary>
internal static class DescriptorFlags
{
    /// <summary>Numbers that have a byte; those beyond are the kernel's alone. Set once, at load.</summary>
    public static uint Capacity;

    /// <summary>A TCP connection with a record: its transfers come to the shim.</summary>
    public const byte Connection = 1;

    /// <summary>A TCP socket that is not connected yet.</summary>
    public const byte Candidate = 2;

    /// <summary>An epoll instance.</summary>
    public const byte Epoll = 4;

    /// <summary>One of the shim's own descriptors: the application can neither see nor close it.</summary>
    public const byte Internal = 8;

    /// <summary>Of a candidate: another number was made for the same socket.</summary>
    public const byte Copied = 16;

    /// <summary>Of a connection: it has not been offered yet.</summary>
    public const byte Fresh = 32;

    /// <summary>An io_uring.</summary>
    public const byte Ring = 64;

    /// <summary>An event channel of rdma_cm: what is written to it are commands.</summary>
    public const byte ConnectionManager = 128;
}
