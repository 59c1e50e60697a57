using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// Reads the sequence numbers of a TCP socket without touching it: a BPF program of our own finds the socket by its addresses (bpf-helpers(7): bpf_sk_lookup_tcp, bpf_tcp_sock) and copies four of
/// its fields. It is attached to nothing; it runs when the router asks (BPF_PROG_TEST_RUN), in the network namespace that the calling thread is in. Loading it needs CAP_BPF and CAP_NET_ADMIN,
/// or CAP_SYS_ADMIN; running it needs nothing.
/// </summary>
internal sealed unsafe class SequenceProbe : IDisposable
{
    /// <summary>Its packet: room for an Ethernet header, the addresses as struct bpf_sock_tuple, and the answer.</summary>
    private const int TupleAt = 14, UnacknowledgedAt = 56, NextAt = 60, AcknowledgedAt = 64, ReceivedAt = 72, FoundAt = 80, PacketBytes = 96;

    private const int TupleBytes4 = 12, TupleBytes6 = 36;

    /// <summary>struct __sk_buff, of which only the interface is filled in.</summary>
    private const int ContextBytes = 192, ContextInterfaceAt = 40;

    /// <summary>The kernel changes the fields of a socket that is in use one after the other: they are believed once two looks agree.</summary>
    private const int MostLooks = 8;

    private readonly int _program4, _program6;

    private SequenceProbe(int program4, int program6) => (_program4, _program6) = (program4, program6);

    /// <summary>Loads the programs; null with errno if the kernel does not let us, or has no BPF.</summary>
    public static SequenceProbe? Open()
    {
        int program4 = BpfProgram.Load(Write(TupleBytes4)), program6 = program4 < 0 ? -1 : BpfProgram.Load(Write(TupleBytes6));
        if (program6 >= 0) return new SequenceProbe(program4, program6);
        int error = Errno.Last;
        if (program4 >= 0) Libc.close(program4);
        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
        return null;
    }

    /// <summary>The numbers of the established connection with these addresses in this thread's namespace; null if there is none, or it did not hold still.</summary>
    public InitialSequence? Look(FourTuple addresses, int boundInterface)
    {
        InitialSequence? last = null;
        for (int look = 0; look < MostLooks; look++)
        {
            InitialSequence? now = LookOnce(addresses, boundInterface);
            if (now is null || now == last) return now;
            last = now;
        }
        return null;
    }

    public void Dispose()
    {
        Libc.close(_program4);
        Libc.close(_program6);
    }

    private InitialSequence? LookOnce(FourTuple addresses, int boundInterface)
    {
        byte* packet = stackalloc byte[PacketBytes], answer = stackalloc byte[PacketBytes], context = stackalloc byte[ContextBytes];
        Span<byte> question = new(packet, PacketBytes), told = new(answer, PacketBytes);
        question.Clear();
        told.Clear();
        new Span<byte>(context, ContextBytes).Clear();
        *(int*)(context + ContextInterfaceAt) = boundInterface;
        bool v4 = addresses.Local.Address.IsIPv4 && addresses.Remote.Address.IsIPv4;
        WriteTuple(question[TupleAt..], addresses, v4);
        BpfTestRun run = new()
        {
            Program = v4 ? _program4 : _program6, Input = packet, InputBytes = PacketBytes, Output = answer, OutputBytes = PacketBytes, Repeat = 1,
            Context = boundInterface == 0 ? null : context, ContextBytes = boundInterface == 0 ? 0u : ContextBytes,
        };
        if (Libc.syscall(Libc.SYS_bpf, Libc.BPF_PROG_TEST_RUN, (nint)(&run), sizeof(BpfTestRun)) != 0 || told[FoundAt] != 1) return null;
        return unchecked(new InitialSequence(
            BinaryPrimitives.ReadUInt32LittleEndian(told[UnacknowledgedAt..]) - (uint)BinaryPrimitives.ReadUInt64LittleEndian(told[AcknowledgedAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(told[NextAt..]) - (uint)BinaryPrimitives.ReadUInt64LittleEndian(told[ReceivedAt..])));
    }

    /// <summary>struct bpf_sock_tuple, of a packet that arrives: from the other end to the one that is looked for.</summary>
    private static void WriteTuple(Span<byte> target, FourTuple addresses, bool v4)
    {
        int bytes = v4 ? 4 : 16;
        if (v4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(target, addresses.Remote.Address.IPv4);
            BinaryPrimitives.WriteUInt32BigEndian(target[bytes..], addresses.Local.Address.IPv4);
        }
        else
        {
            addresses.Remote.Address.Write(target[..bytes]);
            addresses.Local.Address.Write(target.Slice(bytes, bytes));
        }
        BinaryPrimitives.WriteUInt16BigEndian(target[(2 * bytes)..], addresses.Remote.Port);
        BinaryPrimitives.WriteUInt16BigEndian(target[((2 * bytes) + 2)..], addresses.Local.Port);
    }

    /// <summary>
    /// The program. r6: context, r7: the packet, r9: the socket. It ends with 0 whether or not there is such a socket, and says in the packet whether there was.
    /// </summary>
    private static ulong[] Write(int tupleBytes)
    {
        // __sk_buff, struct bpf_sock and struct bpf_tcp_sock (linux/bpf.h).
        const short data = 76, dataEnd = 80, state = 72, receiveNext = 16, unacknowledged = 24, bytesReceived = 80, bytesAcknowledged = 88;
        const int established = 1, lookUp = 84, tcpSocket = 96, release = 86, currentNamespace = -1;
        BpfProgram program = new();
        program.Copy(6, 1);
        program.LoadWord(7, 6, data);
        program.LoadWord(8, 6, dataEnd);
        program.Copy(1, 7);
        program.Add(1, PacketBytes);
        program.JumpIfGreater(1, 8, "end");
        program.Copy(1, 6);
        program.Copy(2, 7);
        program.Add(2, TupleAt);
        program.Set(3, tupleBytes);
        program.Set(4, currentNamespace);
        program.Set(5, 0);
        program.Call(lookUp);
        program.JumpIf(0, 0, "end");
        program.Copy(9, 0);
        program.LoadWord(1, 9, state);
        program.JumpIfNot(1, established, "release");
        program.Copy(1, 9);
        program.Call(tcpSocket);
        program.JumpIf(0, 0, "release");
        program.LoadWord(1, 0, unacknowledged);
        program.StoreWord(7, UnacknowledgedAt, 1);
        program.LoadWord(1, 0, receiveNext);
        program.StoreWord(7, NextAt, 1);
        program.LoadLong(1, 0, bytesAcknowledged);
        program.StoreLong(7, AcknowledgedAt, 1);
        program.LoadLong(1, 0, bytesReceived);
        program.StoreLong(7, ReceivedAt, 1);
        program.Set(1, 1);
        program.StoreByte(7, FoundAt, 1);
        program.Mark("release");
        program.Copy(1, 9);
        program.Call(release);
        program.Mark("end");
        program.Set(0, 0);
        program.Exit();
        return program.Assemble();
    }
}
