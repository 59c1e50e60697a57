using System;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>
/// Pages that their server does not deliver (userfaultfd(2)): a system call that reads them keeps whatever lock it has, until this object is disposed of. A program without privileges does the same by a
/// file of a FUSE server of its own.
/// </summary>
internal sealed unsafe class UndeliveredMemory : IDisposable
{
    private const long UserFaultDescriptor = 323, Api = 0xc018aa3f, Register = 0xc020aa00;
    private const int Page = 4096, Private = 0x02, Anonymous = 0x20;

    private readonly int _server;
    private readonly Thread _caller;

    /// <summary>Has a thread begin a call with such a page, and returns when it is in the midst of it.</summary>
    public UndeliveredMemory(Action<nint> call)
    {
        _server = (int)Kernel.syscall(UserFaultDescriptor, Libc.O_CLOEXEC, 0, 0);
        ulong* api = stackalloc ulong[3] { 0xaa, 0, 0 };
        void* page = Libc.mmap(null, Page, Libc.PROT_READ | Libc.PROT_WRITE, Private | Anonymous, -1, 0);
        ulong* register = stackalloc ulong[4] { (ulong)page, Page, 1, 0 };
        if (_server < 0 || Libc.ioctl(_server, (nuint)Api, (nint)api) != 0 || Libc.ioctl(_server, (nuint)Register, (nint)register) != 0)
            throw new InvalidOperationException($"userfaultfd: {Errno.LastText}");
        _caller = new Thread(() => call((nint)page)) { IsBackground = true };
        _caller.Start();
        PollDescriptor fault = new() { Descriptor = _server, Events = PollDescriptor.POLLIN };
        if (Libc.poll(&fault, 1, 30_000) != 1) throw new InvalidOperationException("the call does not read the page");
    }

    /// <summary>The page is one of zeros now, and the call goes on.</summary>
    public void Dispose()
    {
        Libc.close(_server);
        _caller.Join();
    }
}
