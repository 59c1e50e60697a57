using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>Writes a BPF program, one instruction of eight bytes after the other: code, registers, offset, value (the kernel's bpf/standardization/instruction-set).</summary>
internal sealed class BpfProgram
{
    private const int SchedulerClassifier = 3;  // BPF_PROG_TYPE_SCHED_CLS: may look sockets up, and may be run from here
    private const byte LoadWordCode = 0x61, LoadLongCode = 0x79, StoreByteCode = 0x73, StoreWordCode = 0x63, StoreLongCode = 0x7b;
    private const byte CopyCode = 0xbf, SetCode = 0xb7, AddCode = 0x07, CallCode = 0x85, ExitCode = 0x95, EqualCode = 0x15, NotEqualCode = 0x55, GreaterCode = 0x2d;

    private readonly List<(byte Code, int Target, int Source, short Offset, int Value, string? Label)> _instructions = [];
    private readonly Dictionary<string, int> _marks = [];

    public void Copy(int target, int source) => Write(CopyCode, target, source);

    public void Set(int target, int value) => Write(SetCode, target, 0, 0, value);

    public void Add(int target, int value) => Write(AddCode, target, 0, 0, value);

    public void LoadWord(int target, int source, short offset) => Write(LoadWordCode, target, source, offset);

    public void LoadLong(int target, int source, short offset) => Write(LoadLongCode, target, source, offset);

    public void StoreByte(int target, short offset, int source) => Write(StoreByteCode, target, source, offset);

    public void StoreWord(int target, short offset, int source) => Write(StoreWordCode, target, source, offset);

    public void StoreLong(int target, short offset, int source) => Write(StoreLongCode, target, source, offset);

    public void JumpIf(int register, int value, string label) => Write(EqualCode, register, 0, 0, value, label);

    public void JumpIfNot(int register, int value, string label) => Write(NotEqualCode, register, 0, 0, value, label);

    public void JumpIfGreater(int register, int other, string label) => Write(GreaterCode, register, other, 0, 0, label);

    public void Call(int helper) => Write(CallCode, 0, 0, 0, helper);

    public void Exit() => Write(ExitCode, 0, 0);

    /// <summary>The next instruction is where jumps to this label go.</summary>
    public void Mark(string label) => _marks[label] = _instructions.Count;

    /// <summary>The instructions as the kernel reads them.</summary>
    public ulong[] Assemble()
    {
        ulong[] code = new ulong[_instructions.Count];
        for (int i = 0; i < code.Length; i++)
        {
            (byte operation, int target, int source, short offset, int value, string? label) = _instructions[i];
            if (label is not null) offset = (short)(_marks[label] - i - 1);
            code[i] = operation | ((ulong)(uint)(target | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)value << 32);
        }
        return code;
    }

    /// <summary>Has the kernel check and keep a program; its descriptor, or -1 with errno.</summary>
    public static unsafe int Load(ReadOnlySpan<ulong> code)
    {
        fixed (ulong* instructions = code)
        fixed (byte* license = "MIT\0"u8)
        {
            LoadRequest request = new() { Type = SchedulerClassifier, Count = (uint)code.Length, Instructions = instructions, License = license };
            return (int)Libc.syscall(Libc.SYS_bpf, Libc.BPF_PROG_LOAD, (nint)(&request), sizeof(LoadRequest));
        }
    }

    private void Write(byte code, int target, int source, short offset = 0, int value = 0, string? label = null) => _instructions.Add((code, target, source, offset, value, label));

    /// <summary>union bpf_attr as BPF_PROG_LOAD takes it, as far as it is filled in.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct LoadRequest
    {
        public int Type;
        public uint Count;
        public ulong* Instructions;
        public byte* License;
    }
}
