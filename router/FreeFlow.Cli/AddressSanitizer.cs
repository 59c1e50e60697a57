using System;
using System.IO;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>
/// AddressSanitizer's runtime, where it is a library, refuses to start behind a preloaded one. The shim answers the question that it asks first
/// (native/sanitizer.c), unless the program has an answer of its own: then the option comes by the environment, which has the last word.
/// </summary>
internal static class AddressSanitizer
{
    private const string Variable = "ASAN_OPTIONS", Option = "verify_asan_link_order";

    /// <summary>Sets the option if <paramref name="command"/> names a program of that kind, and nobody has set it.</summary>
    public static void AllowPreload(string command)
    {
        string? options = Environment.GetEnvironmentVariable(Variable);
        if (options is not null && options.Contains(Option, StringComparison.Ordinal)) return;
        if (FindProgram(command) is not { } program || !NeededLibraries.Of(program).Exists(IsRuntime)) return;
        Libc.setenv(Variable, string.IsNullOrEmpty(options) ? $"{Option}=0" : $"{options}:{Option}=0", 1);
    }

    private static bool IsRuntime(string library) =>
        library.StartsWith("libasan.so", StringComparison.Ordinal) || library.StartsWith("libclang_rt.asan", StringComparison.Ordinal);

    /// <summary>As execvp(3) looks for it.</summary>
    private static string? FindProgram(string command)
    {
        if (command.Contains('/')) return command;
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "/bin:/usr/bin").Split(':'))
        {
            string candidate = Path.Combine(folder.Length == 0 ? "." : folder, command);
            if (File.Exists(candidate)) return candidate;
        }
        return null;
    }
}
