using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>The other end of a splice(2): a pipe that may be empty or full.</summary>
internal static unsafe class Source
{
    /// <summary>Waits until the pipe can be read or written; 0, −EAGAIN if it cannot and the call must not wait, or −EINTR.</summary>
    public static int Wait(int pipe, short events, bool dontWait)
    {
        PollDescriptor wait = new() { Descriptor = pipe, Events = events };
        int ready = (int)Process.FromLibc(Process.Libc->poll(&wait, 1, dontWait ? 0 : -1));
        return ready > 0 ? 0 : ready == 0 ? -Linux.EAGAIN : ready;
    }
}
