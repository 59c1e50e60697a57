using System;
using System.Reflection;
using System.Runtime.InteropServices;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Tests.Memory;

/// <summary>Hands the shim what the C glue hands it in a preloaded program: libc's functions and one thread's record.</summary>
internal static unsafe class Glue
{
    private const int ExecutableToo = 4;
    private static readonly object s_gate = new();

    public static void Install()
    {
        lock (s_gate)
        {
            if (Process.Libc != null) return;
            FieldInfo[] functions = typeof(LibC).GetFields(BindingFlags.Public | BindingFlags.Instance);
            nint libc = NativeLibrary.Load("libc.so.6");
            LibC* table = (LibC*)NativeMemory.AllocZeroed((nuint)sizeof(LibC));
            foreach (FieldInfo function in functions)
                if (NativeLibrary.TryGetExport(libc, function.Name, out nint address)) ((nint*)table)[Marshal.OffsetOf<LibC>(function.Name) / sizeof(nint)] = address;
            Process.Libc = table;
            Process.Id = Environment.ProcessId;
            // mov rcx, rdx; rep movsb; xor eax, eax; ret
            Process.Copy = (delegate* unmanaged[SuppressGCTransition]<void*, void*, nuint, int>)Code([0x48, 0x89, 0xd1, 0xf3, 0xa4, 0x31, 0xc0, 0xc3]);
            // rdtsc; shl rdx, 32; or rax, rdx; ret
            Process.Ticks = (delegate* unmanaged[SuppressGCTransition]<ulong>)Code([0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0xc3]);
            Process.CurrentThread = (delegate* unmanaged[SuppressGCTransition]<ThreadRecord*>)Returning(NewThread());
        }
    }

    private static ThreadRecord* NewThread()
    {
        ThreadRecord* thread = (ThreadRecord*)NativeMemory.AllocZeroed((nuint)sizeof(ThreadRecord));
        thread->ThreadId = 1;
        return thread;
    }

    // A function that returns one address: the runtime cannot be asked for it on this path (no transition). movabs rax, imm64; ret.
    private static void* Returning(void* address) => Code([0x48, 0xb8, .. BitConverter.GetBytes((ulong)address), 0xc3]);

    /// <summary>A native function of x86-64 machine code.</summary>
    private static void* Code(ReadOnlySpan<byte> instructions)
    {
        byte* code = (byte*)Process.Libc->mmap(null, 4096, Linux.PROT_READ | Linux.PROT_WRITE | ExecutableToo, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS, -1, 0);
        instructions.CopyTo(new Span<byte>(code, instructions.Length));
        return code;
    }
}
