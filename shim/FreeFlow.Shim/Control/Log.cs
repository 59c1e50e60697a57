using System;
using FreeFlow.Contract;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>One line on stderr, only when asked for by FREEFLOW_DEBUG or FREEFLOW_STRICT. No allocation, errno untouched.</summary>
internal static unsafe class Log
{
    /// <summary>Writes "freeflow: " and the text, which ends in a newline.</summary>
    public static void Line(ReadOnlySpan<byte> text)
    {
        if (!Settings.Debug && !Settings.Strict) return;
        int errno = Process.Errno;
        const int capacity = 256;
        byte* line = stackalloc byte[capacity];
        int length = Append(line, 0, capacity, "freeflow: "u8);
        length = Append(line, length, capacity, text);
        Process.Libc->write(2, line, (nuint)length);
        Process.Errno = errno;
    }

    /// <summary>Writes "freeflow: ", the text, a number and a newline.</summary>
    public static void Line(ReadOnlySpan<byte> text, ulong number)
    {
        if (!Settings.Debug && !Settings.Strict) return;
        const int capacity = 256;
        byte* line = stackalloc byte[capacity];
        int length = Append(line, 0, capacity - 24, text);
        byte* digits = stackalloc byte[20];
        int count = 0;
        do { digits[count++] = (byte)('0' + (number % 10)); number /= 10; } while (number != 0);
        while (count > 0) line[length++] = digits[--count];
        line[length++] = (byte)'\n';
        Line(new ReadOnlySpan<byte>(line, length));
    }

    /// <summary>Says which path has no router behind it, and what to do.</summary>
    public static void NoRouter(byte* path) => AboutPath("no router at "u8, path, ": staying on the kernel path; start freeflow-router or set FREEFLOW_SOCKET\n"u8);

    /// <summary>Says where somebody answers who cannot be the host's router, and what to do.</summary>
    public static void UntrustedRouter(byte* path) =>
        AboutPath("who answers at "u8, path, " is not the host's router: staying on the kernel path; mount its folder read-only into containers\n"u8);

    private static void AboutPath(ReadOnlySpan<byte> before, byte* path, ReadOnlySpan<byte> behind)
    {
        if (!Settings.Debug && !Settings.Strict) return;
        const int capacity = 240;
        byte* line = stackalloc byte[capacity];
        int length = Append(line, 0, capacity, before);
        int name = 0;
        if (path != null) while (path[name] != 0 && name < 120) name++;
        length = Append(line, length, capacity, path == null ? ControlSocket.DefaultPath : new ReadOnlySpan<byte>(path, name));
        length = Append(line, length, capacity, behind);
        Line(new ReadOnlySpan<byte>(line, length));
    }

    /// <summary>FREEFLOW_STRICT: which reason has made a connection fail.</summary>
    public static void Refused(Reason reason)
    {
        const int capacity = 200;
        byte* line = stackalloc byte[capacity];
        int length = Append(line, 0, capacity, "FREEFLOW_STRICT: a connection is refused that would go by the kernel: "u8);
        length = Append(line, length, capacity, ReasonNames.Of(reason));
        length = Append(line, length, capacity, "\n"u8);
        Line(new ReadOnlySpan<byte>(line, length));
    }

    private static int Append(byte* line, int length, int capacity, ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length && length < capacity; i++) line[length++] = text[i];
        return length;
    }
}
