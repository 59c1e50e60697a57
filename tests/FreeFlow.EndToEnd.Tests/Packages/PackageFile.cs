using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Packages;

/// <summary>What <c>make packages</c> has made.</summary>
internal static class PackageFile
{
    public static string Folder => Path.Combine(Artifacts.Folder, "packages");

    public static string Deb => Find("freeflow_", ".deb");

    public static string DebOfSymbols => Find("freeflow-dbgsym_", ".deb");

    public static string Rpm => Find("freeflow-", ".x86_64.rpm");

    public static string RpmOfSymbols => Find("freeflow-debuginfo-", ".x86_64.rpm");

    // Between both stands a version, and a version begins with a digit.
    private static string Find(string start, string end)
    {
        string[] all = Directory.Exists(Folder) ? Directory.GetFiles(Folder, $"{start}*{end}") : [];
        string[] found = [.. all.Where(file => char.IsAsciiDigit(Path.GetFileName(file)[start.Length]))];
        return found.Length == 1 ? found[0]
            : throw new AssertionException($"{found.Length} files {start}VERSION{end} in {Folder}: run 'make packages'");
    }
}
