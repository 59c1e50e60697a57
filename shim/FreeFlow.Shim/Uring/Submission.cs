using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Uring;

/// <summary>struct ff_submission of native/uring.c: one call that submits, from before it until after it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Submission
{
    /// <summary>The ring's descriptor, or with <see cref="IsRegistered"/> the thread's registered index of it.</summary>
    public int Ring;
    public int IsRegistered;

    /// <summary>How many entries the call submits at most; made smaller where fewer have been looked at.</summary>
    public uint Count;

    /// <summary>Not 0: the library has entries up to <see cref="Tail"/>, and tells the kernel of them inside the call.</summary>
    public int HasTail;
    public uint Tail;

    /// <summary>Index of the queue plus one; 0 if it is not known, or nothing is to be done after the call.</summary>
    public int Queue;

    /// <summary>Not 0: the call must submit and not wait, since entries are changed, or a lock is held, until it returns.</summary>
    public int MustNotWait;
    public int IsLocked;
}
