using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct epoll_event, packed on x86-64.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct EpollEvent
{
    public uint Events;
    public ulong Data;
}
