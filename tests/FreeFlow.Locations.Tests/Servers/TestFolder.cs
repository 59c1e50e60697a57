using System;
using System.IO;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>A folder that goes with the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public static readonly string Prefix = $"freeflow-locations.{Environment.ProcessId}.";

    public string Path { get; } = Directory.CreateTempSubdirectory(Prefix).FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Replaces the file in one step, as an administrator's tools do.</summary>
    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name + ".new"), text);
        System.IO.File.Move(File(name + ".new"), File(name), overwrite: true);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
