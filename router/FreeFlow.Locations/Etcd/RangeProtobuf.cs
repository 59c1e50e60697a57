using System;
using System.Collections.Generic;
using System.IO;

namespace FreeFlow.Locations.Etcd;

/// <summary>A range's request and answer as Protocol Buffers: fields by their numbers in etcd's rpc.proto and kv.proto. Fields that are unknown, or not used here, are passed over.</summary>
internal static class RangeProtobuf
{
    public static byte[] Write(RangeRequest request)
    {
        using MemoryStream message = new();
        WriteBytes(message, 1, request.key);
        WriteBytes(message, 2, request.range_end ?? []);
        WriteNumber(message, 3, request.limit);
        WriteNumber(message, 4, request.revision);
        WriteNumber(message, 7, request.serializable ? 1 : 0);
        WriteNumber(message, 8, request.keys_only ? 1 : 0);
        return message.ToArray();
    }

    /// <summary>Throws <see cref="InvalidDataException"/>.</summary>
    public static RangeResponse Read(ReadOnlySpan<byte> message)
    {
        RangeResponse answer = new();
        List<KeyValue> kvs = [];
        ProtobufReader fields = new(message);
        while (fields.Next(out int field, out ulong number, out ReadOnlySpan<byte> bytes))
        {
            switch (field)
            {
                case 1: answer.header = ReadHeader(bytes); break;
                case 2: kvs.Add(ReadKeyValue(bytes)); break;
                case 3: answer.more = number != 0; break;
                case 4: answer.count = (long)number; break;
            }
        }
        answer.kvs = [.. kvs];
        return answer;
    }

    private static ResponseHeader ReadHeader(ReadOnlySpan<byte> message)
    {
        ResponseHeader header = new();
        ProtobufReader fields = new(message);
        while (fields.Next(out int field, out ulong number, out _))
        {
            switch (field)
            {
                case 1: header.cluster_id = number; break;
                case 2: header.member_id = number; break;
                case 3: header.revision = (long)number; break;
            }
        }
        return header;
    }

    private static KeyValue ReadKeyValue(ReadOnlySpan<byte> message)
    {
        KeyValue entry = new();
        ProtobufReader fields = new(message);
        while (fields.Next(out int field, out ulong number, out ReadOnlySpan<byte> bytes))
        {
            switch (field)
            {
                case 1: entry.key = bytes.ToArray(); break;
                case 3: entry.mod_revision = (long)number; break;
                case 4: entry.version = (long)number; break;
                case 5: entry.value = bytes.ToArray(); break;
                case 6: entry.lease = (long)number; break;
            }
        }
        return entry;
    }

    private static void WriteNumber(MemoryStream message, int field, long number)
    {
        if (number == 0) return;
        WriteVarint(message, (uint)field << 3);
        WriteVarint(message, (ulong)number);
    }

    private static void WriteBytes(MemoryStream message, int field, byte[] bytes)
    {
        if (bytes.Length == 0) return;
        WriteVarint(message, ((uint)field << 3) | 2);
        WriteVarint(message, (ulong)bytes.Length);
        message.Write(bytes);
    }

    private static void WriteVarint(MemoryStream message, ulong number)
    {
        for (; number > 0x7f; number >>= 7) message.WriteByte((byte)(number | 0x80));
        message.WriteByte((byte)number);
    }
}
