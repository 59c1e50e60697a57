using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}
