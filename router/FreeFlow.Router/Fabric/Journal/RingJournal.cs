using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using FreeFlow.Native;
using FreeFlow.Router.Logging;

namespace FreeFlow.Router.Fabric.Journal;

/// <summary>
/// The mirrored rings that programs have of this router, in a file which the next one reads if this one is killed (<see cref="AbandonedRings"/>): 64 bytes of "FFJ1" and version, then a <see cref="JournaledRing"/> in each
/// place. Memory is shared with the file, so a kill at any moment leaves what was written. Thread-safe.
/// </summary>
internal sealed unsafe class RingJournal : IDisposable
{
    /// <summary>"FFJ1", read as a little-endian word.</summary>
    private const uint Magic = 0x314a4646, Version = 1;

    private const int Places = 65536, Bytes = sizeof(uint) * 16 * (Places + 1);

    /// <summary>What everybody but the owner may do.</summary>
    private const uint Others = 0x3f;

    private readonly int _file;
    private readonly JournaledRing* _places;
    private readonly Queue<int> _free = [];
    private readonly List<(JournaledRing, Action)> _left = [];
    private readonly Lock _lock = new();
    private bool _isClosed;

    private RingJournal(int file, void* memory)
    {
        _file = file;
        _places = (JournaledRing*)memory;
        uint* head = (uint*)memory;
        // Nothing is kept of one that is none, or of another version.
        if (head[0] != Magic || head[1] != Version) new Span<byte>(memory, Bytes).Clear();
        (head[0], head[1]) = (Magic, Version);
        for (int place = 1; place <= Places; place++)
        {
            if (_places[place].IsUsed != 1) { _free.Enqueue(place); continue; }
            int its = place;
            _left.Add((_places[place], () => Remove(its)));
        }
    }

    /// <summary>What the router before this one has left, and what to call for each when it has been looked after: until then it stays.</summary>
    public IReadOnlyList<(JournaledRing Ring, Action Done)> Left => _left;

    /// <summary>
    /// Goes on with the one in <paramref name="folder"/>, which only root may write to and no container sees, or begins it. Null, with one line, if that is not to be: what a killed router leaves then waits for the programs
    /// themselves.
    /// </summary>
    public static RingJournal? TryOpen(string folder, Log log)
    {
        string path = Path.Combine(folder, "rings");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Refuse(-1, $"cannot be made: {exception.Message}");
        }
        int file = Libc.open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x180 /* 0600 */);
        if (file < 0) return Refuse(file, $"cannot be opened: {Errno.LastText}");
        if (!TryLock(file)) return Refuse(file, "is another router's: give each a folder of its own");
        if (Libc.fstat(file, out FileStatus status) != 0 || status.UserId != Libc.geteuid() || (status.Mode & Others) != 0) return Refuse(file, "is not this router's alone: remove it");
        if (status.Size != Bytes && Libc.ftruncate(file, 0) != 0) return Refuse(file, $"cannot be emptied: {Errno.LastText}");
        // All of it now: a page that cannot be had later would end this router.
        if (Libc.posix_fallocate(file, 0, Bytes) != 0) return Refuse(file, $"needs {Bytes} bytes of room");
        void* memory = Libc.mmap(null, Bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, file, 0);
        return memory == Libc.MAP_FAILED ? Refuse(file, $"cannot be mapped: {Errno.LastText}") : new RingJournal(file, memory);

        RingJournal? Refuse(int opened, string why)
        {
            if (opened >= 0) Libc.close(opened);
            log.JournalRefused(folder, path, why);
            return null;
        }
    }

    /// <summary>Writes one down; what to call when nobody needs it any more. Null if it is full.</summary>
    public Action? Add(in JournaledRing ring)
    {
        lock (_lock)
        {
            if (_isClosed || !_free.TryDequeue(out int place)) return null;
            _places[place] = ring with { IsUsed = 0 };
            Volatile.Write(ref _places[place].IsUsed, 1);
            return () => Remove(place);
        }
    }

    /// <summary>The file stays for the next router.</summary>
    public void Dispose()
    {
        // From here on it is the next router's. The memory, which would hold the lock, goes with the process.
        lock (_lock) _isClosed = true;
        Libc.flock(_file, Libc.LOCK_UN);
        Libc.close(_file);
    }

    private void Remove(int place)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _places[place].IsUsed = 0;
            _free.Enqueue(place);
        }
    }

    /// <summary>The one before may be at its end still.</summary>
    private static bool TryLock(int file)
    {
        const int attempts = 20, pause = 50;
        for (int i = 0; i < attempts; i++)
        {
            if (Libc.flock(file, Libc.LOCK_EX | Libc.LOCK_NB) == 0) return true;
            Thread.Sleep(pause);
        }
        return false;
    }
}
