using System;
using System.Runtime.ExceptionServices;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Runs code on a thread of its own that has stepped into another network namespace or given up root; the thread ends with it.</summary>
internal static class Place
{
    /// <summary>The user that nobody is.</summary>
    public const uint Nobody = 65534;

    /// <summary>Runs <paramref name="work"/> in the network namespace at <paramref name="namespacePath"/> (null: here) as <paramref name="user"/> (null: as we are).</summary>
    public static T Run<T>(string? namespacePath, uint? user, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (namespacePath is not null) Enter(namespacePath);
                if (user is { } id && (Kernel.syscall(Kernel.SetGroupIds, id, id, id) != 0 || Kernel.syscall(Kernel.SetUserIds, id, id, id) != 0)) throw new InvalidOperationException($"setresuid {id}: {Errno.LastText}");
                result = work();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static void Enter(string namespacePath)
    {
        int network = Libc.open(namespacePath, Libc.O_RDONLY | Libc.O_CLOEXEC);
        int entered = network < 0 ? -1 : Libc.setns(network, Libc.CLONE_NEWNET);
        if (entered != 0) throw new InvalidOperationException($"{namespacePath}: {Errno.LastText}");
        Libc.close(network);
    }
}
