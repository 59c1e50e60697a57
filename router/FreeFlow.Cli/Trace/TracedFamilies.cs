using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Cli.Trace;

/// <summary>The family tables of the processes that are to be traced: looked for again and again, each opened once.</summary>
/// <param name="options">Which.</param>
internal sealed class TracedFamilies(TraceOptions options) : IDisposable
{
    private const int MostFamilies = 1024, EndedLooks = 20, WithoutShimMilliseconds = 1000;

    private readonly Dictionary<(ulong, ulong), (TracedFamily Family, int Missed)> _families = [];

    /// <summary>Processes that were looked at, and when that is worth it again: they may become other programs.</summary>
    private readonly Dictionary<int, (bool Denied, long First, long Again)> _known = [];

    /// <summary>Those that there are.</summary>
    public IEnumerable<TracedFamily> All => _families.Values.Select(entry => entry.Family);

    /// <summary>Processes that may not be looked at: another user's.</summary>
    public int Denied => _known.Values.Count(known => known.Denied);

    /// <summary>Looks for new processes. What the ended have left in memory is kept for some looks more.</summary>
    public void Look()
    {
        HashSet<int> living = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process) || process == Environment.ProcessId) continue;
            living.Add(process);
            if (_families.Count >= MostFamilies || (options.Process != 0 && options.Process != process)) continue;
            long now = Environment.TickCount64;
            (bool Denied, long First, long Again) before = _known.GetValueOrDefault(process, (false, now, 0));
            if (now < before.Again) continue;
            TracedFamily? family = TracedFamily.Open(process, out bool denied, out bool hasShim);
            bool soon = hasShim && family is null && !denied;
            // One that has just begun may be a shell that has not become its program yet.
            _known[process] = (denied, before.First, now + (soon ? 0 : Math.Min(WithoutShimMilliseconds, now - before.First)));
            if (family is null) continue;
            if (_families.TryGetValue(family.Identity, out (TracedFamily Family, int) known)) known.Family.Processes.Add(process);
            bool wanted = options.Program is null || family.Program == options.Program;
            if (!wanted || !_families.TryAdd(family.Identity, (family, 0))) family.Dispose();
        }
        foreach (int gone in _known.Keys.Where(process => !living.Contains(process)).ToArray()) _known.Remove(gone);
        foreach (((ulong, ulong) identity, (TracedFamily family, int missed)) in _families.ToArray())
        {
            family.Processes.IntersectWith(living);
            if (family.Processes.Count > 0) continue;
            _families[identity] = (family, missed + 1);
            if (missed < EndedLooks) continue;
            Ended?.Invoke(family);
            family.Dispose();
            _families.Remove(identity);
        }
    }

    /// <summary>A family is about to be forgotten.</summary>
    public event Action<TracedFamily>? Ended;

    public void Dispose()
    {
        foreach (TracedFamily family in All) family.Dispose();
    }
}
