using System.Runtime.InteropServices;

namespace FreeFlow.Router.Pairing;

/// <summary>union bpf_attr as BPF_PROG_TEST_RUN takes it (bpf(2), linux/bpf.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfTestRun
{
    public int Program;
    public uint Result;
    public uint InputBytes;
    public uint OutputBytes;
    public byte* Input;
    public byte* Output;
    public uint Repeat;
    public uint Duration;
    public uint ContextBytes;
    public uint ContextOutputBytes;
    public byte* Context;
    public byte* ContextOutput;
}
