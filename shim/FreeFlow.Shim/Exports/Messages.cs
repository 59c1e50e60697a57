using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Exports;

/// <summary>struct msghdr in the program's memory: a copy is checked in the kernel's order and used from then on, and what the call tells is written back.</summary>
internal static unsafe class Messages
{
    /// <summary>sizeof(struct sockaddr_storage).</summary>
    private const uint LongestName = 128;

    /// <summary>sizeof(struct cmsghdr): less is no control data.</summary>
    public const uint ControlHeaderBytes = 16;

    /// <summary>
    /// Copies the header of sendmsg(2) or recvmsg(2), and its vectors; the bytes that the vectors name, or a negative errno.
    /// </summary>
    /// <param name="message">The program's header.</param>
    /// <param name="header">The copy.</param>
    /// <param name="vectors">Room for <see cref="Vectors.OnStack"/> vectors.</param>
    /// <param name="sends">True if the header's address is read.</param>
    public static nint Import(MessageHeader* message, MessageHeader* header, IoVector* vectors, bool sends)
    {
        if (!CallerMemory.TryRead(message, header)) return -Linux.EFAULT;
        if (header->Name == null) header->NameLength = 0;
        if ((int)header->NameLength < 0) return -Linux.EINVAL;
        if (header->NameLength > LongestName) header->NameLength = LongestName;
        if (sends && !CallerMemory.CanRead(header->Name, header->NameLength)) return -Linux.EFAULT;
        if (header->VectorCount > Vectors.Maximum) return -Linux.EMSGSIZE;
        return Vectors.Import(ref header->Vectors, (nint)header->VectorCount, vectors);
    }

    /// <summary>Writes back what recvmsg(2) tells beside the bytes; false where the header cannot be written, which the kernel, too, finds out when the bytes are gone.</summary>
    public static bool TryExport(MessageHeader* header, MessageHeader* message)
    {
        byte* target = (byte*)message;
        return (header->Name == null || CallerMemory.TryWrite((uint*)(target + MessageHeader.NameLengthOffset), header->NameLength))
            && CallerMemory.TryWrite((int*)(target + MessageHeader.FlagsOffset), header->Flags)
            && CallerMemory.TryWrite((nuint*)(target + MessageHeader.ControlLengthOffset), header->ControlLength);
    }

    /// <summary>Notes the bytes of one of the messages of sendmmsg(2) or recvmmsg(2).</summary>
    public static bool TryNoteLength(MultipleMessageHeader* message, nint bytes) =>
        CallerMemory.TryWrite((uint*)((byte*)message + MultipleMessageHeader.LengthOffset), (uint)bytes);

    /// <summary>False for control data that the kernel refuses whoever is asked: it cannot be read, is longer than any may be, or not made of struct cmsghdr (CMSG_OK).</summary>
    public static bool IsControl(byte* control, nuint bytes)
    {
        if (bytes > int.MaxValue || !CallerMemory.CanRead(control, bytes)) return false;
        for (nuint at = 0, length; at + ControlHeaderBytes <= bytes; at += (length + 7) & ~(nuint)7)
            if (!CallerMemory.TryRead((nuint*)(control + at), &length) || length < ControlHeaderBytes || length > bytes - at) return false;
        return true;
    }

    /// <summary>An address to send to, which a stream ignores, and the kernel reads all the same: 0 or a negative errno.</summary>
    public static int CheckAddress(void* address, uint length) =>
        length > LongestName ? -Linux.EINVAL : CallerMemory.CanRead(address, length) ? 0 : -Linux.EFAULT;
}
