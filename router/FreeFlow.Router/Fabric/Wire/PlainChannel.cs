using System;
using System.Net.Sockets;
using FreeFlow.Native;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>A connected TCP socket, as it is: sendmsg(2) straight out of rings, recvmsg(2) straight into them.</summary>
internal sealed unsafe class PlainChannel(Socket socket) : IByteChannel
{
    private readonly int _descriptor = (int)socket.Handle;

    private byte[] _kept = [];
    private int _keptLength;

    /// <summary>A frame that fills packets exactly: one byte more costs the kernel, and the other one, nearly as much as another packet.</summary>
    public uint LargestPayload => PacketSizes.FullPackets(_descriptor, FrameHeader.MaximumDataBytes + FrameHeader.Bytes) - FrameHeader.Bytes;

    public bool HasKept => _keptLength > 0;

    public bool HasInput
    {
        get
        {
            PollDescriptor asked = new() { Descriptor = _descriptor, Events = PollDescriptor.POLLIN };
            return Libc.poll(&asked, 1, 0) > 0;
        }
    }

    public bool Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, bool mayWait)
    {
        if (_keptLength > 0)
        {
            if (!mayWait) { Keep(first); Keep(second); Keep(third); return true; }
            int kept = _keptLength;
            _keptLength = 0;
            if (!Send(_kept.AsSpan(0, kept), default, default, mayWait: true)) return false;
        }
        fixed (byte* one = first, two = second, three = third)
        {
            IoVector* pieces = stackalloc IoVector[3]
            {
                new() { Base = one, Length = (nuint)first.Length }, new() { Base = two, Length = (nuint)second.Length }, new() { Base = three, Length = (nuint)third.Length },
            };
            nint left = first.Length + second.Length + third.Length;
            MessageHeader message = new() { Vectors = pieces, VectorCount = 3 };
            while (left > 0)
            {
                nint sent = Libc.sendmsg(_descriptor, &message, Libc.MSG_NOSIGNAL | (mayWait ? 0 : Libc.MSG_DONTWAIT));
                if (sent < 0 && Errno.Last == Errno.EINTR) continue;
                if (sent < 0 && !mayWait && Errno.Last == Errno.EAGAIN)
                {
                    for (int i = 0; i < 3; i++) Keep(new ReadOnlySpan<byte>(pieces[i].Base, (int)pieces[i].Length));
                    return true;
                }
                if (sent <= 0) return false;
                left -= sent;
                Advance(pieces, (nuint)sent);
            }
            return true;
        }
    }

    public int Receive(Span<byte> first, Span<byte> second, Span<byte> third)
    {
        fixed (byte* one = first, two = second, three = third)
        {
            IoVector* pieces = stackalloc IoVector[3]
            {
                new() { Base = one, Length = (nuint)first.Length }, new() { Base = two, Length = (nuint)second.Length }, new() { Base = three, Length = (nuint)third.Length },
            };
            MessageHeader message = new() { Vectors = pieces, VectorCount = 3 };
            while (true)
            {
                nint received = Libc.recvmsg(_descriptor, &message, 0);
                if (received >= 0) return (int)received;
                if (Errno.Last != Errno.EINTR) return 0;
            }
        }
    }

    public void Abort()
    {
        try { socket.Shutdown(SocketShutdown.Both); }
        catch (SocketException) { } // not connected any more: that is what was wanted
        catch (ObjectDisposedException) { }
    }

    public void Dispose() => socket.Dispose();

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_kept.Length - _keptLength < bytes.Length) Array.Resize(ref _kept, _keptLength + bytes.Length + 4096);
        bytes.CopyTo(_kept.AsSpan(_keptLength));
        _keptLength += bytes.Length;
    }

    private static void Advance(IoVector* pieces, nuint bytes)
    {
        for (int i = 0; bytes > 0; i++)
        {
            nuint taken = Math.Min(bytes, pieces[i].Length);
            pieces[i].Base = (byte*)pieces[i].Base + taken;
            pieces[i].Length -= taken;
            bytes -= taken;
        }
    }
}
