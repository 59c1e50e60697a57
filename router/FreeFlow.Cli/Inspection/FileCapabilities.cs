using System.Runtime.InteropServices;

namespace FreeFlow.Cli.Inspection;

/// <summary>File capabilities (capabilities(7)).</summary>
internal static unsafe partial class FileCapabilities
{
    /// <summary>True if the file has some.</summary>
    public static bool Has(string path) => getxattr(path, "security.capability", null, 0) > 0;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint getxattr(string path, string name, void* value, nuint size);
}
