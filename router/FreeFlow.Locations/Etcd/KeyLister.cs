using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>
/// Lists a range to a sink: in pages of one revision, so that it is one picture and no answer is huge, and a very large range in two parts at once. One list at a time.
/// </summary>
internal sealed class KeyLister(EtcdClient client, IKeySink sink)
{
    private const int PageSize = 5_000;

    /// <summary>Until this one has come nothing is known of how many there are, and nobody else is asked.</summary>
    private const int FirstPageSize = 500;

    /// <summary>The sink hears of one page at a time.</summary>
    private readonly Lock _listing = new();

    /// <summary>From <see cref="IKeySink.ListBegins"/> to <see cref="IKeySink.ListEnds"/>; the header says of which cluster and revision the list is. Throws <see cref="EtcdException"/>; the list is void then.</summary>
    public async Task<ResponseHeader> ListAsync(KeyRange range, CancellationToken stop)
    {
        RangeResponse page = await client.RangeAsync(new() { key = range.Key, range_end = range.End, limit = range.End is null ? 0 : FirstPageSize }, stop).ConfigureAwait(false);
        ResponseHeader seen = page.header;
        sink.ListBegins(range);
        Take(range, page);
        if (page.more && page.kvs.Length > 0)
        {
            (byte[] first, byte[] end, long left) = (Behind(page), range.End!, page.count - page.kvs.Length);
            byte[]? middle = left < 2 * PageSize ? null : await KeySplitter.MiddleAsync(client, first, end, left, seen.revision, stop).ConfigureAwait(false);
            if (middle is null) await ListPagesAsync(range, first, end, seen.revision, stop).ConfigureAwait(false);
            else await ListBothAsync(range, first, middle, seen.revision, stop).ConfigureAwait(false);
        }
        sink.ListEnds(range, seen.revision);
        return seen;
    }

    private async Task ListBothAsync(KeyRange range, byte[] first, byte[] middle, long revision, CancellationToken stop)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] parts = [ListPagesAsync(range, first, middle, revision, either.Token), ListPagesAsync(range, middle, range.End!, revision, either.Token)];
        Task ended = await Task.WhenAny(parts).ConfigureAwait(false);
        // If one fails the list is void, and soon another one begins: its sink must not hear of this one any more.
        if (!ended.IsCompletedSuccessfully) await either.CancelAsync().ConfigureAwait(false);
        Task both = Task.WhenAll(parts);
        await both.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The first one's reason: the other's is perhaps only that it was cancelled.
        await ended.ConfigureAwait(false);
        await both.ConfigureAwait(false);
    }

    private async Task ListPagesAsync(KeyRange range, byte[] first, byte[] end, long revision, CancellationToken stop)
    {
        while (true)
        {
            RangeResponse page = await client.RangeAsync(new() { key = first, range_end = end, limit = PageSize, revision = revision }, stop).ConfigureAwait(false);
            Take(range, page);
            if (!page.more || page.kvs.Length == 0) return;
            first = Behind(page);
        }
    }

    private void Take(KeyRange range, RangeResponse page)
    {
        lock (_listing)
        {
            foreach (KeyValue entry in page.kvs) sink.Listed(range, entry);
        }
    }

    private static byte[] Behind(RangeResponse page) => [.. page.kvs[^1].key, 0];
}
