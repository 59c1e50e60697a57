using System;
using System.Threading;

namespace FreeFlow.Router;

/// <summary>Threads for others' sake: that the system gives no more of them (TasksMax, RLIMIT_NPROC) must not end this router.</summary>
internal static class Threads
{
    public const string NoneToBeHad = "no thread can be had";

    /// <summary>False if none can be had; the thread is as it was then.</summary>
    public static bool TryStart(Thread thread)
    {
        try
        {
            thread.Start();
            return true;
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException) { return false; }
    }

    /// <summary>Told of an exception that a thread's work has left behind; the thread has ended, and nothing else.</summary>
    public static Action<string, Exception> Faulted { get; set; } = (_, _) => { };

    public static bool TryBegin(string name, Action work) => TryStart(new Thread(() => Guard(name, work)) { IsBackground = true, Name = name });

    private static void Guard(string name, Action work)
    {
        try { work(); }
        catch (Exception exception) { Faulted(name, exception); }
    }
}
