using System;
using System.IO;
using System.Runtime.InteropServices;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>The router's socket file. A file that a dead router left is replaced; a living one's is respected.</summary>
internal sealed unsafe class Listener : IDisposable
{
    private const int Backlog = 4096;
    private const uint EveryoneMayConnect = 0x1b6; // 0666: containers run under any uid

    private readonly string _path;
    private readonly FileStatus _file;
    private int _spare; // given up for a moment when descriptors run out, to turn callers away instead of spinning

    private Listener(int socket, string path)
    {
        Socket = socket;
        _path = path;
        Libc.stat(path, out _file);
        _spare = OpenSpare();
    }

    /// <summary>The listening socket, non-blocking.</summary>
    public int Socket { get; }

    /// <summary>Listens at <paramref name="path"/>, making its folder if need be; throws <see cref="RouterException"/> with one line.</summary>
    public static Listener Open(string path)
    {
        if (!UnixAddress.TryMake(path, out UnixAddress address)) throw new RouterException($"--socket {path}: a socket path has at most {UnixAddress.MaximumPathBytes} bytes; choose a shorter one.");
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RouterException($"--socket {path}: its folder cannot be made ({exception.Message}).");
        }
        SocketFolder.Check(path);
        MakeRoom(path);
        int socket = Libc.socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0);
        if (socket < 0 || Libc.bind(socket, &address, (uint)sizeof(UnixAddress)) != 0 || Libc.chmod(path, EveryoneMayConnect) != 0 || Libc.listen(socket, Backlog) != 0)
        {
            string why = Errno.LastText;
            if (socket >= 0) Libc.close(socket);
            throw new RouterException($"--socket {path}: cannot listen there ({why}).");
        }
        return new Listener(socket, path);
    }

    /// <summary>The next caller's socket, or -1 if none waits.</summary>
    public int Accept()
    {
        int caller = Libc.accept4(Socket, null, null, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
        if (caller >= 0 || Errno.Last is not (Errno.EMFILE or Errno.ENFILE) || _spare < 0) return caller;
        Libc.close(_spare);
        caller = Libc.accept4(Socket, null, null, Libc.SOCK_CLOEXEC);
        if (caller >= 0) Libc.close(caller);
        _spare = OpenSpare();
        return -1;
    }

    public void Dispose()
    {
        // Only our own file: another router may have replaced it meanwhile.
        if (Libc.stat(_path, out FileStatus now) == 0 && now.Device == _file.Device && now.Inode == _file.Inode) Libc.unlink(_path);
        Libc.close(Socket);
        if (_spare >= 0) Libc.close(_spare);
    }

    private static void MakeRoom(string path)
    {
        if (Libc.stat(path, out FileStatus file) != 0) return;
        if ((file.Mode & Libc.S_IFMT) != Libc.S_IFSOCK) throw new RouterException($"--socket {path}: there is a file of that name that is no socket; remove it or choose another path.");
        int other = SeqPacket.Connect(path);
        int error = other < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (other >= 0) Libc.close(other);
        if (error == Errno.ENOENT) return;
        if (error != Errno.ECONNREFUSED) throw new RouterException($"--socket {path}: another router or program answers there; stop it or choose another path.");
        if (Libc.unlink(path) != 0) throw new RouterException($"--socket {path}: the socket file that a stopped router left cannot be removed ({Errno.LastText}).");
    }

    private static int OpenSpare() => Libc.open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC);
}
