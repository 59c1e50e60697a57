using FreeFlow.Contract;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;
using FreeFlow.Shim.Uring;

namespace FreeFlow.Shim.Exports;

/// <summary>
/// What native/uring.c tells of io_uring: rings that are made and closed, and calls that submit to them or register something with them.
/// </summary>
internal static unsafe class UringCalls
{
    // IORING_REGISTER_
    private const uint RegisterFiles = 2, FilesUpdate = 6, Restrictions = 11, Files2 = 13, FilesUpdate2 = 14;
    private const uint RingDescriptors = 20, UnregisterRingDescriptors = 21, ResizeRings = 33;
    private const uint ByRegisteredRing = 1u << 31;   // IORING_REGISTER_USE_REGISTERED_RING
    private const uint DescriptorBytes = 16;   // struct io_uring_rsrc_update

    [Interpose("void ff_ring_made(int ring, const void* parameters)", Guard = "ff_core_is_open > 0")]
    public static void Made(int ring, void* parameters)
    {
        if (Process.IsBorrowedMemory || SubmissionQueues.Add(ring, (RingParameters*)parameters)) return;
        RoadCalls.AllByAnotherRoad();
    }

    /// <summary>The ring is about to be closed by a library's own system call.</summary>
    [Interpose("void ff_ring_closed(int ring)", Guard = "ff_core_is_open > 0")]
    public static void Closed(int ring)
    {
        if (Process.IsBorrowedMemory || !Connections.InRange(ring)) return;
        if ((Process.Flags[ring] & DescriptorFlags.Ring) != 0) Connections.Closing(ring);
    }

    [Interpose("void ff_before_submit(void* submission)", Guard = "ff_core_is_open > 0")]
    public static void BeforeSubmit(void* submission)
    {
        if (Process.IsBorrowedMemory || Submissions.Before((Submission*)submission)) return;
        RoadCalls.AllByAnotherRoad();
    }

    [Interpose("void ff_after_submit(void* submission)", Guard = "ff_core_is_open > 0")]
    public static void AfterSubmit(void* submission)
    {
        if (((Submission*)submission)->Queue != 0) Submissions.After((Submission*)submission);
    }

    /// <summary>Before io_uring_register(2): files that will be named by an index go back to the kernel.</summary>
    [Interpose("void ff_before_register(int ring, unsigned operation, void* argument, unsigned count)", Guard = "ff_core_is_open > 0")]
    public static void BeforeRegister(int ring, uint operation, byte* argument, uint count)
    {
        if (Process.IsBorrowedMemory) return;
        switch (operation & ~ByRegisteredRing)
        {
            case RegisterFiles:
                Submissions.Registered((int*)argument, count);
                break;
            case FilesUpdate when CallerMemory.CanRead(argument, DescriptorBytes):
                Submissions.Registered(*(int**)(argument + 8), count);
                break;
            case Files2 when CallerMemory.CanRead(argument, 32):
                Submissions.Registered(*(int**)(argument + 16), *(uint*)argument);
                break;
            case FilesUpdate2 when CallerMemory.CanRead(argument, 32):
                Submissions.Registered(*(int**)(argument + 8), *(uint*)(argument + 24));
                break;
            case Restrictions:
                SubmissionQueue* queue = SubmissionQueues.Find(ring, (operation & ByRegisteredRing) != 0);
                if (queue != null) queue->IsRestricted = 1;
                break;
        }
    }

    /// <summary>After it, when it has succeeded for <paramref name="count"/> items: indexes of rings, and rings that have moved.</summary>
    [Interpose("void ff_after_register(int ring, unsigned operation, void* argument, unsigned count)", Guard = "ff_core_is_open > 0")]
    public static void AfterRegister(int ring, uint operation, byte* argument, uint count)
    {
        if (Process.IsBorrowedMemory) return;
        switch (operation & ~ByRegisteredRing)
        {
            case RingDescriptors:
                for (uint i = 0; i < count && CallerMemory.CanRead(argument + (i * DescriptorBytes), DescriptorBytes); i++)
                    RegisteredRing(*(int*)(argument + (i * DescriptorBytes)), (int)*(ulong*)(argument + (i * DescriptorBytes) + 8));
                break;
            case UnregisterRingDescriptors:
                for (uint i = 0; i < count && CallerMemory.CanRead(argument + (i * DescriptorBytes), DescriptorBytes); i++)
                    SubmissionQueues.Unregister(*(int*)(argument + (i * DescriptorBytes)));
                break;
            case ResizeRings when CallerMemory.CanRead(argument, RingParameters.Bytes):
                SubmissionQueues.Resized(ring, (operation & ByRegisteredRing) != 0, (RingParameters*)argument);
                break;
        }
    }

    private static void RegisteredRing(int index, int ring)
    {
        SubmissionQueue* queue = SubmissionQueues.Find(ring, isRegistered: false);
        if (queue == null) return;   // not known: nor is the index, when it is used
        int known = SubmissionQueues.IndexOf(queue);
        SubmissionQueues.Copied(known);
        if (!SubmissionQueues.Register(known, index)) SubmissionQueues.Release(known);
    }
}
