using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A completion channel. Its descriptor is an epoll set that holds the doorbells of the queue pairs whose completions it tells, and an event of its own: readable when there may be
/// something to fetch, pollable, and O_NONBLOCK works as with a device's. A hostile peer can make it readable, nothing else.
/// </summary>
internal unsafe struct CompletionChannel
{
    public IbvCompChannel Base;

    /// <summary>Guards the queue of events; taken behind everything else.</summary>
    public uint Lock;

    /// <summary>Guards <see cref="Queues"/>; taken before the locks of queues.</summary>
    public uint ListLock;

    public int OwnEvent;
    public CompletionQueue* Queues;
    public CompletionQueue* FirstPending;
    public CompletionQueue* LastPending;

    /// <summary>In what the kernel says of a descriptor.</summary>
    private const ulong InboxMark = 1UL << 32;

    /// <summary>While a queue pair waits with a time limit, nobody sleeps longer than this.</summary>
    private const int LimitMilliseconds = 100;

    public static CompletionChannel* Create(Context* context)
    {
        CompletionChannel* channel = (CompletionChannel*)Pages.Allocate((nuint)sizeof(CompletionChannel));
        if (channel == null) return (CompletionChannel*)Refusal.With(Linux.ENOMEM);
        int set = Process.Libc->epoll_create1(Linux.EPOLL_CLOEXEC);
        int own = Control.OwnDescriptors.Adopt(Process.Libc->eventfd(0, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK));
        channel->Base.Context = &context->Verbs.Context;
        channel->Base.Fd = set;
        channel->OwnEvent = own;
        if (set >= 0 && own >= 0 && Watch(channel, own)) return channel;
        if (set >= 0) Process.Libc->close(set);
        Control.OwnDescriptors.Close(own);
        Pages.Free(channel, (nuint)sizeof(CompletionChannel));
        return (CompletionChannel*)Refusal.With(Linux.EMFILE);
    }

    public static int Destroy(CompletionChannel* channel)
    {
        if (channel->Queues != null) return Numbers.EBUSY;
        Process.Libc->close(channel->Base.Fd);
        Control.OwnDescriptors.Close(channel->OwnEvent);
        Pages.Free(channel, (nuint)sizeof(CompletionChannel));
        return 0;
    }

    public static bool Watch(CompletionChannel* channel, int fd) => Watch(channel, fd, (ulong)(uint)fd);

    /// <summary>Likewise, for a socket that its queue pair reads itself.</summary>
    public static void WatchInbox(CompletionChannel* channel, int fd) => Watch(channel, fd, (ulong)(uint)fd | InboxMark);

    private static bool Watch(CompletionChannel* channel, int fd, ulong mark)
    {
        EpollEvent interest = new() { Events = Linux.EPOLLIN, Data = mark };
        return Process.Libc->epoll_ctl(channel->Base.Fd, Linux.EPOLL_CTL_ADD, fd, &interest) == 0 || Process.Errno == Linux.EEXIST;
    }

    public static void Unwatch(CompletionChannel* channel, int fd)
    {
        EpollEvent none;
        Process.Libc->epoll_ctl(channel->Base.Fd, Linux.EPOLL_CTL_DEL, fd, &none);
    }

    /// <summary>The queue has an event to tell; under the queue's lock.</summary>
    public static void Enqueue(CompletionChannel* channel, CompletionQueue* queue)
    {
        if (queue->IsPending || !ThreadLock.Enter(&channel->Lock)) return;
        queue->IsPending = true;
        queue->NextPending = null;
        if (channel->FirstPending == null) channel->FirstPending = queue;
        else channel->LastPending->NextPending = queue;
        channel->LastPending = queue;
        ulong one = 1;
        int errno = Process.Errno;
        Process.Libc->write(channel->OwnEvent, (byte*)&one, sizeof(ulong));
        Process.Errno = errno;
        ThreadLock.Exit(&channel->Lock);
    }

    /// <summary>The queue is about to go: its event goes with it.</summary>
    public static void Forget(CompletionChannel* channel, CompletionQueue* queue)
    {
        if (!ThreadLock.Enter(&channel->Lock)) return;
        CompletionQueue* before = null;
        for (CompletionQueue* at = channel->FirstPending; at != null; before = at, at = at->NextPending)
        {
            if (at != queue) continue;
            if (before == null) channel->FirstPending = at->NextPending;
            else before->NextPending = at->NextPending;
            if (channel->LastPending == at) channel->LastPending = before;
            break;
        }
        ThreadLock.Exit(&channel->Lock);
    }

    /// <summary>ibv_get_cq_event(3). 0, or −1 with errno: EAGAIN on a channel that is set not to wait, EINTR by a signal.</summary>
    public static int GetEvent(CompletionChannel* channel, CompletionQueue** result)
    {
        while (true)
        {
            if (TryTake(channel, result)) return 0;
            bool limited = Progress(channel);
            if (TryTake(channel, result)) return 0;
            int wait = (Process.Libc->fcntl(channel->Base.Fd, Linux.F_GETFL, null) & Linux.O_NONBLOCK) != 0 ? 0 : limited ? LimitMilliseconds : -1;
            EpollEvent seen;
            int count = Process.Libc->epoll_wait(channel->Base.Fd, &seen, 1, wait);
            if (count < 0) return -1;
            if (count > 0) Drain(channel, seen);
            else if (wait == 0) { Process.Errno = Linux.EAGAIN; return -1; }
        }
    }

    private static bool TryTake(CompletionChannel* channel, CompletionQueue** result)
    {
        if (!ThreadLock.Enter(&channel->Lock)) return false;
        CompletionQueue* queue = channel->FirstPending;
        if (queue != null)
        {
            channel->FirstPending = queue->NextPending;
            if (channel->FirstPending == null) channel->LastPending = null;
            queue->IsPending = false;
            Interlocked.Increment(ref queue->Events);
            *result = queue;
        }
        if (channel->FirstPending == null)
        {
            ulong count;
            int errno = Process.Errno;
            Process.Libc->read(channel->OwnEvent, (byte*)&count, sizeof(ulong));
            Process.Errno = errno;
        }
        ThreadLock.Exit(&channel->Lock);
        return queue != null;
    }

    /// <summary>Brings all queues up to date, and has their peers ring from now on. True if some wait is limited.</summary>
    private static bool Progress(CompletionChannel* channel)
    {
        bool limited = false;
        if (!ThreadLock.Enter(&channel->ListLock)) return false;
        for (CompletionQueue* queue = channel->Queues; queue != null; queue = queue->NextOfChannel)
        {
            if (queue->Armed != 0) CompletionQueue.AwaitPeers(queue);
            limited |= CompletionQueue.Progress(queue);
        }
        ThreadLock.Exit(&channel->ListLock);
        return limited;
    }

    private static void Drain(CompletionChannel* channel, EpollEvent seen)
    {
        int fd = (int)seen.Data;
        if (fd == channel->OwnEvent) return;
        byte* bytes = stackalloc byte[64];
        nint got = (seen.Data & InboxMark) != 0 ? 1 : Process.Libc->recv(fd, bytes, 64, Linux.MSG_DONTWAIT);
        // Nobody is at the other end any more: what has happened stands in shared memory, or comes by the router.
        if (got == 0 || (got < 0 && Process.Errno != Linux.EAGAIN) || (seen.Events & (Linux.EPOLLHUP | Linux.EPOLLERR)) != 0) Unwatch(channel, fd);
    }
}
