using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Hunter.Sources;

/// <summary>Something that knows virtual IPs of this node.</summary>
internal interface IAddressSource
{
    /// <summary>Tells the sink what there is and what changes, until it is stopped; outages are the source's own matter.</summary>
    Task RunAsync(IAddressSink sink, CancellationToken stop);
}
