using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>An opened device: what ibv_open_device(3) returns lies inside. Its asynchronous events wait in a small queue; the descriptor is readable while there are any.</summary>
internal unsafe struct Context
{
    private const int MostEvents = 64;

    private static int _command;

    public VerbsContext Verbs;
    public uint Lock;
    public uint EventHead, EventTail;

    // Places for MostEvents events of 16 bytes each.
    private fixed ulong _events[2 * MostEvents];

    public static Context* Of(void* context) => (Context*)((byte*)context - sizeof(VerbsContext) + sizeof(IbvContext));

    public static IbvContext* Open()
    {
        Context* context = (Context*)Pages.Allocate((nuint)sizeof(Context));
        if (context == null) return (IbvContext*)Refusal.With(Linux.ENOMEM);
        int fd = Process.Libc->eventfd(0, Linux.EFD_CLOEXEC), command = OpenCommand();
        if (fd < 0 || command < 0)
        {
            if (fd >= 0) Process.Libc->close(fd);
            if (command >= 0) Process.Libc->close(command);
            Pages.Free(context, (nuint)sizeof(Context));
            return (IbvContext*)Refusal.With(Linux.EMFILE);
        }
        context->Verbs.Size = (nuint)sizeof(VerbsContext);
        IbvContext* shown = &context->Verbs.Context;
        shown->Device = Seam.Device;
        shown->CommandFd = command;
        shown->AsyncFd = fd;
        shown->CompletionVectors = 1;
        shown->AbiCompat = IbvContext.IsExtended;
        Calls.Fill(context);
        return shown;
    }

    public static int Close(Context* context)
    {
        Process.Libc->close(context->Verbs.Context.AsyncFd);
        Process.Libc->close(context->Verbs.Context.CommandFd);
        Pages.Free(context, (nuint)sizeof(Context));
        return 0;
    }

    /// <summary>True for the command descriptor of one of this process's contexts.</summary>
    public static bool IsCommand(int fd) => _command > 0 && FileOf(fd, out ulong device, out ulong file) && FileOf(_command, out ulong ownDevice, out ulong own) && device == ownDevice && file == own;

    /// <summary>A memfd, of which each context has a duplicate: programs ask whether it is there, and pass it on.</summary>
    private static int OpenCommand()
    {
        if (_command <= 0) fixed (byte* name = "freeflow-device\0"u8) _command = Control.OwnDescriptors.Adopt(Process.Libc->memfd_create(name, Linux.MFD_CLOEXEC));
        return _command <= 0 ? -1 : Process.Libc->fcntl(_command, Linux.F_DUPFD_CLOEXEC, null);
    }

    // fstat(2): st_dev, st_ino.
    private static bool FileOf(int fd, out ulong device, out ulong file)
    {
        ulong* status = stackalloc ulong[18];
        bool known = Process.Kernel(Linux.SYS_fstat, fd, (nint)status, 0, 0, 0, 0) == 0;
        device = status[0];
        file = status[1];
        return known;
    }

    /// <summary>Tells of something that no call has brought about; lost if nobody has fetched the last 64.</summary>
    public static void Raise(void* shown, void* element, uint type)
    {
        Context* context = Of(shown);
        if (!ThreadLock.Enter(&context->Lock)) return;
        if (context->EventTail - context->EventHead < MostEvents)
        {
            uint place = context->EventTail++ % MostEvents;
            context->_events[2 * place] = (ulong)element;
            context->_events[(2 * place) + 1] = type;
            ulong one = 1;
            int errno = Process.Errno;
            Process.Libc->write(context->Verbs.Context.AsyncFd, (byte*)&one, sizeof(ulong));
            Process.Errno = errno;
        }
        ThreadLock.Exit(&context->Lock);
    }

    /// <summary>
    /// An object is about to go: events of it that wait go with it, and those that were fetched are waited for until they are acknowledged
    /// (ibv_destroy_qp(3)).
    /// </summary>
    public static void Forget(void* shown, void* element, int* fetched)
    {
        Context* context = Of(shown);
        if (!ThreadLock.Enter(&context->Lock)) return;
        uint kept = context->EventHead;
        for (uint at = context->EventHead; at != context->EventTail; at++)
        {
            if (context->_events[2 * (at % MostEvents)] == (ulong)element) continue;
            context->_events[2 * (kept % MostEvents)] = context->_events[2 * (at % MostEvents)];
            context->_events[(2 * (kept++ % MostEvents)) + 1] = context->_events[(2 * (at % MostEvents)) + 1];
        }
        context->EventTail = kept;
        ThreadLock.Exit(&context->Lock);
        while (Volatile.Read(ref *fetched) > 0) Process.Libc->sched_yield();
    }

    public static void Acknowledge(IbvAsyncEvent* result) => Interlocked.Decrement(ref *Fetched(result));

    /// <summary>Where the event's object counts those that were fetched and not acknowledged.</summary>
    private static int* Fetched(IbvAsyncEvent* result) => result->Type switch
    {
        Ibv.EventCqErr => &((CompletionQueue*)result->Element)->AsyncEvents,
        Ibv.EventSrqLimit => &((SharedReceiveQueue*)result->Element)->Events,
        _ => &((QueuePair*)result->Element)->Events,
    };

    /// <summary>ibv_get_async_event(3): waits in read(2) on the descriptor, as it is set to wait or not. 0, or −1 with errno.</summary>
    public static int GetEvent(Context* context, IbvAsyncEvent* result)
    {
        while (true)
        {
            ulong count;
            if (Process.Libc->read(context->Verbs.Context.AsyncFd, (byte*)&count, sizeof(ulong)) != sizeof(ulong)) return -1;
            if (!ThreadLock.Enter(&context->Lock)) { Process.Errno = Linux.EAGAIN; return -1; }
            bool found = context->EventHead != context->EventTail;
            if (found)
            {
                uint place = context->EventHead++ % MostEvents;
                result->Element = (void*)context->_events[2 * place];
                result->Type = (uint)context->_events[(2 * place) + 1];
                Interlocked.Increment(ref *Fetched(result));
                ulong one = 1;
                if (context->EventHead != context->EventTail) Process.Libc->write(context->Verbs.Context.AsyncFd, (byte*)&one, sizeof(ulong));
            }
            ThreadLock.Exit(&context->Lock);
            if (found) return 0;
        }
    }
}
