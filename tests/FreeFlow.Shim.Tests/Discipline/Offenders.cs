using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>One method per broken rule; the walker must find each. Read, never run.</summary>
internal static unsafe class Offenders
{
    public static object? Reference;
    public static readonly object Gate = "";
    [ThreadStatic] public static int PerThread;
    public static int Counter;
    public static delegate* unmanaged<int> Unmanaged;
    public static delegate* unmanaged[Cdecl]<int> UnmanagedC;

    internal interface IThing { int Act(); }

    internal struct Thing : IThing { public readonly int Act() => 1; }

    internal struct Plain { public int Field; }

    internal static class Eager
    {
        static Eager() => Counter = 1;
        public static int Value() => 2;
    }

    internal static class Relaxed { public static readonly int Value = Environment.ProcessId; }

    [DllImport("libc")] internal static extern int getpid();

    public static void NewObject() => _ = new List<int>().Count;
    public static int NewArray(int n) => new int[n].Length;
    public static bool Boxes(int value) => ReferenceEquals(value, null);
    public static void Throws() => throw null!;
    public static int LoadsString() => "text".Length;
    public static int CallsInterface(IThing thing) => thing.Act();
    public static int CallsVirtual(object thing) => thing.GetHashCode();
    public static void CallsDelegate(Action action) => action();
    public static int BoxesForToString(Plain plain) => plain.GetHashCode();
    public static int ReadsInitialised() => Relaxed.Value;
    public static int CallsInitialised() => Eager.Value();
    public static bool ReadsReference() => Reference == null;
    public static int ReadsThreadStatic() => PerThread;
    public static int Catches() { try { return Counter; } catch (InvalidOperationException) { return 0; } }
    public static void Locks() { Monitor.Enter(Reference!); }
    public static int Invokes() => getpid();
    public static int CallsUnmanaged() => Unmanaged();
    public static int CallsUnmanagedC() => UnmanagedC();
    public static long CallsFramework() => Environment.TickCount64;
    public static bool Casts(object thing) => thing is string;
    public static void CopiesBlock(byte* to, byte* from) => Unsafe.CopyBlock(to, from, 8);
    public static int Lambda() => Call(static value => value + 1);
    public static int ToArray(ReadOnlySpan<byte> span) => span.ToArray().Length;
    public static string Deep() => Deeper();

    private static int Call(Func<int, int> function) => function(1);
    private static string Deeper() { CallsFramework(); return null!; }
}
