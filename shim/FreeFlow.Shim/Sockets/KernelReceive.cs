using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Receives from the kernel's socket.</summary>
internal static unsafe class KernelReceive
{
    /// <summary>A receive on the kernel socket of at most <paramref name="limit"/> bytes, never blocking, counted towards the switch.</summary>
    public static nint Part(int fd, ConnectionRecord* record, ref VectorCursor target, int flags, nuint limit)
    {
        const int pieces = 16;
        IoVector* vectors = stackalloc IoVector[pieces];
        MessageHeader part = new() { Vectors = vectors, VectorCount = target.CopyTo(vectors, pieces, limit) };
        nint received = Take(fd, record, &part, (flags & ~Linux.MSG_WAITALL) | Linux.MSG_DONTWAIT);
        if (received <= 0) return received;
        if ((flags & Linux.MSG_PEEK) == 0)
        {
            Volatile.Write(ref record->KernelConsumed, record->KernelConsumed + (ulong)received);
            ReceiveReturn.Passed(record, received);
        }
        target.AdvanceAll((nuint)received);
        return received;
    }

    /// <summary>A receive on the kernel socket, whatever it is; bytes that are taken are counted.</summary>
    public static nint Take(int fd, ConnectionRecord* record, MessageHeader* message, int flags)
    {
        bool plain = message->VectorCount == 1 && message->Name == null && message->Control == null && (flags & (Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) == 0;
        nint received = Process.FromLibc(plain
            ? Process.Libc->recv(fd, message->Vectors->Base, message->Vectors->Length, flags)
            : Process.Libc->recvmsg(fd, message, flags));
        if (plain && received >= 0) SetOutputs(message, flags);
        if (received > 0 && (flags & (Linux.MSG_PEEK | Linux.MSG_OOB | Linux.MSG_ERRQUEUE)) == 0) Interlocked.Add(ref record->KernelReceived, (ulong)received);
        return received;
    }

    /// <summary>What recvmsg(2) leaves in a header when a stream had nothing to tell beside its bytes.</summary>
    public static void SetOutputs(MessageHeader* message, int flags)
    {
        if (message->Name != null) message->NameLength = 0;
        message->ControlLength = 0;
        message->Flags = flags & Linux.MSG_CMSG_CLOEXEC;
    }
}
