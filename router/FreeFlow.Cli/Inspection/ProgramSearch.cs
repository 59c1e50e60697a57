using System;
using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Cli.Inspection;

/// <summary>Finds the file that a command names.</summary>
internal static class ProgramSearch
{
    private const uint Regular = 0x8000, AnyMayExecute = 0x49;

    /// <summary>As execvp(3) looks for it; null if there is none.</summary>
    public static string? Find(string command)
    {
        if (command.Contains('/', StringComparison.Ordinal)) return IsProgram(command) ? command : null;
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "/bin:/usr/bin").Split(':'))
        {
            string candidate = Path.Combine(folder.Length == 0 ? "." : folder, command);
            if (IsProgram(candidate)) return candidate;
        }
        return null;
    }

    private static bool IsProgram(string path) => Libc.stat(path, out FileStatus file) == 0 && (file.Mode & Libc.S_IFMT) == Regular && (file.Mode & AnyMayExecute) != 0;
}
