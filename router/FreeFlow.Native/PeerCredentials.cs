using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct ucred: who connected, by the kernel, in the reader's pid and user namespace.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PeerCredentials
{
    public int ProcessId;
    public uint UserId;
    public uint GroupId;
}
