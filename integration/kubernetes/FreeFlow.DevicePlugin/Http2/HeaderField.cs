namespace FreeFlow.DevicePlugin.Http2;

/// <summary>A header field, decoded: name and value in bytes.</summary>
internal readonly record struct HeaderField(byte[] Name, byte[] Value)
{
    /// <summary>The size of the field in a dynamic table (RFC 7541, section 4.1), in bytes.</summary>
    internal int Size => Name.Length + Value.Length + 32;
}
