using System.Runtime.Intrinsics.X86;
using System.Threading;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Native;

/// <summary>
/// A lock in one word that names its owner's thread, usable in shared memory. It survives its owner: who waits and finds the owner dead takes it
/// over, which is safe because everything guarded by it is published by one final store. The application's signal handlers wait while their thread holds
/// a lock (native/signals.c).
/// </summary>
internal static unsafe class ThreadLock
{
    /// <summary>Takes the lock. False if this very thread holds it: a handler of a fault has interrupted the holder.</summary>
    public static bool Enter(uint* word) => EnterAs(word) != null;

    /// <summary>As <see cref="Enter"/>; the calling thread, or null for false.</summary>
    public static ThreadRecord* EnterAs(uint* word)
    {
        ThreadRecord* thread = Process.Thread();
        thread->Inside++;
        if (Interlocked.CompareExchange(ref *word, thread->ThreadId, 0) == 0 || EnterContended(word, thread->ThreadId)) return thread;
        Leave(thread);
        return null;
    }

    public static void Exit(uint* word)
    {
        Volatile.Write(ref *word, 0);
        Leave(Process.CurrentThread());
    }

    /// <summary>As <see cref="Exit"/>, and a full fence: what was stored before is visible before anything is loaded after.</summary>
    public static void ExitWithFence(uint* word, ThreadRecord* thread)
    {
        Interlocked.Exchange(ref *word, 0);
        Leave(thread);
    }

    /// <summary>After a fork, in the child: the locks were its parent's.</summary>
    public static void ForgetAfterFork()
    {
        ThreadRecord* thread = Process.CurrentThread();
        thread->ThreadId = 0;
        thread->Inside = 0;
        thread->Sleeping = null;
        Process.DropDeferred();
    }

    private static void Leave(ThreadRecord* thread)
    {
        if (--thread->Inside == 0 && thread->Deferred != 0) Process.DeliverDeferred();
    }

    private static bool EnterContended(uint* word, uint self)
    {
        for (uint round = 1; ; round++)
        {
            uint owner = Volatile.Read(ref *word);
            if (owner == self) return false;
            if (owner == 0)
            {
                if (Interlocked.CompareExchange(ref *word, self, 0) == 0) return true;
                continue;
            }
            if (round % 64 != 0) { X86Base.Pause(); continue; }
            Process.Libc->sched_yield();
            if (round % 65536 == 0 && IsDead(owner) && Interlocked.CompareExchange(ref *word, self, owner) == owner) return true;
        }
    }

    /// <summary>True if the thread is gone, or a zombie: its parent may be the very one that waits here, and would never come to reap it.</summary>
    private static bool IsDead(uint thread)
    {
        int errno = Process.Errno;
        bool dead = Process.Libc->kill((int)thread, 0) != 0 ? Process.Errno == Linux.ESRCH : Descendant.IsZombie((int)thread);
        Process.Errno = errno;
        return dead;
    }
}
