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
            Process.CurrentThread = (delegate* unmanaged[SuppressGCTransition]<ThreadRecord*>)Returning(NewThread());
        }
    }

    private static ThreadRecord* NewThread()
    {
        ThreadRecord* thread = (ThreadRecord*)NativeMemory.AllocZeroed((nuint)sizeof(ThreadRecord));
        thread->ThreadId = 1;
        return thread;
    }

    // A function that returns one address: the runtime cannot be asked for it on this path (no transition). x86-64: movabs rax, imm64; ret.
    private static void* Returning(void* address)
    {
        byte* code = (byte*)Process.Libc->mmap(null, 4096, Linux.PROT_READ | Linux.PROT_WRITE | ExecutableToo, Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS, -1, 0);
        code[0] = 0x48;
        code[1] = 0xb8;
        *(void**)(code + 2) = address;
        code[10] = 0xc3;
        return code;
    }
}
