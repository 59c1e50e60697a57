using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The process's memory regions by key. A key is 24 bits of index, which begins at a random number, and 8 random bits; local and remote key are the same number, as with most devices.
/// </summary>
internal static unsafe class RegionTable
{
    public const uint Capacity = 65536;

    private static RegionEntry* _entries;
    private static uint _base, _next, _lock;

    /// <summary>Once, under the session's lock.</summary>
    public static bool Create()
    {
        if (_entries != null) return true;
        RegionEntry* entries = (RegionEntry*)Pages.Allocate((nuint)(Capacity * sizeof(RegionEntry)));
        if (entries == null) return false;
        uint random;
        _base = Process.Kernel(Numbers.SysGetrandom, (nint)(&random), sizeof(uint), 0, 0, 0, 0) == sizeof(uint) ? random & 0xffffff : 0x123456;
        _entries = entries;
        return true;
    }

    /// <summary>A key for the region; 0 if there is none left.</summary>
    public static uint Add(void* domain, uint access, ulong address, byte* memory, ulong length)
    {
        byte tag;
        if (Process.Kernel(Numbers.SysGetrandom, (nint)(&tag), 1, 0, 0, 0, 0) != 1) tag = 0x5a;
        if (!ThreadLock.Enter(LockWord())) return 0;
        uint key = 0;
        for (uint step = 0; step < Capacity && key == 0; step++)
        {
            uint index = _next++ % Capacity;
            RegionEntry* entry = _entries + index;
            if (entry->Key != 0) continue;
            uint number = (index + _base) & 0xffffff;
            if (number == 0) continue;
            key = (number << 8) | tag;
            Fill(entry, key, domain, access, address, memory, length);
        }
        ThreadLock.Exit(LockWord());
        return key;
    }

    /// <summary>The key stands for another region from here on.</summary>
    public static void Change(uint key, void* domain, uint access, ulong address, byte* memory, ulong length)
    {
        RegionEntry* entry = Find(key);
        if (entry == null || !ThreadLock.Enter(LockWord())) return;
        Volatile.Write(ref entry->Key, 0);
        Fill(entry, key, domain, access, address, memory, length);
        ThreadLock.Exit(LockWord());
    }

    public static void Remove(uint key)
    {
        RegionEntry* entry = Find(key);
        if (entry != null) Volatile.Write(ref entry->Key, 0);
    }

    /// <summary>Where a scatter or gather element lies in memory; false if its key does not allow it (local protection error).</summary>
    /// <param name="domain">The queue pair's, not a parent domain.</param>
    /// <param name="element">Address, length and key.</param>
    /// <param name="writes">It is written to.</param>
    /// <param name="memory">Its first byte.</param>
    public static bool TryFind(void* domain, IbvSge element, bool writes, out byte* memory)
    {
        RegionEntry* entry = Find(element.LocalKey);
        memory = null;
        if (entry == null || entry->Domain != domain || (writes && (entry->Access & Ibv.AccessLocalWrite) == 0)) return false;
        ulong offset = element.Address - entry->Address;
        if (offset > entry->Length || element.Length > entry->Length - offset) return false;
        memory = entry->Memory + offset;
        return true;
    }

    /// <summary>As <see cref="TryFind"/>, for an element that has been checked; null if its region has gone, or is another one now.</summary>
    public static byte* Translate(IbvSge element)
    {
        RegionEntry* entry = Find(element.LocalKey);
        if (entry == null) return null;
        ulong offset = element.Address - entry->Address;
        return offset > entry->Length || element.Length > entry->Length - offset ? null : entry->Memory + offset;
    }

    private static void Fill(RegionEntry* entry, uint key, void* domain, uint access, ulong address, byte* memory, ulong length)
    {
        entry->Domain = domain;
        entry->Access = access;
        entry->Address = address;
        entry->Memory = memory;
        entry->Length = length;
        Volatile.Write(ref entry->Key, key);
    }

    private static RegionEntry* Find(uint key)
    {
        uint index = ((key >> 8) - _base) & 0xffffff;
        if (index >= Capacity || _entries == null || key == 0) return null;
        RegionEntry* entry = _entries + index;
        return Volatile.Read(ref entry->Key) == key ? entry : null;
    }

    /// <summary>In a forked child: the lock was its parent's.</summary>
    public static void ForgetAfterFork() => _lock = 0;

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
}
