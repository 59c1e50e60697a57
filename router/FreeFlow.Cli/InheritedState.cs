using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>Undoes what the .NET runtime changed in this process and an executed program would inherit.</summary>
internal static class InheritedState
{
    /// <summary>The runtime ignores SIGPIPE, and an ignored signal stays ignored over exec.</summary>
    public static void Restore() => Libc.signal(Libc.SIGPIPE, Libc.SIG_DFL);
}
