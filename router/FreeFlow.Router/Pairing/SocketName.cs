using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>How a socket is found among a program's descriptors, and known for sure. Written to a file as it lies (<see cref="Fabric.Journal.JournaledRing"/>): inode, then cookie.</summary>
/// <param name="Inode">By which /proc shows who has it open; 0 if the kernel would not say. It may be another socket's later.</param>
/// <param name="Cookie">SO_COOKIE: never used twice while the machine runs.</param>
internal readonly record struct SocketName(ulong Inode, ulong Cookie)
{
    /// <summary>What the kernel says of a socket of this process.</summary>
    public static SocketName Of(int socket) =>
        new(Libc.fstat(socket, out FileStatus status) == 0 ? status.Inode : 0, SocketOptions.TryGet(socket, Libc.SO_COOKIE, out ulong cookie) ? cookie : 0);

    public bool IsThatOf(int socket) => Cookie != 0 && SocketOptions.TryGet(socket, Libc.SO_COOKIE, out ulong cookie) && cookie == Cookie;
}
