using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Metrics;

/// <summary>What knows a daemon's figures.</summary>
public interface IMetricsSource
{
    /// <summary>Brings its metrics up to date; one call at a time, on any thread. Throws <see cref="System.TimeoutException"/> if it cannot in time.</summary>
    Task RefreshAsync(CancellationToken cancellationToken);
}
