using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>
/// Lists a range to a sink, in pages of one revision, so that it is one picture and no answer is huge. A range of many pages is read by gRPC: etcd spends about 20 µs on each key that it writes as JSON.
/// One list at a time.
/// </summary>
internal sealed class KeyLister(EtcdClient client, IKeySink sink)
{
    private const int PageSize = 5_000;

    /// <summary>By JSON, in any case: it finds an endpoint that answers, and renews the token. Most ranges have no other page.</summary>
    private const int FirstPageSize = 500;

    /// <summary>From <see cref="IKeySink.ListBegins"/> to <see cref="IKeySink.ListEnds"/>; the header says of which cluster and revision the list is. Throws <see cref="EtcdException"/>; the list is void then.</summary>
    public async Task<ResponseHeader> ListAsync(KeyRange range, CancellationToken stop)
    {
        RangeResponse page = await client.RangeAsync(new() { key = range.Key, range_end = range.End, limit = range.End is null ? 0 : FirstPageSize }, stop).ConfigureAwait(false);
        ResponseHeader seen = page.header;
        sink.ListBegins(range);
        Take(range, page);
        for (int failures = 0; page is { more: true, kvs: [.., { } last] };)
        {
            RangeRequest behind = new() { key = [.. last.key, 0], range_end = range.End, limit = PageSize, revision = seen.revision };
            // The page between two attempts has renewed the token, and found an endpoint, if it was that.
            RangeResponse? answer = failures < 2 ? await client.RangeByGrpcAsync(behind, stop).ConfigureAwait(false) : null;
            failures = answer is null ? failures + 1 : 0;
            page = answer ?? await client.RangeAsync(behind, stop).ConfigureAwait(false);
            Take(range, page);
        }
        sink.ListEnds(range, seen.revision);
        return seen;
    }

    private void Take(KeyRange range, RangeResponse page)
    {
        foreach (KeyValue entry in page.kvs) sink.Listed(range, entry);
    }
}
