using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct stat of x86-64, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
public struct FileStatus
{
    [FieldOffset(0)] public ulong Device;
    [FieldOffset(8)] public ulong Inode;
    [FieldOffset(24)] public uint Mode;
    [FieldOffset(28)] public uint UserId;
    [FieldOffset(32)] public uint GroupId;
    [FieldOffset(48)] public long Size;
}
