using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct rlimit.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResourceLimit
{
    public ulong Soft;
    public ulong Hard;
}
