using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// Event channels of the connection manager: descriptors that stand for an open /dev/infiniband/rdma_cm. Each is a socket in which the router puts a byte while there are
/// events; the program's commands, which are written to it, come to <see cref="CmDevice"/> and never reach it.
/// </summary>
internal static unsafe class CmChannels
{
    // The session and the router's number of a channel, by descriptor: sparse.
    private static ulong* _numbers;
    private static int _owner;

    /// <summary>A new channel's descriptor; −1 without a router.</summary>
    public static int Open()
    {
        if (!VerbsSession.Open() || !MakeTable()) return -1;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return -1;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        int* got = stackalloc int[VerbsSession.MostDescriptors];
        System.Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int length = VerbsSession.Ask(room[..new VerbsCmCommand { Sequence = sequence, Command = (uint)CmCommand.OpenChannel }.Write(room)], null, 0, room, got, out int count);
        VerbsReply reply = default;
        bool answered = length > 0 && VerbsReply.TryRead(room[..length], out reply) && reply.Sequence == sequence;
        if (length > 0 && !answered) VerbsSession.Lose();
        VerbsSession.End();
        if (answered && reply.Status == 0 && count == 1 && (uint)got[0] < DescriptorFlags.Capacity)
        {
            _numbers[got[0]] = ((ulong)VerbsSession.Generation << 32) | (uint)reply.Value;
            Process.Flags[got[0]] = DescriptorFlags.ConnectionManager;
            return got[0];
        }
        VerbsSession.Close(got, count);
        return -1;
    }

    /// <summary>The router's number; 0 if the descriptor is no channel of this process, or of a router that has gone.</summary>
    public static uint NumberOf(int fd)
    {
        if (_numbers == null || (uint)fd >= DescriptorFlags.Capacity || _owner != Process.Id) return 0;
        return (uint)(_numbers[fd] >> 32) == VerbsSession.Generation ? (uint)_numbers[fd] : 0;
    }

    /// <summary>Another one once the descriptor has been closed.</summary>
    public static ulong MarkOf(int fd) => _numbers != null && (uint)fd < DescriptorFlags.Capacity ? System.Threading.Volatile.Read(ref _numbers[fd]) : 0;

    /// <summary>The descriptor is about to be closed.</summary>
    public static void Closing(int fd)
    {
        uint number = NumberOf(fd);
        Process.Flags[fd] = 0;
        if (number == 0) return;
        _numbers[fd] = 0; // before anybody can get the descriptor's number again
        int errno = Process.Errno;
        _ = CmRequests.Command(number, 0, CmCommand.CloseChannel, 0, out _);
        Process.Errno = errno;
    }

    private static bool MakeTable()
    {
        if (_numbers != null && _owner == Process.Id) return true;
        // A child's channels are its parent's.
        _numbers = (ulong*)Pages.Allocate(DescriptorFlags.Capacity * sizeof(ulong));
        _owner = Process.Id;
        return _numbers != null;
    }
}
