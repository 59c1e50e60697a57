using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Uring;

/// <summary>
/// The io_urings of this process: which descriptor stands for which, and whether all that they submit is seen. A ring whose entries the
/// shim cannot look at before the kernel takes them sends all connections of the process back to the kernel (<see
/// cref="RoadCalls.AllByAnotherRoad"/>).
/// </summary>
internal static unsafe class SubmissionQueues
{
    private const int Capacity = 256, RegisteredCapacity = 256;
    private const long EntriesOffset = 0x10000000;   // IORING_OFF_SQES
    private const uint MostEntries = 1 << 15;

    /// <summary>Places of the table that were ever taken: 0 in a process without a ring.</summary>
    public static int Used;

    private static SubmissionQueue* _queues;
    private static RegisteredRing* _registered;
    private static int _usedRegistered;
    private static uint _lock;

    public static bool Create()
    {
        _queues = (SubmissionQueue*)Process.Reserve((nuint)sizeof(SubmissionQueue) * Capacity);
        _registered = (RegisteredRing*)Process.Reserve((nuint)sizeof(RegisteredRing) * RegisteredCapacity);
        return _queues != null && _registered != null;
    }

    public static SubmissionQueue* At(int index) => _queues + (index - 1);

    public static int IndexOf(SubmissionQueue* queue) => (int)(queue - _queues) + 1;

    /// <summary>After io_uring_setup(2). False if there is no place for the ring, or what it does is not known here.</summary>
    public static bool Add(int ring, RingParameters* parameters)
    {
        const uint registeredOnly = 1 << 15;   // IORING_SETUP_REGISTERED_FD_ONLY: the number is a registered index
        uint flags = parameters->Flags;
        if ((flags & ~RingParameters.KnownFlags) != 0 || (flags & RingParameters.SubmissionPolling) != 0) return false;
        if (parameters->Entries - 1 >= MostEntries) return false;
        bool isDescriptor = (flags & registeredOnly) == 0;
        if (isDescriptor && !Connections.InRange(ring)) return false;
        // The number was closed by a road the shim does not see.
        if (isDescriptor && Process.Flags[ring] != 0) Connections.Closing(ring, visible: false);
        bool locked = ThreadLock.Enter(LockWord());
        int place = 0;
        while (place < Used && (_queues[place].References | _queues[place].Inside) != 0) place++;
        bool added = place < Capacity;
        if (added)
        {
            int descriptor = isDescriptor ? ring : -1;
            _queues[place] = new SubmissionQueue { References = 1, Owner = Process.Id, Descriptor = descriptor, Parameters = *parameters };
            if (place == Used) Volatile.Write(ref Used, place + 1);
        }
        if (locked) ThreadLock.Exit(LockWord());
        if (!added) return false;
        if (!isDescriptor) return Register(place + 1, ring);
        NoteDescriptor(ring, place + 1);
        return true;
    }

    /// <summary>The queue of a ring, with its memory in reach; null if it is not known.</summary>
    public static SubmissionQueue* Find(int ring, bool isRegistered)
    {
        int index = isRegistered ? FindRegistered(ring) : Connections.InRange(ring) ? Connections.Descriptors[ring].Queue : 0;
        if (index == 0 && !isRegistered) index = FindSame(ring);
        return index != 0 && Map(At(index)) ? At(index) : null;
    }

    /// <summary>Another descriptor stands for the ring. The caller holds the connections' lock.</summary>
    public static void Copied(int index) => Interlocked.Increment(ref At(index)->References);

    /// <summary>
    /// A descriptor of the ring is being closed: another one takes its place as the one by which the ring is mapped and told from others. The
    /// caller holds the connections' lock.
    /// </summary>
    public static void Closing(int index, int fd)
    {
        SubmissionQueue* queue = At(index);
        if (queue->Descriptor != fd) return;
        int other = Connections.Highest;
        while (other >= 0 && (other == fd || Connections.Descriptors[other].Queue != index)) other--;
        queue->Descriptor = other;
    }

    /// <summary>A descriptor or a registered index of the ring is gone. The shim's mapping would keep it alive after the last.</summary>
    public static void Release(int index)
    {
        SubmissionQueue* queue = At(index);
        if (Interlocked.Decrement(ref queue->References) == 0 && Volatile.Read(ref queue->Inside) == 0) Unmap(queue);
    }

    /// <summary>The rings' parts have moved (IORING_REGISTER_RESIZE_RINGS).</summary>
    public static void Resized(int ring, bool isRegistered, RingParameters* parameters)
    {
        SubmissionQueue* queue = Find(ring, isRegistered);
        if (queue == null) return;
        uint flags = queue->Parameters.Flags;
        Unmap(queue);
        queue->Parameters = *parameters;
        queue->Parameters.Flags |= flags;
    }

    /// <summary>
    /// The calling thread has registered the ring under an index (IORING_REGISTER_RING_FDS). False if there is no place to note it.
    /// </summary>
    public static bool Register(int queue, int index)
    {
        uint thread = Process.Thread()->ThreadId;
        bool locked = ThreadLock.Enter(LockWord());
        int place = 0;
        while (place < _usedRegistered && _registered[place].Queue != 0 && !IsOf(_registered + place, thread, index)) place++;
        bool noted = place < RegisteredCapacity;
        int before = noted ? _registered[place].Queue : 0;
        if (noted) _registered[place] = new RegisteredRing { Thread = thread, Index = index, Queue = queue };
        if (place == _usedRegistered && noted) _usedRegistered++;
        if (locked) ThreadLock.Exit(LockWord());
        if (before != 0) Release(before);
        return noted;
    }

    public static void Unregister(int index)
    {
        uint thread = Process.Thread()->ThreadId;
        bool locked = ThreadLock.Enter(LockWord());
        int queue = 0;
        for (int i = 0; i < _usedRegistered && queue == 0; i++)
        {
            if (!IsOf(_registered + i, thread, index)) continue;
            queue = _registered[i].Queue;
            _registered[i] = default;
        }
        if (locked) ThreadLock.Exit(LockWord());
        if (queue != 0) Release(queue);
    }

    /// <summary>
    /// True if a ring's head has moved without a submission that the shim has seen: the program enters the kernel by its own instruction.
    /// Entries that were made so may name any connection.
    /// </summary>
    public static bool WereEnteredUnseen()
    {
        for (int i = 0; i < Used; i++)
        {
            SubmissionQueue* queue = _queues + i;
            if (queue->References == 0 || queue->Owner != Process.Id) continue;
            bool known = queue->Ring != null;
            if (!Map(queue)) return true;
            // A submission that is seen changes one of these between the two looks, or is inside at one of them.
            uint seen = Volatile.Read(ref queue->HeadSeen);
            if (!known || Volatile.Read(ref queue->Inside) != 0 || Head(queue) == seen) continue;
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref queue->Inside) == 0 && Volatile.Read(ref queue->HeadSeen) == seen) return true;
        }
        return false;
    }

    public static uint Head(SubmissionQueue* queue) => Load(queue->Ring + queue->Parameters.Head);

    /// <summary>A word of the ring, which may be memory of the program's that is not there any more.</summary>
    public static uint Load(byte* address)
    {
        uint value = 0;
        _ = Process.Copy(&value, address, sizeof(uint));
        return value;
    }

    /// <summary>After fork, in the child: no other thread is inside.</summary>
    public static void ResetLocksAfterFork()
    {
        _lock = 0;
        for (int i = 0; i < Used; i++) { _queues[i].Lock = 0; _queues[i].Inside = 0; _queues[i].Submitter = 0; }
    }

    /// <summary>Nobody is inside the ring's calls, and nothing stands for it any more.</summary>
    public static void Unmap(SubmissionQueue* queue)
    {
        byte* ring = queue->Ring, entries = queue->Entries;
        queue->Ring = queue->Entries = null;
        int errno = Process.Errno;
        if (queue->Replaced != null) Process.Libc->munmap(queue->Replaced, ReplacedBytes(queue));
        queue->Replaced = null;
        queue->ReplacedCount = 0;
        if (ring != null && !IsProgramsMemory(queue))
        {
            Process.Libc->munmap(ring, RingBytes(queue));
            Process.Libc->munmap(entries, EntriesBytes(queue));
        }
        Process.Errno = errno;
    }

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);

    private static int FindRegistered(int ring)
    {
        uint thread = Process.Thread()->ThreadId;
        for (int i = 0; i < _usedRegistered; i++)
            if (IsOf(_registered + i, thread, ring)) return _registered[i].Queue;
        return 0;
    }

    private static bool IsOf(RegisteredRing* registered, uint thread, int index) =>
        registered->Queue != 0 && registered->Thread == thread && registered->Index == index;

    /// <summary>A copy of a known ring's descriptor that was made out of sight: kcmp(2) tells.</summary>
    private static int FindSame(int ring)
    {
        const int kcmp = 312, file = 0;
        for (int i = 0; i < Used; i++)
        {
            int known = _queues[i].Descriptor, self = Process.Libc->getpid();
            if (_queues[i].References == 0 || known < 0 || Process.Libc->syscall(kcmp, self, self, file, known, ring) != 0) continue;
            if (!Connections.InRange(ring)) return i + 1;
            Copied(i + 1);
            NoteDescriptor(ring, i + 1);
            return i + 1;
        }
        return 0;
    }

    private static void NoteDescriptor(int ring, int index)
    {
        Connections.NoteHighest(ring);
        Connections.Descriptors[ring].Queue = index;
        Process.Flags[ring] = DescriptorFlags.Ring;
    }

    private static bool IsProgramsMemory(SubmissionQueue* queue) => (queue->Parameters.Flags & RingParameters.OwnMemory) != 0;

    private static nuint RingBytes(SubmissionQueue* queue)
    {
        RingParameters* parameters = &queue->Parameters;
        uint end = (parameters->Head > parameters->Tail ? parameters->Head : parameters->Tail) + sizeof(uint);
        uint array = (parameters->Flags & RingParameters.NoIndexArray) != 0 ? 0 : parameters->IndexArray + (parameters->Entries * sizeof(uint));
        return array > end ? array : end;
    }

    private static nuint EntriesBytes(SubmissionQueue* queue) => (nuint)queue->Parameters.Entries << EntryShift(queue);

    private static nuint ReplacedBytes(SubmissionQueue* queue) => queue->Parameters.Entries * (nuint)sizeof(ReplacedEntry);

    /// <summary>IORING_SETUP_SQE128: twice the size, with the operation's own data in the second half.</summary>
    public static int EntryShift(SubmissionQueue* queue) => (queue->Parameters.Flags & RingParameters.LargeEntries) != 0 ? 7 : 6;

    /// <summary>Brings the ring's memory into reach; false if it cannot be.</summary>
    private static bool Map(SubmissionQueue* queue)
    {
        if (Volatile.Read(ref *(nint*)&queue->Ring) != 0) return true;
        int errno = Process.Errno;
        bool locked = ThreadLock.Enter(LockWord());
        if (queue->Ring == null)
        {
            byte* ring = (byte*)queue->Parameters.RingAddress, entries = (byte*)queue->Parameters.EntriesAddress;
            if (!IsProgramsMemory(queue))
            {
                ring = MapPart(queue, RingBytes(queue), 0);
                entries = MapPart(queue, EntriesBytes(queue), EntriesOffset);
            }
            queue->Replaced = (ReplacedEntry*)Process.Reserve(ReplacedBytes(queue));
            queue->Entries = entries;
            if (ring != null && entries != null && queue->Replaced != null)
            {
                queue->HeadSeen = Load(ring + queue->Parameters.Head);
                Volatile.Write(ref *(nint*)&queue->Ring, (nint)ring);
            }
        }
        if (locked) ThreadLock.Exit(LockWord());
        Process.Errno = errno;
        return queue->Ring != null;
    }

    private static byte* MapPart(SubmissionQueue* queue, nuint bytes, long offset)
    {
        const int access = Linux.PROT_READ | Linux.PROT_WRITE;
        void* part = Process.Libc->mmap(null, bytes, access, Linux.MAP_SHARED, queue->Descriptor, offset);
        return (nint)part == -1 ? null : (byte*)part;
    }
}
