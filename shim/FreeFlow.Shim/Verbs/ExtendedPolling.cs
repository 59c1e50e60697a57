using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// ibv_create_cq_ex(3): completions one by one between ibv_start_poll and ibv_end_poll, read by functions. One thread at a time; the lock
/// is a plain one, because the program's own code
/// runs while it is held.
/// </summary>
internal static unsafe class ExtendedPolling
{
    private const int Nothing = 2; // ENOENT

    /// <summary>Null with errno. There are no time stamps, VLANs and tags: EOPNOTSUPP, as of a device without them.</summary>
    public static CompletionQueue* Create(void* context, IbvCqInitAttrEx* wish)
    {
        const uint known = IbvCqInitAttrEx.HasFlags | IbvCqInitAttrEx.HasParentDomain;
        bool hasFlags = (wish->Mask & IbvCqInitAttrEx.HasFlags) != 0;
        if ((wish->Mask & ~known) != 0 || (wish->WcFlags & ~IbvCqInitAttrEx.StandardFlags) != 0 || (hasFlags && (wish->Flags & ~IbvCqInitAttrEx.SingleThreaded) != 0))
            return (CompletionQueue*)Refusal.With();
        if (wish->Vector != 0 || wish->Entries > CompletionQueue.MostEntries) return (CompletionQueue*)Refusal.With(Linux.EINVAL);
        CompletionQueue* queue = CompletionQueue.Create(Context.Of(context), (int)wish->Entries, wish->UserContext, wish->Channel);
        if (queue != null) Fill(&queue->Base);
        return queue;
    }

    private static void Fill(IbvCq* shown)
    {
        shown->StartPoll = (nint)(delegate*<CompletionQueue*, uint*, int>)&Start;
        shown->NextPoll = (nint)(delegate*<CompletionQueue*, int>)&Next;
        shown->EndPoll = (nint)(delegate*<CompletionQueue*, void>)&End;
        shown->ReadOpcode = (nint)(delegate*<CompletionQueue*, uint>)&Opcode;
        shown->ReadVendorError = (nint)(delegate*<CompletionQueue*, uint>)&VendorError;
        shown->ReadByteLength = (nint)(delegate*<CompletionQueue*, uint>)&ByteLength;
        shown->ReadImmediate = (nint)(delegate*<CompletionQueue*, uint>)&Immediate;
        shown->ReadQpNumber = (nint)(delegate*<CompletionQueue*, uint>)&QpNumber;
        shown->ReadSourceQp = (nint)(delegate*<CompletionQueue*, uint>)&SourceQp;
        shown->ReadWcFlags = (nint)(delegate*<CompletionQueue*, uint>)&Flags;
        shown->ReadSlid = (nint)(delegate*<CompletionQueue*, uint>)&Zero;
        shown->ReadSl = (nint)(delegate*<CompletionQueue*, uint>)&Zero;
        shown->ReadDlidPathBits = (nint)(delegate*<CompletionQueue*, uint>)&Zero;
    }

    /// <summary>0, or ENOENT: there is none, and nothing to end.</summary>
    private static int Start(CompletionQueue* queue, uint* mask)
    {
        if (mask != null && *mask != 0) return Linux.EINVAL;
        while (Interlocked.CompareExchange(ref queue->IsRead, 1, 0) != 0) Process.Libc->sched_yield();
        int error = Next(queue);
        if (error != 0) End(queue);
        return error;
    }

    private static int Next(CompletionQueue* queue)
    {
        int count = CompletionQueue.Poll(queue, 1, &queue->Current);
        if (count != 1) return count == 0 ? Nothing : Numbers.EIO;
        queue->Base.Status = queue->Current.Status;
        queue->Base.WrId = queue->Current.WrId;
        return 0;
    }

    private static void End(CompletionQueue* queue) => Volatile.Write(ref queue->IsRead, 0);

    private static uint Opcode(CompletionQueue* queue) => queue->Current.Opcode;

    private static uint VendorError(CompletionQueue* queue) => queue->Current.VendorError;

    private static uint ByteLength(CompletionQueue* queue) => queue->Current.ByteLength;

    /// <summary>Immediate data in network order, or the key that was invalidated.</summary>
    private static uint Immediate(CompletionQueue* queue) => queue->Current.Immediate;

    private static uint QpNumber(CompletionQueue* queue) => queue->Current.QpNumber;

    private static uint SourceQp(CompletionQueue* queue) => queue->Current.SourceQp;

    private static uint Flags(CompletionQueue* queue) => queue->Current.Flags;

    /// <summary>LID, service level and path bits: Ethernet has none.</summary>
    private static uint Zero(CompletionQueue* queue) => 0;
}
