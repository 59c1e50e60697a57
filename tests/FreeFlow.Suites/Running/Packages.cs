using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.Suites.Running;

/// <summary>What suites need from Debian.</summary>
internal static class Packages
{
    /// <summary>Installs those that are missing.</summary>
    internal static void Install(string[] packages)
    {
        if (packages.Length == 0) return;
        _ = Script("setup.sh", packages);
    }

    /// <summary>
    /// The folder with a Debian source package's files, fetched when it is not there yet: of the machine's release of Debian, or another.
    /// </summary>
    internal static string Source(string package, string? release = null)
    {
        string folder = Path.Combine(Artifacts.Folder, "suites", release is null ? package : $"{package}-{release}");
        string[] arguments = release is null ? [package, folder] : [package, folder, release];
        if (!File.Exists(Path.Combine(folder, ".complete"))) _ = Script("debian-source.sh", arguments);
        return Directory.EnumerateDirectories(folder).Single();
    }

    /// <summary>Runs one of scripts/.</summary>
    internal static CompletedProcess Script(string name, params string[] arguments) =>
        Place.Host.Run(new CommandLine(Path.Combine(Artifacts.Root, "scripts", name), arguments).In(Artifacts.Root), TimeSpan.FromMinutes(30)).Succeeded($"{name} {string.Join(' ', arguments)}");
}
