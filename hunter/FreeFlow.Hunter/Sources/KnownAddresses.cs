using System.Collections.Generic;
using System.Linq;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Sources;

/// <summary>Turns whole pictures into changes, for sources that look at everything each time.</summary>
internal sealed class KnownAddresses(IAddressSource source)
{
    private Dictionary<Address, Finding> _known = [];
    private bool _complete;

    /// <summary>Addresses in the last picture.</summary>
    public int Count => _known.Count;

    /// <summary>Says what is new and what has gone since the last picture.</summary>
    public void Replace(IAddressSink sink, Dictionary<Address, Finding> picture)
    {
        foreach (Address gone in _known.Keys.Where(address => !picture.ContainsKey(address))) sink.Remove(source, gone);
        foreach ((Address address, Finding finding) in picture)
        {
            if (!_known.TryGetValue(address, out Finding before) || before != finding) sink.Set(source, address, finding);
        }
        _known = picture;
        if (_complete) return;
        _complete = true;
        sink.Complete(source);
    }
}
