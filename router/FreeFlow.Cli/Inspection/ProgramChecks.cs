using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Native;

namespace FreeFlow.Cli.Inspection;

/// <summary>Whether a program can be accelerated at all, before it is run.</summary>
internal static class ProgramChecks
{
    private const int MostScripts = 4;

    /// <summary>What is to be said of a command.</summary>
    public static IEnumerable<Finding> Of(string command) => Of(command, MostScripts);

    /// <summary>Why no preload library reaches a program; null if one does.</summary>
    public static Finding? Obstacle(string path, ProgramFile file)
    {
        string name = Path.GetFileName(path);
        if (!file.IsElf || !file.IsNative)
        {
            return new(Severity.Problem, name, file.IsElf ? $"{path} is for another architecture or of 32 bits" : $"{path} is neither a program (ELF) nor a script",
                "libfreeflow.so is for 64-bit x86 programs; this one stays on the kernel's path", "use the program's build for amd64");
        }
        if (file.IsGo)
        {
            return new(Severity.Problem, name, $"{path} is a Go program", "Go's net package asks the kernel itself, past the C library that is preloaded",
                "nothing mends it; its peers stay on the kernel's path for its connections, and are accelerated among each other");
        }
        if (file.Loader is null)
        {
            return new(Severity.Problem, name, $"{path} is linked statically", "a preload library is loaded by the dynamic loader, which a static program does not have",
                "use a build that is linked dynamically against glibc");
        }
        if (Path.GetFileName(file.Loader).StartsWith("ld-musl", StringComparison.Ordinal))
        {
            return new(Severity.Problem, name, $"{path} is linked against musl ({file.Loader})", "libfreeflow.so is for glibc", "use an image with glibc (Debian's, Ubuntu's, Red Hat's) instead of Alpine's");
        }
        return null;
    }

    private static IEnumerable<Finding> Of(string command, int scripts)
    {
        if (ProgramSearch.Find(command) is not { } path)
        {
            yield return new(Severity.Problem, "program", $"{command} is not found, or may not be executed", "there is nothing to run", "name the program with its whole path");
            yield break;
        }
        ProgramFile? file = null;
        Finding? unreadable = null;
        try { file = ProgramFile.Read(path); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            unreadable = new(Severity.Note, Path.GetFileName(path), $"{path} cannot be read ({exception.Message})", "nothing can be said of it", "sudo freeflow doctor -- " + command);
        }
        if (file is null)
        {
            yield return unreadable!;
            yield break;
        }
        if (file.Script is { } interpreter)
        {
            yield return new(Severity.Good, Path.GetFileName(path), $"{path} is a script for {interpreter}, which is looked at instead");
            if (scripts > 0) foreach (Finding finding in Of(interpreter, scripts - 1)) yield return finding;
            yield break;
        }
        if (Obstacle(path, file) is { } obstacle)
        {
            yield return obstacle;
            yield break;
        }
        if (Privilege(path) is { } privilege) yield return privilege;
        else yield return new(Severity.Good, Path.GetFileName(path), $"{path} is linked dynamically against glibc: a preload library reaches it");
        if (NeededLibraries.Of(path).FirstOrDefault(library => library.StartsWith("liburing", StringComparison.Ordinal)) is { } uring)
        {
            yield return new(Severity.Note, Path.GetFileName(path), $"{path} is linked against {uring}", "connections that an io_uring names stay in the kernel; the others are accelerated",
                "look at 'freeflow status' while it runs; many programs have an option for epoll instead");
        }
    }

    /// <summary>Programs that take on other rights ignore LD_PRELOAD (ld.so(8), secure-execution mode).</summary>
    private static Finding? Privilege(string path)
    {
        const uint setUser = 0x800, setGroup = 0x400;
        const string why = "the dynamic loader ignores LD_PRELOAD for programs that take on other rights (ld.so(8), secure-execution mode)";
        string name = Path.GetFileName(path);
        if (Libc.stat(path, out FileStatus file) != 0) return null;
        bool user = (file.Mode & setUser) != 0 && file.UserId != Libc.geteuid(), group = (file.Mode & setGroup) != 0 && file.GroupId != Libc.getegid();
        if (user || group)
        {
            return new(Severity.Problem, name, $"{path} is {(user ? $"setuid: it becomes user {file.UserId}" : $"setgid: it becomes group {file.GroupId}")}", why,
                "start it as the user that it would become, without that bit");
        }
        // Root gains nothing by them.
        return Libc.geteuid() != 0 && FileCapabilities.Has(path)
            ? new(Severity.Problem, name, $"{path} has file capabilities", why, "give its service the capabilities instead (AmbientCapabilities= in its unit)")
            : null;
    }
}
