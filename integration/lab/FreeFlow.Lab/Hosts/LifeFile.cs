using System;
using System.Globalization;
using System.IO;

namespace FreeFlow.Lab.Hosts;

/// <summary>A file with a process's line of /proc/&lt;pid&gt;/stat: pid and start time together name one process for ever.</summary>
internal static class LifeFile
{
    /// <summary>Its pid; 0 if the file is missing or the process has ended.</summary>
    internal static int Living(string path)
    {
        try
        {
            string stat = File.ReadAllText(path);
            int pid = int.Parse(stat.AsSpan(0, stat.IndexOf(' ')), CultureInfo.InvariantCulture);
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return ProcessTree.StartTime(pid) == long.Parse(fields[19], CultureInfo.InvariantCulture) && !ProcessTree.IsZombie(pid) ? pid : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
