using System;
using System.IO;

namespace FreeFlow.Lab;

/// <summary>Where this working tree and its built files are.</summary>
public static class Artifacts
{
    /// <summary>The working tree: the nearest folder above this program that holds Directory.Build.props.</summary>
    public static string Root => s_root.Value;

    /// <summary>Folder for results such as bench.json; made when missing.</summary>
    public static string Folder => Directory.CreateDirectory(Path.Combine(Root, "artifacts")).FullName;

    /// <summary>The command <c>freeflow</c>.</summary>
    public static string Cli => Binary("freeflow");

    /// <summary>The daemon.</summary>
    public static string Router => Binary("freeflow-router");

    /// <summary>The daemon that publishes a host's addresses.</summary>
    public static string Hunter => Binary("freeflow-hunter");

    /// <summary>The library that LD_PRELOAD names.</summary>
    public static string PreloadLibrary => Binary("libfreeflow.so");

    /// <summary>Where an installed FreeFlow has its command; null: the working tree's artifacts/bin is meant.</summary>
    public static string? InstalledFolder { get; set; }

    /// <summary>Full path of a built file in artifacts/bin, or of an installed one.</summary>
    public static string Binary(string name)
    {
        if (InstalledFolder is null) return Path.Combine(Root, "artifacts", "bin", name);
        foreach (string place in (ReadOnlySpan<string>)["", "../sbin", "../lib/freeflow"])
        {
            string path = Path.GetFullPath(Path.Combine(InstalledFolder, place, name));
            if (File.Exists(path)) return path;
        }
        return Path.Combine(InstalledFolder, name);
    }

    /// <summary>True when every built file that FreeFlow needs is there.</summary>
    public static bool Complete => File.Exists(Cli) && File.Exists(Router) && File.Exists(PreloadLibrary) && File.Exists(Binary("libfreeflow-core.so"));

    private static readonly Lazy<string> s_root = new(FindRoot);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Build.props"))) return folder.FullName;
        }
        throw new LabException($"No Directory.Build.props above {AppContext.BaseDirectory}: run this program from inside the working tree.");
    }
}
