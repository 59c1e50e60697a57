using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>The answer of a call that makes an object, and did not.</summary>
internal static unsafe class Refusal
{
    /// <summary>Null, with errno: EOPNOTSUPP as of a device that has no such object.</summary>
    public static void* With(int error = Linux.EOPNOTSUPP)
    {
        Process.Errno = error;
        return null;
    }
}
