using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <content>Bytes that a peer which is gone has left in a ring, for the next program that reads the connection.</content>
internal sealed partial class Broker
{
    /// <summary>
    /// A process asks for its own bytes to be put into its own socket (<see cref="Contract.Messages.RefillRequest"/>), in its user's turn.
    /// Takes both descriptors over.
    /// </summary>
    public static void Refill(Session session, int socket, int memory) => StandIns.Add(session.Peer.UserId, () =>
    {
        Refill(socket, memory);
        Libc.close(memory);
        BorrowedSocket.GiveBack(socket);
        return null;
    }, 0);

    /// <summary>
    /// The memory is read and written by calls, which fail where a mapping of a file that somebody else has made could fault.
    /// </summary>
    private static unsafe void Refill(int socket, int memory)
    {
        // Seals first: only memory has them, and any other file may wait for its owner.
        if (Libc.fcntl(memory, Libc.F_GET_SEALS, 0) < 0) return;
        RefillHeader header;
        if (Libc.pread(memory, &header, RefillHeader.Bytes, 0) != RefillHeader.Bytes) return;
        bool isFilled = header.State == (uint)RefillState.Filled;
        if (header.Magic != RefillHeader.ExpectedMagic || header.Version != RefillHeader.ExpectedVersion || header.Length > RefillHeader.MostBytes) return;
        if (!isFilled && header.State != (uint)RefillState.Asked) return;
        bool done = ReceiveQueue.TryPut(socket, memory, RefillHeader.Bytes, isFilled ? (nint)header.Length : 0);
        uint answer = (uint)(!done ? RefillState.Failed : isFilled ? RefillState.Done : RefillState.Able);
        _ = Libc.pwrite(memory, &answer, sizeof(uint), RefillHeader.StateOffset);
    }
}
