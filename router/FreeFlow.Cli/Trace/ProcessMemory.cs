using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using FreeFlow.Native;

namespace FreeFlow.Cli.Trace;

/// <summary>
/// What a process has mapped at an address. Root reads the mapped memory itself, which lives on when the process ends; a process's own user reads
/// through the process (ptrace(2), PTRACE_MODE_ATTACH says who may).
/// </summary>
internal sealed unsafe partial class ProcessMemory : IDisposable
{
    private readonly int _process;
    private readonly ulong _address;
    private readonly int _file;
    private readonly long _offset;

    private ProcessMemory(int process, ulong address, int file, long offset) => (_process, _address, _file, _offset) = (process, address, file, offset);

    /// <summary>Null if there is no such mapping, or the process has gone.</summary>
    public static ProcessMemory? Open(int process, ulong address)
    {
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/maps"))
            {
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                string[] range = words[0].Split('-');
                ulong first = Hexadecimal(range[0]), end = Hexadecimal(range[1]);
                if (address < first || address >= end) continue;
                int file = Libc.open($"/proc/{process}/map_files/{range[0]}-{range[1]}", Libc.O_RDONLY | Libc.O_CLOEXEC);
                return new ProcessMemory(process, address, file, (long)(Hexadecimal(words[2]) + address - first));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            // It has ended, or is another user's.
        }
        return null;
    }

    /// <summary>Reads at so many bytes behind the address; false if not all is there.</summary>
    public bool Read(ulong at, Span<byte> target)
    {
        fixed (byte* bytes = target)
        {
            if (_file >= 0) return Libc.pread(_file, bytes, (nuint)target.Length, _offset + (long)at) == target.Length;
            Vector local = new() { Base = bytes, Length = (nuint)target.Length }, remote = new() { Base = (byte*)(_address + at), Length = (nuint)target.Length };
            return process_vm_readv(_process, &local, 1, &remote, 1, 0) == target.Length;
        }
    }

    public void Dispose()
    {
        if (_file >= 0) Libc.close(_file);
    }

    private static ulong Hexadecimal(string text) => ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint process_vm_readv(int process, Vector* local, nuint locals, Vector* remote, nuint remotes, nuint flags);
}
