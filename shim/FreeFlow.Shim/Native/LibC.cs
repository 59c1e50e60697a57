namespace FreeFlow.Shim.Native;

/// <summary>
/// The functions behind the interposed names, filled by the C glue in this order (FreeFlow.ExportGenerator reads the field names).
/// Called without a GC transition: the threads here are not the runtime's, and may sleep in them.
/// </summary>
internal unsafe struct LibC
{
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, int> socket;
    public delegate* unmanaged[SuppressGCTransition]<int, void*, uint, int> connect;
    public delegate* unmanaged[SuppressGCTransition]<int, void*, uint*, int> accept;
    public delegate* unmanaged[SuppressGCTransition]<int, void*, uint*, int, int> accept4;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int> shutdown;
    public delegate* unmanaged[SuppressGCTransition]<int, int> close;
    public delegate* unmanaged[SuppressGCTransition]<uint, uint, int, int> close_range;
    public delegate* unmanaged[SuppressGCTransition]<int, int> dup;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int> dup2;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, int> dup3;
    public delegate* unmanaged[SuppressGCTransition]<int, int, void*, int> fcntl;
    public delegate* unmanaged[SuppressGCTransition]<int, nuint, void*, int> ioctl;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, nint> read;
    public delegate* unmanaged[SuppressGCTransition]<int, IoVector*, int, nint> readv;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, nint> write;
    public delegate* unmanaged[SuppressGCTransition]<int, IoVector*, int, nint> writev;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, int, nint> send;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, int, void*, uint, nint> sendto;
    public delegate* unmanaged[SuppressGCTransition]<int, MessageHeader*, int, nint> sendmsg;
    public delegate* unmanaged[SuppressGCTransition]<int, MultipleMessageHeader*, uint, int, int> sendmmsg;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, int, nint> recv;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, int, void*, uint*, nint> recvfrom;
    public delegate* unmanaged[SuppressGCTransition]<int, MessageHeader*, int, nint> recvmsg;
    public delegate* unmanaged[SuppressGCTransition]<int, MultipleMessageHeader*, uint, int, TimeSpec*, int> recvmmsg;
    public delegate* unmanaged[SuppressGCTransition]<int, int, long*, nuint, nint> sendfile;
    public delegate* unmanaged[SuppressGCTransition]<int, long*, int, long*, nuint, uint, nint> splice;
    public delegate* unmanaged[SuppressGCTransition]<int, IoVector*, int, long, int, nint> preadv2;
    public delegate* unmanaged[SuppressGCTransition]<int, IoVector*, int, long, int, nint> pwritev2;
    public delegate* unmanaged[SuppressGCTransition]<PollDescriptor*, nuint, int, int> poll;
    public delegate* unmanaged[SuppressGCTransition]<PollDescriptor*, nuint, TimeSpec*, ulong*, int> ppoll;
    public delegate* unmanaged[SuppressGCTransition]<int, ulong*, ulong*, ulong*, TimeValue*, int> select;
    public delegate* unmanaged[SuppressGCTransition]<int, ulong*, ulong*, ulong*, TimeSpec*, ulong*, int> pselect;
    public delegate* unmanaged[SuppressGCTransition]<int, int> epoll_create;
    public delegate* unmanaged[SuppressGCTransition]<int, int> epoll_create1;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, EpollEvent*, int> epoll_ctl;
    public delegate* unmanaged[SuppressGCTransition]<int, EpollEvent*, int, int, int> epoll_wait;
    public delegate* unmanaged[SuppressGCTransition]<int, EpollEvent*, int, int, ulong*, int> epoll_pwait;
    public delegate* unmanaged[SuppressGCTransition]<int, EpollEvent*, int, TimeSpec*, ulong*, int> epoll_pwait2;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, void*, uint*, int> getsockopt;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, void*, uint, int> setsockopt;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, void*> fdopen;
    public delegate* unmanaged[SuppressGCTransition]<void*, int> fclose;
    public delegate* unmanaged[SuppressGCTransition]<byte*, byte*, void*, void*> freopen;

    // Not interposed.
    public delegate* unmanaged[SuppressGCTransition]<int, void*, uint*, int> getsockname;
    public delegate* unmanaged[SuppressGCTransition]<int, void*, uint*, int> getpeername;
    public delegate* unmanaged[SuppressGCTransition]<void*, nuint, int, int, int, long, void*> mmap;
    public delegate* unmanaged[SuppressGCTransition]<void*, nuint, int> munmap;
    public delegate* unmanaged[SuppressGCTransition]<void*, nuint, int, int> madvise;
    public delegate* unmanaged[SuppressGCTransition]<byte*, uint, int> memfd_create;
    public delegate* unmanaged[SuppressGCTransition]<uint, int, int> eventfd;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int, int*, int> socketpair;
    public delegate* unmanaged[SuppressGCTransition]<int, long, int> ftruncate;
    public delegate* unmanaged[SuppressGCTransition]<int, TimeSpec*, int> clock_gettime;
    public delegate* unmanaged[SuppressGCTransition]<int> getpid;
    public delegate* unmanaged[SuppressGCTransition]<int> sched_yield;
    public delegate* unmanaged[SuppressGCTransition]<int, int, int> kill;
    public delegate* unmanaged[SuppressGCTransition]<int, byte*, nuint, long, nint> pread;
    public delegate* unmanaged[SuppressGCTransition]<byte*, byte*> getenv;
    public delegate* unmanaged[SuppressGCTransition]<int, ulong*, ulong*, int> pthread_sigmask;
    public delegate* unmanaged[SuppressGCTransition]<int*> __errno_location;
    public delegate* unmanaged[SuppressGCTransition]<int, RLimit*, int> getrlimit;
    public delegate* unmanaged[SuppressGCTransition]<int, RLimit*, int> setrlimit;
    public delegate* unmanaged[SuppressGCTransition]<byte*, int, int> open;
    public delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nuint, nint> readlink;
    public delegate* unmanaged[SuppressGCTransition]<int> gettid;
    public delegate* unmanaged[SuppressGCTransition]<void*, int> fileno;
    public delegate* unmanaged[SuppressGCTransition]<int, void*, int> ungetc;
    public delegate* unmanaged[SuppressGCTransition]<int, long, int, long> lseek;
    public delegate* unmanaged[SuppressGCTransition]<int> getppid;
    public delegate* unmanaged[SuppressGCTransition]<nint, nint, nint, nint, nint, nint, nint> syscall;
}
