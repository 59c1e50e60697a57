namespace FreeFlow.Router.Sessions;

/// <summary>What one user of the host (by the kernel's uid) takes of the router's limits.</summary>
internal sealed class UserAccount
{
    public ulong Sessions { get; set; }
    public ulong Connections { get; set; }
    public ulong RingBytes { get; set; }
}
