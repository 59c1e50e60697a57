using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Verbs;

/// <summary>What a local key stands for.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct RegionEntry
{
    /// <summary>0: free.</summary>
    public uint Key;
    public uint Access;
    public void* Domain;

    /// <summary>Where the region begins as addresses in work requests count (iova), and in memory.</summary>
    public ulong Address;
    public byte* Memory;
    public ulong Length;
}
