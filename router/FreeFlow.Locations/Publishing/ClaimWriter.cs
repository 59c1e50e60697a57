using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>Writes and deletes keys by transactions that say what must be true for them: no other node's key is ever touched by a claim that is not newer.</summary>
internal sealed class ClaimWriter(EtcdClient client, Action<Claim, KeyValue?, bool> outcome)
{
    // etcd takes 128 operations in a transaction unless told otherwise (--max-txn-ops).
    private const int Batch = 100;

    /// <summary>Puts every claim under the lease that may be put; <c>outcome(claim, other, written)</c> hears of each. Stops at the first failure of etcd.</summary>
    public async Task PutAsync(IReadOnlyList<Claim> claims, long lease, CancellationToken stop)
    {
        foreach (Claim[] batch in claims.Where(claim => claim.Newer).Chunk(Batch)) await ReplaceAsync(batch, lease, stop).ConfigureAwait(false);
        foreach (Claim[] batch in claims.Where(claim => !claim.Newer).Chunk(Batch))
        {
            TxnResponse answer = await client.TxnAsync(new() { compare = [.. batch.Select(Absent)], success = [.. batch.Select(claim => Put(claim, lease))] }, stop).ConfigureAwait(false);
            foreach (Claim claim in batch)
            {
                if (answer.succeeded) Written(claim, answer, null);
                else await PutCarefullyAsync(claim, lease, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Deletes every claim's key that is still under the lease.</summary>
    public async Task DeleteAsync(IReadOnlyList<Claim> claims, long lease, CancellationToken stop)
    {
        foreach (Claim[] batch in claims.Chunk(Batch))
        {
            TxnResponse answer = await client.TxnAsync(new() { compare = [.. batch.Select(claim => Leased(claim, lease))], success = [.. batch.Select(Delete)] }, stop).ConfigureAwait(false);
            if (answer.succeeded) continue;
            foreach (Claim claim in batch) await client.TxnAsync(new() { compare = [Leased(claim, lease)], success = [Delete(claim)] }, stop).ConfigureAwait(false);
        }
    }

    // A newer claim replaces whatever is there, and says whom it replaced.
    private async Task ReplaceAsync(Claim[] batch, long lease, CancellationToken stop)
    {
        TxnResponse answer = await client.TxnAsync(new() { success = [.. batch.Select(claim => Put(claim, lease))] }, stop).ConfigureAwait(false);
        for (int i = 0; i < batch.Length; i++) Written(batch[i], answer, i < answer.responses.Length ? answer.responses[i].response_put?.prev_kv : null);
    }

    // Free, or without a lease (its writer may be long dead), or it says what we would say (our own predecessor): it becomes ours. Otherwise it stays.
    private async Task PutCarefullyAsync(Claim claim, long lease, CancellationToken stop)
    {
        for (int attempt = 0; attempt < 5; attempt++)
        {
            TxnResponse answer = await client.TxnAsync(
                new() { compare = [Absent(claim)], success = [Put(claim, lease)], failure = [new() { request_range = new() { key = Bytes(claim) } }] }, stop).ConfigureAwait(false);
            if (answer.succeeded) { Written(claim, answer, null); return; }
            KeyValue[] found = answer.responses is [{ response_range: { } range }] ? range.kvs : [];
            if (found.Length == 0) continue;
            KeyValue other = found[0];
            if (other.lease != 0 && other.lease != lease && !other.value.AsSpan().SequenceEqual(claim.Sent))
            {
                claim.Revision = other.mod_revision;
                outcome(claim, other, false);
                return;
            }
            Compare unchanged = new() { key = other.key, target = "MOD", mod_revision = other.mod_revision };
            answer = await client.TxnAsync(new() { compare = [unchanged], success = [Put(claim, lease)] }, stop).ConfigureAwait(false);
            if (answer.succeeded) { Written(claim, answer, other); return; }
        }
    }

    private void Written(Claim claim, TxnResponse answer, KeyValue? before)
    {
        claim.Revision = answer.header.revision;
        outcome(claim, before, true);
    }

    private static byte[] Bytes(Claim claim) => Encoding.UTF8.GetBytes(claim.Key);

    private static Compare Absent(Claim claim) => new() { key = Bytes(claim), target = "VERSION", version = 0 };

    private static Compare Leased(Claim claim, long lease) => new() { key = Bytes(claim), target = "LEASE", lease = lease };

    private static Operation Put(Claim claim, long lease) => new() { request_put = new() { key = Bytes(claim), value = claim.Sent, lease = lease, prev_kv = true } };

    private static Operation Delete(Claim claim) => new() { request_delete_range = new() { key = Bytes(claim) } };
}
