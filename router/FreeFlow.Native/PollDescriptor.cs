using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollDescriptor
{
    public const short POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16;

    public int Descriptor;
    public short Events;
    public short Returned;
}
