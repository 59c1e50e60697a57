using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;

namespace FreeFlow.Cli.Inspection;

/// <summary>What a program file says of itself (elf(5)), or that it is a script.</summary>
internal sealed record ProgramFile
{
    private const int MaxHead = 65536, Interpreter = 3, Note = 4, ProgramHeaderBytes = 56, MaxHeaders = 128;
    private const ushort Amd64 = 62;

    /// <summary>The interpreter that a script's first line names; null if it is none.</summary>
    public string? Script { get; private init; }

    /// <summary>True for an ELF file.</summary>
    public bool IsElf { get; private init; }

    /// <summary>True for one of this library's architecture.</summary>
    public bool IsNative { get; private init; }

    /// <summary>The loader that it asks for; null: it is linked statically.</summary>
    public string? Loader { get; private init; }

    /// <summary>Go's compiler has made it.</summary>
    public bool IsGo { get; private init; }

    /// <summary>Throws what opening and reading throw.</summary>
    public static ProgramFile Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] head = new byte[MaxHead];
        ReadOnlySpan<byte> bytes = head.AsSpan(0, file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
        if (bytes.StartsWith("#!"u8)) return new ProgramFile { Script = FirstWord(bytes[2..]) };
        if (bytes.Length < 64 || !bytes.StartsWith("\u007fELF"u8)) return new ProgramFile();
        bool native = bytes[4] == 2 && bytes[5] == 1 && BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]) == Amd64;
        if (!native) return new ProgramFile { IsElf = true };
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]);
        int count = Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(bytes[56..]), MaxHeaders);
        string? loader = null;
        bool go = false;
        for (int i = 0; i < count; i++)
        {
            if (table + (ulong)((i + 1) * ProgramHeaderBytes) > (ulong)bytes.Length) break;
            ReadOnlySpan<byte> header = bytes[((int)table + (i * ProgramHeaderBytes))..];
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (offset > (ulong)bytes.Length || size > (ulong)bytes.Length - offset) continue;
            ReadOnlySpan<byte> content = bytes.Slice((int)offset, (int)size);
            if (type == Interpreter) loader = Encoding.UTF8.GetString(content.TrimEnd((byte)0));
            if (type == Note) go |= HasGoNote(content);
        }
        return new ProgramFile { IsElf = true, IsNative = true, Loader = loader, IsGo = go };
    }

    /// <summary>Go's build id: a note of the owner "Go", of type 4.</summary>
    private static bool HasGoNote(ReadOnlySpan<byte> notes)
    {
        while (notes.Length >= 12)
        {
            uint name = BinaryPrimitives.ReadUInt32LittleEndian(notes), content = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]), type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            ulong bytes = 12 + (((ulong)name + 3) & ~3UL) + (((ulong)content + 3) & ~3UL);
            if (type == 4 && name == 4 && notes.Length >= 16 && notes[12..].StartsWith("Go\0\0"u8)) return true;
            if (bytes > (ulong)notes.Length) return false;
            notes = notes[(int)bytes..];
        }
        return false;
    }

    private static string FirstWord(ReadOnlySpan<byte> line)
    {
        int end = line.IndexOf((byte)'\n');
        string[] words = Encoding.UTF8.GetString(end < 0 ? line[..Math.Min(line.Length, 255)] : line[..end]).Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        // env(1) looks for the program that is meant.
        return words.Length > 1 && Path.GetFileName(words[0]) == "env" ? words[words[1] == "-S" && words.Length > 2 ? 2 : 1] : words.Length > 0 ? words[0] : "";
    }
}
