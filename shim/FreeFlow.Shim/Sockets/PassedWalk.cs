using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Goes through the descriptors that control messages pass (cmsg(3), SCM_RIGHTS), as the kernel does: what is malformed ends it.
/// </summary>
internal unsafe struct PassedWalk(byte* control, nuint bytes)
{
    private const ulong HeaderBytes = 16;

    private readonly byte* _end = control + bytes;
    private byte* _message = control;
    private ulong _offset = HeaderBytes;

    /// <summary>Where the next one stands; null at the end.</summary>
    public int* Next()
    {
        while ((ulong)(_end - _message) >= HeaderBytes)
        {
            ulong length = *(ulong*)_message;
            if (length < HeaderBytes || length > (ulong)(_end - _message)) return null;
            bool passes = *(int*)(_message + 8) == Linux.SOL_SOCKET && *(int*)(_message + 12) == Linux.SCM_RIGHTS;
            if (passes && _offset + sizeof(int) <= length)
            {
                _offset += sizeof(int);
                return (int*)(_message + _offset - sizeof(int));
            }
            ulong whole = (length + 7) & ~7UL;
            if (whole > (ulong)(_end - _message)) return null;
            _message += whole;
            _offset = HeaderBytes;
        }
        return null;
    }
}
