using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using Microsoft.Win32.SafeHandles;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Speaks to the router like a shim, or like one that lies.</summary>
internal sealed unsafe class FakeShim : IDisposable
{
    private readonly int _socket;
    private bool _saidHello;

    public FakeShim(RouterUnderTest router, FamilyMemory? family = null)
    {
        Family = family ?? new FamilyMemory();
        _socket = SeqPacket.Connect(router.SocketPath);
        if (_socket < 0) throw new InvalidOperationException($"{router.SocketPath}: {Errno.LastText}");
        SetTimeout(5);
    }

    public FamilyMemory Family { get; }

    /// <summary>One that has said Hello and was welcomed.</summary>
    public static FakeShim Greeted(RouterUnderTest router, string program = "test", FamilyMemory? family = null, uint slot = 0, uint process = 1)
    {
        FakeShim shim = new(router, family);
        shim.Hello(program, slot, process);
        using Received answer = shim.Receive();
        return answer.Type == MessageType.Welcome ? shim : throw new InvalidOperationException($"no welcome: {router.Process.Output}");
    }

    public void Hello(string program = "test", uint slot = 0, uint process = 1, uint version = Protocol.Version)
    {
        _saidHello = true;
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new Hello { ProtocolVersion = version, Slot = slot, ProcessId = process, ProgramName = Encoding.UTF8.GetBytes(program) }.Write(packet);
        Send(packet[..length], Family.Memory);
    }

    public void Offer(uint connection, Socket shown, uint generation = 0, bool scarce = false, uint place = 0) =>
        OfferDescriptor(connection, (int)shown.Handle, generation, scarce, place);

    public void OfferDescriptor(uint connection, int descriptor, uint generation = 0, bool scarce = false, uint place = 0)
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        Send(packet[..new Offer { Connection = connection, Generation = generation, Scarce = scarce ? 1u : 0u, Place = place }.Write(packet)], descriptor);
    }

    public void Withdraw(uint connection, uint generation = 0)
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        Send(packet[..new Withdraw { Connection = connection, Generation = generation }.Write(packet)]);
    }

    /// <summary>Any bytes with any descriptors; false if the router has closed.</summary>
    public bool Send(ReadOnlySpan<byte> packet, params ReadOnlySpan<int> descriptors) => SeqPacket.Send(_socket, packet, descriptors);

    /// <summary>The next message, waited for; throws after five seconds.</summary>
    public Received Receive() => TryReceive() ?? throw new TimeoutException("the router sent nothing for five seconds");

    /// <summary>True if the router says nothing although it has dealt with everything sent before: it answers a status request in order.</summary>
    public bool HearsNothing()
    {
        AskStatus();
        using Received next = Receive();
        if (next.Type != MessageType.StatusReply) return false;
        // To its end, so that nothing of the question is left in the router.
        byte* some = stackalloc byte[4096];
        while (Libc.read(next.Descriptors[0], some, 4096) is var count && (count > 0 || (count < 0 && Errno.Last == Errno.EINTR))) { }
        return true;
    }

    /// <summary>Sends a status request, with whatever descriptors, behind a Hello if there was none.</summary>
    public void AskStatus(params ReadOnlySpan<int> shown)
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        if (!_saidHello)
        {
            _saidHello = true;
            Send(packet[..new Hello { ProtocolVersion = Protocol.Version }.Write(packet)]);
            Receive().Dispose();
        }
        Send(packet[..new StatusRequest { Version = StatusRequest.CurrentVersion }.Write(packet)], shown);
    }

    /// <summary>Names of the programs in the status that this session is given when it sends <paramref name="shown"/> along.</summary>
    public string[] Programs(params ReadOnlySpan<int> shown)
    {
        AskStatus(shown);
        using Received answer = Receive();
        if (answer.Type != MessageType.StatusReply) throw new InvalidOperationException($"no status but {answer.Type}");
        using FileStream stream = new(new SafeFileHandle(Libc.fcntl(answer.Descriptors[0], Libc.F_DUPFD_CLOEXEC, 0), ownsHandle: true), FileAccess.Read);
        using JsonDocument status = JsonDocument.Parse(stream);
        return [.. status.RootElement.GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("program").GetString()!)];
    }

    public void Dispose()
    {
        Libc.close(_socket);
        Family.Dispose();
    }

    private void SetTimeout(long seconds)
    {
        long* timeout = stackalloc long[2] { seconds, 0 };
        Libc.setsockopt(_socket, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
    }

    private Received? TryReceive()
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<int> descriptors = stackalloc int[Protocol.MaximumDescriptors];
        int length, count;
        // A socket with a time limit is not restarted behind a signal, whatever the handler asks for (signal(7)).
        do length = SeqPacket.Receive(_socket, packet, descriptors, out count, out _, 0);
        while (length < 0 && Errno.Last == Errno.EINTR);
        if (length < 0) return Errno.Last == Errno.EAGAIN ? null : Received.Closed;
        if (length == 0) return Received.Closed;
        int[] received = descriptors[..count].ToArray();
        ReadOnlySpan<byte> message = packet[..length];
        return (MessageType)message[1] switch
        {
            MessageType.Join when Join.TryRead(message, out Join join) => new Received(MessageType.Join, join.Connection, Reason.None, join.Side, join.Capacity, received) { Mate = join.Mate, MateGeneration = join.MateGeneration },
            MessageType.Refuse when Refuse.TryRead(message, out Refuse refuse) => new Received(MessageType.Refuse, refuse.Connection, (Reason)refuse.Reason, 0, 0, received),
            MessageType other => new Received(other, 0, Reason.None, 0, 0, received),
        };
    }
}
