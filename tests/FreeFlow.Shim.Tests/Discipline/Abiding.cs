using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>What hot code does all the time and the walker must let through. Read, never run.</summary>
internal static unsafe class Abiding
{
    public static int Counter;
    public static byte* Memory;
    public static delegate* unmanaged[SuppressGCTransition]<int, byte*, nint> Read;
    public static delegate*<int, int> Managed;

    private static ReadOnlySpan<byte> Name => "libc.so.6"u8;

    internal struct Cursor(byte* start)
    {
        public byte* At = start;
        public readonly int First() => *At;
    }

    internal struct Doubler : Offenders.IThing { public readonly int Act() => 2; }

    public static nint Works(int descriptor, ulong* word)
    {
        Cursor cursor = new(Memory);
        Span<byte> buffer = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(buffer, 7);
        Name.CopyTo(buffer);
        while (Interlocked.CompareExchange(ref *word, 1, 0) != 0) X86Base.Pause();
        Volatile.Write(ref Unsafe.AsRef<int>(&descriptor), (int)Math.Min(BitOperations.Log2(*word), 3));
        Managed = &Next;
        int sum = cursor.First() + Managed(Counter) + Generic(default(Doubler)) + descriptor switch { 1 => 2, _ => 3 };
        fixed (byte* at = buffer) return Read(sum, at);
    }

    private static int Next(int value) => value + 1;

    private static int Generic<T>(T thing) where T : struct, Offenders.IThing => thing.Act();
}
