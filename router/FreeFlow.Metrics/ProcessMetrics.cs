using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Prometheus;

namespace FreeFlow.Metrics;

/// <summary>The process and its garbage collector, by the names that Prometheus' own client libraries have.</summary>
internal sealed class ProcessMetrics
{
    private const string Limits = "Max open files";

    private readonly Counter _cpu, _collections, _pauses;
    private readonly Gauge _resident, _virtual, _descriptors, _mostDescriptors, _threads, _started, _heap;

    public ProcessMetrics(MetricsRegistry registry, string version)
    {
        registry.Gauge("freeflow_build_info", "1; the program's version is its label.", "version").WithLabels(version).Set(1);
        _cpu = registry.Counter("process_cpu_seconds_total", "Time that the process has run, in its own code and in the kernel.");
        _resident = registry.Gauge("process_resident_memory_bytes", "Memory of the process that is resident.");
        _virtual = registry.Gauge("process_virtual_memory_bytes", "Address space of the process.");
        _descriptors = registry.Gauge("process_open_fds", "Open file descriptors.");
        _mostDescriptors = registry.Gauge("process_max_fds", "How many file descriptors it may have open.");
        _threads = registry.Gauge("process_threads", "Threads of the process.");
        _started = registry.Gauge("process_start_time_seconds", "When it started, in seconds since 1970.");
        _collections = registry.Counter("dotnet_gc_collections_total", "Garbage collections by generation.", "generation");
        _pauses = registry.Counter("dotnet_gc_pause_seconds_total", "Time that the program stood still for garbage collections.");
        _heap = registry.Gauge("dotnet_gc_heap_size_bytes", "Heap of the last garbage collection.");
        _started.Set(Math.Round((DateTime.UtcNow - DateTime.UnixEpoch - Uptime()).TotalSeconds, 2));
    }

    public void Refresh()
    {
        Environment.ProcessCpuUsage usage = Environment.CpuUsage;
        _cpu.IncTo(usage.TotalTime.TotalSeconds);
        string[] memory = File.ReadAllText("/proc/self/statm").Split(' ');
        _virtual.Set(Number(memory[0]) * (double)Environment.SystemPageSize);
        _resident.Set(Number(memory[1]) * (double)Environment.SystemPageSize);
        _descriptors.Set(Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
        _threads.Set(Directory.EnumerateFileSystemEntries("/proc/self/task").Count());
        string? limit = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Limits, StringComparison.Ordinal));
        if (limit is not null && double.TryParse(limit[Limits.Length..].Trim().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out double most)) _mostDescriptors.Set(most);
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
            _collections.WithLabels(generation.ToString(CultureInfo.InvariantCulture)).IncTo(GC.CollectionCount(generation));
        _pauses.IncTo(GC.GetTotalPauseDuration().TotalSeconds);
        _heap.Set(GC.GetGCMemoryInfo().HeapSizeBytes);
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    /// <summary>Field 22 of /proc/self/stat tells the start in ticks of 10 ms since the boot (proc(5)).</summary>
    private static TimeSpan Uptime()
    {
        string stat = File.ReadAllText("/proc/self/stat");
        return TimeSpan.FromMilliseconds(Environment.TickCount64 - (Number(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19]) * 10));
    }
}
