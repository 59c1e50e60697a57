using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Uring;

/// <summary>
/// The mappings of io_urings in a process that was split off and goes on without the program: each keeps its ring alive, and with it the files
/// that the program has registered there, and the operations that have not ended.
/// </summary>
internal static unsafe class InheritedRings
{
    private const int ChunkBytes = 4096, LongestName = 24;

    /// <summary>Goes through /proc/self/maps (proc(5)): START-END, five columns, and the name at the end of the line.</summary>
    public static void Unmap()
    {
        const int readOnly = 0;
        byte* chunk = stackalloc byte[ChunkBytes];
        byte* end = stackalloc byte[LongestName];
        int file;
        fixed (byte* path = "/proc/self/maps\0"u8) file = Process.Libc->open(path, readOnly);
        if (file < 0) return;
        ulong first = 0, last = 0;
        int column = 0, length = 0;
        for (nint bytes = Process.Libc->read(file, chunk, ChunkBytes); bytes > 0; bytes = Process.Libc->read(file, chunk, ChunkBytes))
        {
            for (nint i = 0; i < bytes; i++)
            {
                byte c = chunk[i];
                if (c == (byte)'\n')
                {
                    if (IsRing(end, length)) Process.Libc->munmap((void*)first, (nuint)(last - first));
                    first = last = 0;
                    column = length = 0;
                }
                else if (column == 0 && c == (byte)'-') column = 1;
                else if (column == 1 && c == (byte)' ') column = 2;
                else if (column == 0) first = (first << 4) | Digit(c);
                else if (column == 1) last = (last << 4) | Digit(c);
                else if (c is (byte)' ' or (byte)'/') length = 0;
                else if (length < LongestName) end[length++] = c;
            }
        }
        Process.Libc->close(file);
    }

    /// <summary>The last word of the line: anon_inode:[io_uring].</summary>
    private static bool IsRing(byte* word, int length)
    {
        System.ReadOnlySpan<byte> name = "anon_inode:[io_uring]"u8;
        if (length != name.Length) return false;
        for (int i = 0; i < length; i++) if (word[i] != name[i]) return false;
        return true;
    }

    private static ulong Digit(byte c) => (ulong)(c <= (byte)'9' ? c - (byte)'0' : c - (byte)'a' + 10);
}
