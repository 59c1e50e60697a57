using System;
using System.Collections.Generic;
using System.Reflection;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>The framework's methods that compile to plain instructions: no allocation, no lock, no libc, no runtime state.</summary>
public static class AllowedCalls
{
    private static readonly HashSet<string> WholeTypes =
    [
        "System.Runtime.CompilerServices.Unsafe",
        "System.Threading.Volatile",
        "System.Threading.Interlocked",
        "System.Span`1",
        "System.ReadOnlySpan`1",
        "System.MemoryExtensions",
        "System.Runtime.InteropServices.MemoryMarshal",
        "System.Buffers.Binary.BinaryPrimitives",
        "System.Math",
        "System.Numerics.BitOperations",
        "System.Runtime.Intrinsics.X86.X86Base",
        "System.Runtime.Intrinsics.X86.X86Base+X64",
    ];

    private static readonly HashSet<string> Members =
    [
        "System.Threading.Thread.MemoryBarrier",
        "System.Runtime.CompilerServices.RuntimeHelpers.CreateSpan",
        "System.Runtime.CompilerServices.RuntimeHelpers.IsReferenceOrContainsReferences",
    ];

    // These may leave for libc's memmove or memset through a GC transition, or interrupt every thread of the process.
    private static readonly HashSet<string> Never =
    [
        "System.Runtime.CompilerServices.Unsafe.CopyBlock",
        "System.Runtime.CompilerServices.Unsafe.CopyBlockUnaligned",
        "System.Runtime.CompilerServices.Unsafe.InitBlock",
        "System.Runtime.CompilerServices.Unsafe.InitBlockUnaligned",
        "System.Threading.Interlocked.MemoryBarrierProcessWide",
    ];

    /// <summary>True if the hot path may call it. Whatever hands out an object may not: somebody allocated it.</summary>
    public static bool Contains(MethodBase method)
    {
        if (method is MethodInfo { ReturnType: { IsPointer: false, IsByRef: false, IsValueType: false, IsFunctionPointer: false } }) return false;
        Type type = method.DeclaringType!;
        string name = (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!;
        string member = name + "." + method.Name;
        return !Never.Contains(member) && (WholeTypes.Contains(name) || Members.Contains(member) || IsSimpleValueMember(type, method));
    }

    // nint.op_Explicit, ulong.Max and their like: what the compiler emits for conversions between primitive numbers.
    private static bool IsSimpleValueMember(Type type, MethodBase method) =>
        type.IsPrimitive && (method.Name.StartsWith("op_", StringComparison.Ordinal) || method.Name is "Min" or "Max" or "Clamp" or "get_Size" or "get_MaxValue" or "get_MinValue");
}
