using System;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>A source that learns every location into a table: what a watched file and etcd, listed whole, have in common.</summary>
public abstract class TableLocations : ILocations
{
    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    private protected TableLocations(string source, Action<string> log) => State = new(source, Table, log);

    private protected LocationTable Table { get; } = new();

    private protected ViewState State { get; }

    /// <inheritdoc/>
    public event Action<LocationChange>? Changed { add => Table.Changed += value; remove => Table.Changed -= value; }

    /// <inheritdoc/>
    public event Action<Address>? IdentityChanged { add => Table.Identities.Changed += value; remove => Table.Identities.Changed -= value; }

    /// <inheritdoc/>
    public LocationView View => State.View;

    /// <inheritdoc/>
    public void Start() => _run = Task.Run(() => RunAsync(_stop.Token));

    /// <inheritdoc/>
    public LocationAnswer Find(Address address, out Host? host)
    {
        host = Table.Find(address);
        return host is not null ? LocationAnswer.Found : State.HasLearnt ? LocationAnswer.Nowhere : LocationAnswer.Unknown;
    }

    /// <inheritdoc/>
    public Identity? IdentityOf(Address address) => Table.IdentityOf(address);

    /// <inheritdoc/>
    public virtual void FollowIdentities() { }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _run.ConfigureAwait(false);
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Learns until it is told to stop.</summary>
    private protected abstract Task RunAsync(CancellationToken stop);
}
