using System;
using System.IO;
using System.Linq;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>Copies the preload library from this program's image to the folder of the node that pods mount.</summary>
internal static class LibraryInstaller
{
    /// <summary>
    /// Makes the target hold the same libraries. Each file is put in place whole: a program that begins meanwhile loads the old or the
    /// new one, and one that has the old one loaded keeps it.
    /// </summary>
    /// <exception cref="IOException">A folder cannot be read or written.</exception>
    internal static void Install(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(source, "*.so").Order(StringComparer.Ordinal))
        {
            string place = Path.Combine(target, Path.GetFileName(file));
            if (File.Exists(place) && File.ReadAllBytes(place).AsSpan().SequenceEqual(File.ReadAllBytes(file))) continue;
            string waiting = $"{place}.new";
            using (FileStream from = File.OpenRead(file))
            using (FileStream to = new(waiting, FileMode.Create))
            {
                from.CopyTo(to);
                to.Flush(flushToDisk: true);
            }
            File.SetUnixFileMode(waiting, (UnixFileMode)0b110_100_100);
            File.Move(waiting, place, overwrite: true);
        }
    }
}
