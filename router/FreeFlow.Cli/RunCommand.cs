using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary><c>freeflow run</c>: sets the environment and becomes the command.</summary>
internal static unsafe class RunCommand
{
    private const string Library = "libfreeflow.so";
    private const int NotFound = 127, NotExecutable = 126; // as a shell reports them

    /// <summary>Returns only if the command cannot be started.</summary>
    public static int Execute(RunOptions options)
    {
        string library = FindLibrary(AppContext.BaseDirectory);
        string? preloaded = Environment.GetEnvironmentVariable("LD_PRELOAD");
        Libc.setenv("LD_PRELOAD", string.IsNullOrEmpty(preloaded) ? library : $"{library}:{preloaded}", 1);
        if (options.Router is not null) Libc.setenv("FREEFLOW_SOCKET", options.Router, 1);
        AddressSanitizer.AllowPreload(options.Command[0]);
        if (!options.Quiet && RouterPresence.Problem(options.Router ?? RouterPath.Default) is { } problem) Warn(problem);
        InheritedState.Restore();

        byte** arguments = (byte**)NativeMemory.AllocZeroed((nuint)(options.Command.Length + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < options.Command.Length; i++) arguments[i] = (byte*)Marshal.StringToCoTaskMemUTF8(options.Command[i]);
        Libc.execvp(arguments[0], arguments);

        string command = options.Command[0];
        if (Errno.Last == Errno.ENOENT) throw new CommandException($"run: {command}: command not found.", NotFound);
        throw new CommandException($"run: {command}: cannot be executed ({Errno.LastText}).", NotExecutable);
    }

    /// <summary>The command runs all the same: nothing is said where nobody could read it at once, and no error stops it.</summary>
    private static void Warn(string problem)
    {
        string what = Environment.GetEnvironmentVariable("FREEFLOW_STRICT") == "1" ? "FREEFLOW_STRICT=1 refuses its connections" : "its connections stay in the kernel";
        byte[] line = Encoding.UTF8.GetBytes($"freeflow: run: {problem}; {what}\n");
        PollDescriptor standardError = new() { Descriptor = 2, Events = PollDescriptor.POLLOUT };
        if (Libc.poll(&standardError, 1, 0) != 1 || standardError.Returned != PollDescriptor.POLLOUT) return;
        fixed (byte* bytes = line) _ = Libc.write(standardError.Descriptor, bytes, (nuint)line.Length);
    }

    /// <summary>Beside this program as built, or in ../lib/freeflow as installed.</summary>
    private static string FindLibrary(string folder)
    {
        foreach (string candidate in (ReadOnlySpan<string>)[Path.Combine(folder, Library), Path.GetFullPath(Path.Combine(folder, "..", "lib", "freeflow", Library))])
        {
            if (!File.Exists(candidate)) continue;
            if (candidate.AsSpan().IndexOfAny(' ', ':') >= 0) throw new CommandException($"run: {candidate}: LD_PRELOAD cannot name a path with a space or a colon; install freeflow elsewhere.");
            return candidate;
        }
        throw new CommandException($"run: {Library} is neither in {folder} nor in ../lib/freeflow from there; build or install it.");
    }
}
