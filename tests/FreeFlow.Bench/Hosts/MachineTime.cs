using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Bench.Hosts;

/// <summary>What the whole machine's processors have done since it began (proc(5)): the kernel's work for a network is on no process's account.</summary>
internal static class MachineTime
{
    private const double TicksPerSecond = 100;

    /// <summary>Seconds in which a processor was busy: user, nice, system, irq and softirq. Step: 10 ms.</summary>
    internal static double BusySeconds
    {
        get
        {
            double[] ticks = File.ReadLines("/proc/stat").First().Split(' ', System.StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(column => double.Parse(column, CultureInfo.InvariantCulture)).ToArray();
            return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / TicksPerSecond;
        }
    }
}
