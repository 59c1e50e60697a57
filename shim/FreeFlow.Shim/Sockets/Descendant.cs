using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What a forked child has become, read from proc(5): one that has replaced its image no longer has the family's close-on-exec descriptors and says
/// nothing more itself.
/// </summary>
internal static unsafe class Descendant
{
    private const int LinkBytes = 64;
    private const int StandardDescriptors = 3;

    /// <param name="process">The holder asked about.</param>
    /// <param name="record">The connection.</param>
    /// <param name="closing">The descriptor this process is about to close, −1 if none.</param>
    /// <summary>True if the process has left the family and has the connection's socket neither at its old number nor as standard input or output.</summary>
    public static bool HasLetGo(int process, ConnectionRecord* record, int closing)
    {
        byte* family = stackalloc byte[LinkBytes];
        byte* socket = stackalloc byte[LinkBytes];
        uint connection = Connections.IndexOf(record);
        int first = closing >= 0 ? closing + 1 : Connections.Local[connection].FirstDescriptor;
        if (first == 0 || !Read(Process.Id, Family.Descriptor, family) || !Read(Process.Id, first - 1, socket)) return false;
        if (!CanRead(process) || Has(process, Family.Descriptor, family)) return false;
        if (Has(process, first - 1, socket)) return false;
        for (int fd = Connections.Local[connection].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor) if (Has(process, fd - 1, socket)) return false;
        for (int fd = 0; fd < StandardDescriptors; fd++) if (Has(process, fd, socket)) return false;
        return true;
    }

    /// <summary>True for a process or thread that has ended and waits for its parent: its state in /proc/PID/stat, behind the name in brackets.</summary>
    public static bool IsZombie(int process)
    {
        const int statBytes = 128;
        byte* path = stackalloc byte[LinkBytes];
        byte* text = stackalloc byte[statBytes];
        int length = Append(path, Start(path, process), "/stat"u8);
        path[length] = 0;
        int fd = Process.Libc->open(path, Linux.SOCK_CLOEXEC);
        if (fd < 0) return false;
        nint read = Process.Libc->read(fd, text, statBytes);
        Process.Libc->close(fd);
        for (nint i = read - 1; i > 1; i--) if (text[i - 2] == ')') return text[i] is (byte)'Z' or (byte)'X';
        return false;
    }

    /// <summary>Every process has at least its memory map to show, if this one may look at all.</summary>
    private static bool CanRead(int process)
    {
        byte* link = stackalloc byte[LinkBytes];
        byte* path = stackalloc byte[LinkBytes];
        int length = Start(path, process);
        length = Append(path, length, "/exe"u8);
        path[length] = 0;
        return Process.Libc->readlink(path, link, LinkBytes) > 0;
    }

    private static bool Has(int process, int fd, byte* expected)
    {
        byte* link = stackalloc byte[LinkBytes];
        if (!Read(process, fd, link)) return false;
        for (int i = 0; i < LinkBytes && link[i] == expected[i]; i++) if (link[i] == 0) return true;
        return false;
    }

    /// <summary>Reads what a descriptor stands for, such as "socket:[4711]".</summary>
    private static bool Read(int process, int fd, byte* link)
    {
        byte* path = stackalloc byte[LinkBytes];
        int length = Append(path, Start(path, process), "/fd/"u8);
        length = Number(path, length, (uint)fd);
        path[length] = 0;
        nint read = Process.Libc->readlink(path, link, LinkBytes - 1);
        if (read <= 0) return false;
        link[read] = 0;
        return true;
    }

    private static int Start(byte* path, int process) => Number(path, Append(path, 0, "/proc/"u8), (uint)process);

    private static int Append(byte* path, int length, System.ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++) path[length++] = text[i];
        return length;
    }

    private static int Number(byte* path, int length, uint number)
    {
        byte* digits = stackalloc byte[10];
        int count = 0;
        do { digits[count++] = (byte)('0' + (number % 10)); number /= 10; } while (number != 0);
        while (count > 0) path[length++] = digits[--count];
        return length;
    }
}
