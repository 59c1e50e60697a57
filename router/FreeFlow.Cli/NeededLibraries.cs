using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace FreeFlow.Cli;

/// <summary>The libraries that a program file asks the loader for (DT_NEEDED of elf(5), 64 bits, little-endian). Of any other file: none.</summary>
internal static class NeededLibraries
{
    private const uint Load = 1, Dynamic = 2;
    private const long Needed = 1, StringTable = 5;
    private const int HeaderBytes = 64, SegmentBytes = 56, EntryBytes = 16, MaxName = 256, MaxEntries = 4096;

    private readonly record struct Segment(uint Type, long Offset, long Address, long Bytes);

    public static List<string> Of(string path)
    {
        List<string> names = [];
        try
        {
            using FileStream file = File.OpenRead(path);
            Collect(file, names);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // What cannot be read is execvp's to complain about.
        }
        return names;
    }

    private static void Collect(FileStream file, List<string> names)
    {
        byte[] header = Read(file, 0, HeaderBytes);
        if (header.Length < HeaderBytes || !header.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8)) return;
        List<Segment> segments = Segments(file, BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(32)), BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56)));
        long strings = -1;
        List<long> wanted = [];
        foreach (Segment segment in segments)
        {
            if (segment.Type != Dynamic) continue;
            byte[] entries = Read(file, segment.Offset, (int)Math.Clamp(segment.Bytes, 0, MaxEntries * EntryBytes));
            for (int at = 0; at + EntryBytes <= entries.Length; at += EntryBytes)
            {
                long tag = BinaryPrimitives.ReadInt64LittleEndian(entries.AsSpan(at)), value = BinaryPrimitives.ReadInt64LittleEndian(entries.AsSpan(at + 8));
                if (tag == Needed) wanted.Add(value);
                if (tag == StringTable) strings = InFile(segments, value);
            }
        }
        if (strings < 0) return;
        foreach (long offset in wanted)
        {
            byte[] name = Read(file, strings + offset, MaxName);
            int end = name.AsSpan().IndexOf((byte)0);
            if (end > 0) names.Add(Encoding.UTF8.GetString(name, 0, end));
        }
    }

    private static List<Segment> Segments(FileStream file, long offset, int count)
    {
        List<Segment> segments = [];
        byte[] table = Read(file, offset, count * SegmentBytes);
        for (int at = 0; at + SegmentBytes <= table.Length; at += SegmentBytes)
        {
            ReadOnlySpan<byte> one = table.AsSpan(at);
            segments.Add(new Segment(BinaryPrimitives.ReadUInt32LittleEndian(one), BinaryPrimitives.ReadInt64LittleEndian(one[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(one[16..]), BinaryPrimitives.ReadInt64LittleEndian(one[32..])));
        }
        return segments;
    }

    /// <summary>Where in the file an address lies; −1 if nowhere.</summary>
    private static long InFile(List<Segment> segments, long address)
    {
        foreach (Segment segment in segments)
            if (segment.Type == Load && address >= segment.Address && address - segment.Address < segment.Bytes) return address - segment.Address + segment.Offset;
        return -1;
    }

    private static byte[] Read(FileStream file, long offset, int bytes)
    {
        if (offset < 0 || offset >= file.Length) return [];
        byte[] content = new byte[bytes];
        file.Position = offset;
        return content[..file.ReadAtLeast(content, bytes, throwOnEndOfStream: false)];
    }
}
