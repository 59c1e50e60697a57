using System.Threading;

namespace FreeFlow.Shim.Native;

/// <summary>
/// Counts a thread among the sleepers of something. The thread remembers which counter it has raised, so that one that never comes back from its sleep, because
/// it was cancelled (native/sleep.c) or left by siglongjmp, is taken off again.
/// </summary>
internal static unsafe class Sleeper
{
    /// <param name="counter">Of all processes that share it.</param>
    /// <param name="own">Of this process.</param>
    public static void Begin(int* counter, int* own)
    {
        // Left by a jump; or a handler has interrupted that sleep, which then ends with EINTR and misses nothing.
        Forget();
        ThreadRecord* thread = Process.Thread();
        Interlocked.Increment(ref *counter);
        Interlocked.Increment(ref *own);
        thread->Sleeping = counter;
        thread->SleepingHere = own;
    }

    public static void End(int* counter)
    {
        if (Process.CurrentThread()->Sleeping == counter) Forget();
    }

    /// <summary>Takes the thread off whatever it was counted in.</summary>
    public static void Forget()
    {
        ThreadRecord* thread = Process.CurrentThread();
        int* counter = thread->Sleeping;
        if (counter == null) return;
        thread->Sleeping = null;
        Interlocked.Decrement(ref *counter);
        Interlocked.Decrement(ref *thread->SleepingHere);
    }
}
