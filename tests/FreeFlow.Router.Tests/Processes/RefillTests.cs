using System;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What a peer has left in a ring is put into the socket's own queue (<see cref="RefillRequest"/>); nothing else is.</summary>
public sealed class RefillTests
{
    private const int Many = 700_000;

    private RouterUnderTest _router = null!;
    private FakeShim _shim = null!;

    [SetUp]
    public void SetUp()
    {
        _router = RouterUnderTest.Start();
        _shim = FakeShim.Greeted(_router);
    }

    [TearDown]
    public void TearDown()
    {
        _shim.Dispose();
        _router.Dispose();
    }

    [TestCase(1)]
    [TestCase(Many)]
    public void BytesStandBeforeTheEndOfTheStream(int count)
    {
        using TcpPair pair = Ended();
        byte[] bytes = [.. Enumerable.Range(0, count).Select(i => (byte)((i * 7) + (i / 1000)))];
        int room = pair.Server.ReceiveBufferSize;
        int descriptors = _router.Descriptors;
        Assert.That(Ask(pair.Server, RefillState.Asked, bytes, 0), Is.EqualTo(RefillState.Able));
        Assert.That(Ask(pair.Server, RefillState.Filled, bytes, count), Is.EqualTo(RefillState.Done));

        Assert.That(ReadAll(pair.Server), Is.EqualTo(bytes));
        Assert.That(pair.Server.ReceiveBufferSize, Is.EqualTo(room));
        Assert.That(() => _router.Descriptors, Is.EqualTo(descriptors).After(2000, 20), "nothing is kept open");
    }

    [Test]
    public void AStreamThatGoesOnIsLeftAlone()
    {
        using TcpPair pair = TcpPair.Loopback();
        Assert.That(Ask(pair.Server, RefillState.Asked, new byte[10], 0), Is.EqualTo(RefillState.Failed));
        Assert.That(Ask(pair.Server, RefillState.Filled, new byte[10], 10), Is.EqualTo(RefillState.Failed));
        pair.Client.Send(new byte[] { 1, 2, 3 });
        pair.Client.Dispose();
        Assert.That(ReadAll(pair.Server), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void OtherSocketsAreLeftAlone()
    {
        using Socket datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using Socket local = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        foreach (Socket other in new[] { datagrams, local }) Assert.That(Ask(other, RefillState.Filled, new byte[10], 10), Is.EqualTo(RefillState.Failed));
    }

    [Test]
    public void ALengthBeyondTheMemoryFails()
    {
        using TcpPair pair = Ended();
        Assert.That(Ask(pair.Server, RefillState.Filled, new byte[10], 11), Is.EqualTo(RefillState.Failed));
    }

    [TestCase(0u, RefillHeader.ExpectedVersion, (uint)RefillState.Asked, 0UL)]
    [TestCase(RefillHeader.ExpectedMagic, RefillHeader.ExpectedVersion + 1, (uint)RefillState.Asked, 0UL)]
    [TestCase(RefillHeader.ExpectedMagic, RefillHeader.ExpectedVersion, (uint)RefillState.Able, 0UL)]
    [TestCase(RefillHeader.ExpectedMagic, RefillHeader.ExpectedVersion, (uint)RefillState.Filled, RefillHeader.MostBytes + 1)]
    [TestCase(RefillHeader.ExpectedMagic, RefillHeader.ExpectedVersion, (uint)RefillState.Filled, ulong.MaxValue)]
    public void WhatIsNotAsAgreedIsNotTouched(uint magic, uint version, uint state, ulong length)
    {
        using TcpPair pair = Ended();
        int memory = Memory(new RefillHeader { Magic = magic, Version = version, State = state, Length = length }, new byte[10]);
        Send(pair.Server, memory);
        // Another one behind it is answered: this one has been looked at.
        Assert.That(Ask(pair.Server, RefillState.Asked, [], 0), Is.EqualTo(RefillState.Able));
        Assert.That(StateOf(memory), Is.EqualTo((RefillState)state));
        Libc.close(memory);
    }

    [Test]
    public void AFileThatIsNoMemoryIsNotRead()
    {
        using TcpPair pair = Ended(), other = TcpPair.Loopback();
        Send(pair.Server, (int)other.Client.Handle);
        Assert.That(Ask(pair.Server, RefillState.Asked, [], 0), Is.EqualTo(RefillState.Able));
        other.Client.Send(new byte[] { 9 });
        Assert.That(other.Server.Receive(new byte[1]), Is.EqualTo(1));
    }

    /// <summary>The peer is gone, and the end of its stream has been read.</summary>
    private static TcpPair Ended()
    {
        TcpPair pair = TcpPair.Loopback();
        pair.Client.Dispose();
        Assert.That(pair.Server.Receive(new byte[1]), Is.Zero);
        return pair;
    }

    private static byte[] ReadAll(Socket socket)
    {
        byte[] bytes = new byte[Many + 1];
        int read = 0;
        for (int step = 1; step > 0; read += step) step = socket.Receive(bytes.AsSpan(read));
        return bytes[..read];
    }

    private RefillState Ask(Socket socket, RefillState state, byte[] bytes, int length)
    {
        RefillHeader header = new() { Magic = RefillHeader.ExpectedMagic, Version = RefillHeader.ExpectedVersion, State = (uint)state, Length = (ulong)length };
        int memory = Memory(header, bytes);
        Send(socket, memory);
        SpinWait.SpinUntil(() => StateOf(memory) != state, TimeSpan.FromSeconds(20));
        RefillState answer = StateOf(memory);
        Libc.close(memory);
        return answer;
    }

    private void Send(Socket socket, int memory)
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        Assert.That(_shim.Send(packet[..default(RefillRequest).Write(packet)], (int)socket.Handle, memory));
    }

    private static unsafe int Memory(RefillHeader header, byte[] bytes)
    {
        int memory = Libc.memfd_create("refill", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        _ = Libc.pwrite(memory, &header, RefillHeader.Bytes, 0);
        fixed (byte* first = bytes) _ = Libc.pwrite(memory, first, (nuint)bytes.Length, RefillHeader.Bytes);
        return memory;
    }

    private static unsafe RefillState StateOf(int memory)
    {
        uint state;
        _ = Libc.pread(memory, &state, sizeof(uint), RefillHeader.StateOffset);
        return (RefillState)state;
    }
}
