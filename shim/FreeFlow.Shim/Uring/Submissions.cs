using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Uring;

/// <summary>
/// Looks through what a call is about to submit. An operation that moves a connection's bytes, or asks whether there are any, sends that
/// connection back to the kernel first. EPOLL_CTL, CLOSE and SHUTDOWN are done here, as the calls of those names do them, and the kernel
/// gets a NOP with the same result in their place; where their turn comes only after others (links, drains), the kernel does them, and the
/// shim forgets what they name.
/// </summary>
internal static unsafe class Submissions
{
    private const uint NopInjectsResult = 1;   // IORING_NOP_INJECT_RESULT, Linux 6.11
    private const uint SourceIsFixed = 1u << 31;   // SPLICE_F_FD_IN_FIXED
    private const ulong MostNanosecondsForAnother = 100_000_000;

    /// <summary>True unless the ring is not known, or cannot be looked into.</summary>
    public static bool Before(Submission* submission)
    {
        SubmissionQueue* queue = SubmissionQueues.Find(submission->Ring, submission->IsRegistered != 0);
        if (queue == null) return false;
        bool shared = IsShared(queue);
        submission->Queue = SubmissionQueues.IndexOf(queue);
        submission->IsLocked = shared && ThreadLock.Enter(&queue->Lock) ? 1 : 0;
        bool alone = Interlocked.Increment(ref queue->Inside) == 1 && queue->Owner == Process.Id;
        if (alone && SubmissionQueues.Head(queue) != Volatile.Read(ref queue->HeadSeen))
        {
            After(submission);
            return false;
        }
        uint before = queue->ReplacedCount;
        Look(queue, submission);
        submission->MustNotWait = submission->IsLocked | (queue->ReplacedCount != before ? 1 : 0);
        return true;
    }

    /// <summary>
    /// After the call: what the kernel has taken gets its own entries back, which the program may submit again as they are.
    /// </summary>
    public static void After(Submission* submission)
    {
        SubmissionQueue* queue = SubmissionQueues.At(submission->Queue);
        if (queue->Ring != null)
        {
            uint head = SubmissionQueues.Head(queue);
            // One that began when it was the only one to submit has put nothing of its own there, and holds no lock.
            bool mayChange = submission->IsLocked != 0 || Volatile.Read(ref queue->IsShared) == 0;
            if (mayChange && queue->ReplacedCount != 0) PutBack(queue, head);
            Volatile.Write(ref queue->HeadSeen, head);
        }
        bool last = Interlocked.Decrement(ref queue->Inside) == 0;
        if (submission->IsLocked != 0) ThreadLock.Exit(&queue->Lock);
        if (last && Volatile.Read(ref queue->References) == 0) SubmissionQueues.Unmap(queue);
        submission->Queue = 0;
    }

    /// <summary>
    /// True if more than one thread submits. The first one holds no lock while it does, so the second waits until what that has looked at
    /// is taken.
    /// </summary>
    private static bool IsShared(SubmissionQueue* queue)
    {
        if (Volatile.Read(ref queue->IsShared) != 0) return true;
        uint thread = Process.Thread()->ThreadId;
        uint first = Interlocked.CompareExchange(ref queue->Submitter, thread, 0);
        if (first == 0 || first == thread) return false;
        Volatile.Write(ref queue->IsShared, 1);
        ulong end = 0;
        while (Volatile.Read(ref queue->Inside) != 0 && (int)(SubmissionQueues.Head(queue) - Volatile.Read(ref queue->HeadExpected)) < 0)
        {
            ulong now = Process.Now();
            if (end == 0) end = now + MostNanosecondsForAnother;
            if (now > end) break;
            Process.Libc->sched_yield();
        }
        return true;
    }

    private static void Look(SubmissionQueue* queue, Submission* submission)
    {
        uint entries = queue->Parameters.Entries, head = SubmissionQueues.Head(queue);
        uint tail = submission->HasTail != 0 ? submission->Tail : SubmissionQueues.Load(queue->Ring + queue->Parameters.Tail);
        uint count = tail - head > entries ? entries : tail - head;
        if (submission->Count > count || submission->HasTail != 0) submission->Count = count;
        Volatile.Write(ref queue->HeadExpected, head + submission->Count);
        bool waits = false, drains = false;
        for (uint position = head; position != head + submission->Count; position++)
        {
            uint slot = position & (entries - 1);
            if ((queue->Parameters.Flags & RingParameters.NoIndexArray) == 0 && submission->HasTail == 0)
                slot = SubmissionQueues.Load(queue->Ring + queue->Parameters.IndexArray + (slot * sizeof(uint)));
            SubmissionEntry entry;
            // The kernel drops an index beyond the queue.
            if (slot >= entries || Process.Copy(&entry, At(queue, slot), SubmissionEntry.Bytes) != 0) continue;
            drains |= (entry.Flags & SubmissionEntry.Drain) != 0;
            bool linked = (entry.Flags & (SubmissionEntry.Link | SubmissionEntry.HardLink)) != 0;
            Look(queue, position, slot, &entry, isAtOnce: !(waits | drains | linked));
            waits = linked;
        }
    }

    /// <param name="queue">The queue.</param>
    /// <param name="position">The entry's place in the order of submission.</param>
    /// <param name="slot">Its place in the array.</param>
    /// <param name="entry">A copy of it.</param>
    /// <param name="isAtOnce">False if it may begin only when others have ended.</param>
    private static void Look(SubmissionQueue* queue, uint position, uint slot, SubmissionEntry* entry, bool isAtOnce)
    {
        bool isFixed = (entry->Flags & SubmissionEntry.FixedFile) != 0;
        bool plain = (entry->Flags & ~(SubmissionEntry.Async | SubmissionEntry.SkipSuccess)) == 0 && entry->Priority == 0 && entry->BufferIndex == 0;
        bool servable = isAtOnce && plain && queue->IsRestricted == 0 && (queue->Parameters.Flags & RingParameters.CompletionPolling) == 0;
        switch (entry->Opcode)
        {
            case Opcode.EpollControl:
                ControlEpoll(queue, position, slot, entry, servable);
                return;
            case Opcode.Close:
                Close(queue, position, slot, entry, servable);
                return;
            case Opcode.Shutdown when !isFixed && Connections.Find(entry->Descriptor) != null && servable
                && (entry->Offset | entry->Address | entry->OperationFlags | (uint)entry->SourceDescriptor) == 0 && entry->Length <= Linux.SHUT_RDWR:
                Replace(queue, position, slot, entry, SocketCalls.Shutdown(entry->Descriptor, (int)entry->Length));
                return;
            case Opcode.SendMessage or Opcode.SendMessageZeroCopy:
                PassedDescriptors.BeforeAsynchronous((MessageHeader*)entry->Address);
                break;
            case Opcode.FilesUpdate:
                Registered((int*)entry->Address, entry->Length);
                return;
            case Opcode.Splice or Opcode.Tee when (entry->OperationFlags & SourceIsFixed) == 0:
                RoadCalls.GiveToOthers(entry->SourceDescriptor, Reason.AnotherRoad);
                break;
        }
        if (!isFixed && !Opcode.IsHarmless(entry->Opcode)) RoadCalls.GiveToOthers(entry->Descriptor, Reason.AnotherRoad);
    }

    /// <summary>Descriptors that the program registers with a ring, to be named by an index from then on.</summary>
    public static void Registered(int* descriptors, uint count)
    {
        for (uint i = 0; i < count; i++)
        {
            int fd;
            if (Process.Copy(&fd, descriptors + i, sizeof(int)) != 0) return;
            RoadCalls.GiveToOthers(fd, Reason.AnotherRoad);
        }
    }

    private static void ControlEpoll(SubmissionQueue* queue, uint position, uint slot, SubmissionEntry* entry, bool servable)
    {
        int epoll = entry->Descriptor, fd = (int)entry->Offset, operation = (int)entry->Length;
        EpollEvent* wanted = (EpollEvent*)entry->Address;
        const byte known = DescriptorFlags.Connection | DescriptorFlags.Candidate | DescriptorFlags.Epoll;
        if (!Connections.InRange(fd) || (Process.Flags[fd] & known) == 0) return;
        EpollEvent copy = default;
        bool readable = operation == Linux.EPOLL_CTL_DEL || CallerMemory.TryRead(wanted, &copy);
        if (servable && entry->SourceDescriptor == 0 && readable)
            Replace(queue, position, slot, entry, EpollControl.Control(epoll, operation, fd, &copy));
        else RoadCalls.Forget(fd, Reason.AnotherRoad);
    }

    private static void Close(SubmissionQueue* queue, uint position, uint slot, SubmissionEntry* entry, bool servable)
    {
        int fd = entry->Descriptor;
        bool isIndex = entry->SourceDescriptor != 0;
        if (isIndex || !Connections.InRange(fd) || Process.Flags[fd] == 0 || (Process.Flags[fd] & DescriptorFlags.Ring) != 0) return;
        bool valid = (entry->Offset | entry->Address | entry->Length | entry->OperationFlags) == 0;
        if (servable && valid) Replace(queue, position, slot, entry, DescriptorCalls.Close(fd));
        else RoadCalls.Forget(fd, Reason.AnotherRoad);
    }

    /// <summary>
    /// The entry has been done; the kernel is to complete it with the same result. A kernel that cannot be told the result of a NOP
    /// completes it with 0, or finds an error for itself, since what has failed here has changed nothing.
    /// </summary>
    private static void Replace(SubmissionQueue* queue, uint position, uint slot, SubmissionEntry* entry, int result)
    {
        if (result < 0) result = -Process.Errno;
        if (queue->ReplacedCount >= queue->Parameters.Entries) return;
        if (result != 0 && !KernelRelease.IsAtLeast(6, 11))
        {
            if (entry->Opcode == Opcode.EpollControl) EpollControl.DropDormant(entry->Descriptor, (int)entry->Offset);
            return;
        }
        SubmissionEntry nop = *entry;
        nop.Opcode = Opcode.Nop;
        nop.Length = (uint)result;
        nop.OperationFlags = result == 0 ? 0 : NopInjectsResult;
        queue->Replaced[queue->ReplacedCount++] = new ReplacedEntry
        {
            Position = position,
            Slot = slot,
            HeadWord = entry->HeadWord,
            LengthWord = entry->LengthWord,
            NopHeadWord = nop.HeadWord,
            NopLengthWord = nop.LengthWord,
        };
        SubmissionEntry* place = At(queue, slot);
        place->LengthWord = nop.LengthWord;
        Volatile.Write(ref place->HeadWord, nop.HeadWord);
    }

    private static void PutBack(SubmissionQueue* queue, uint head)
    {
        uint left = 0;
        for (uint i = 0; i < queue->ReplacedCount; i++)
        {
            ReplacedEntry* replaced = queue->Replaced + i;
            if ((int)(head - replaced->Position) <= 0) { queue->Replaced[left++] = *replaced; continue; }
            SubmissionEntry* place = At(queue, replaced->Slot);
            // Unless the program has put its next one there already.
            if (Interlocked.CompareExchange(ref place->HeadWord, replaced->HeadWord, replaced->NopHeadWord) == replaced->NopHeadWord)
                Interlocked.CompareExchange(ref place->LengthWord, replaced->LengthWord, replaced->NopLengthWord);
        }
        queue->ReplacedCount = left;
    }

    private static SubmissionEntry* At(SubmissionQueue* queue, uint slot) =>
        (SubmissionEntry*)(queue->Entries + ((nuint)slot << SubmissionQueues.EntryShift(queue)));
}
