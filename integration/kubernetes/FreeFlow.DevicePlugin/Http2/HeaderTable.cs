using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>
/// The fields that a decoder of header blocks knows by number: 61 of them fixed, the others as the peer has added them (RFC 7541, section
/// 2.3).
/// Of one connection; not safe for several threads.
/// </summary>
internal sealed class HeaderTable
{
    /// <summary>How large the peer may make the table, in bytes: what HTTP/2 begins with, as our side never tells another number.</summary>
    internal const int LargestSize = 4096;

    private static readonly HeaderField[] s_static = [.. new (string Name, string Value)[]
    {
        (":authority", ""),
        (":method", "GET"),
        (":method", "POST"),
        (":path", "/"),
        (":path", "/index.html"),
        (":scheme", "http"),
        (":scheme", "https"),
        (":status", "200"),
        (":status", "204"),
        (":status", "206"),
        (":status", "304"),
        (":status", "400"),
        (":status", "404"),
        (":status", "500"),
        ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"),
        ("accept-language", ""),
        ("accept-ranges", ""),
        ("accept", ""),
        ("access-control-allow-origin", ""),
        ("age", ""),
        ("allow", ""),
        ("authorization", ""),
        ("cache-control", ""),
        ("content-disposition", ""),
        ("content-encoding", ""),
        ("content-language", ""),
        ("content-length", ""),
        ("content-location", ""),
        ("content-range", ""),
        ("content-type", ""),
        ("cookie", ""),
        ("date", ""),
        ("etag", ""),
        ("expect", ""),
        ("expires", ""),
        ("from", ""),
        ("host", ""),
        ("if-match", ""),
        ("if-modified-since", ""),
        ("if-none-match", ""),
        ("if-range", ""),
        ("if-unmodified-since", ""),
        ("last-modified", ""),
        ("link", ""),
        ("location", ""),
        ("max-forwards", ""),
        ("proxy-authenticate", ""),
        ("proxy-authorization", ""),
        ("range", ""),
        ("referer", ""),
        ("refresh", ""),
        ("retry-after", ""),
        ("server", ""),
        ("set-cookie", ""),
        ("strict-transport-security", ""),
        ("transfer-encoding", ""),
        ("user-agent", ""),
        ("vary", ""),
        ("via", ""),
        ("www-authenticate", ""),
    }.Select(field => new HeaderField(Encoding.ASCII.GetBytes(field.Name), Encoding.ASCII.GetBytes(field.Value)))];

    // The newest is the first.
    private readonly LinkedList<HeaderField> _added = [];
    private int _size;
    private int _limit = LargestSize;

    /// <summary>The field of this number, which begins with one.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    internal HeaderField this[int index]
    {
        get
        {
            if (index >= 1 && index <= s_static.Length) return s_static[index - 1];
            int added = index - s_static.Length - 1;
            if (added < 0 || added >= _added.Count) throw new InvalidDataException($"a header field has the number {index}, which the table does not hold.");
            return _added.ElementAt(added);
        }
    }

    internal void Add(HeaderField field)
    {
        _added.AddFirst(field);
        _size += field.Size;
        Evict();
    }

    /// <summary>Sets the table's size, in bytes, as the peer has chosen it.</summary>
    /// <exception cref="InvalidDataException">It is more than the peer was allowed.</exception>
    internal void Resize(int limit)
    {
        if (limit > LargestSize) throw new InvalidDataException($"the peer wants a header table of {limit} bytes: {LargestSize} are allowed.");
        _limit = limit;
        Evict();
    }

    private void Evict()
    {
        while (_size > _limit && _added.Last is { } oldest)
        {
            _size -= oldest.Value.Size;
            _added.RemoveLast();
        }
    }
}
