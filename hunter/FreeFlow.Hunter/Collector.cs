using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;
using FreeFlow.Locations.Publishing;

namespace FreeFlow.Hunter;

/// <summary>Puts the sources together: an address is published as long as one of them has it, with all that they know of who has it.</summary>
internal sealed class Collector(int sources, Address host, IReadOnlyList<Cidr> prefixes, Publisher publisher) : IAddressSink
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Address, List<(IAddressSource Source, Finding Finding)>> _found = [];
    private readonly HashSet<IAddressSource> _complete = [];

    /// <summary>Addresses that are published, and whether every source has told all that it found at the start.</summary>
    public (int Addresses, bool IsComplete) Found
    {
        get { lock (_lock) return (_found.Count, _complete.Count >= sources); }
    }

    public void Set(IAddressSource source, Address address, Finding finding)
    {
        if (address.IsOfNoPlace || address == host || prefixes.Count > 0 && !prefixes.Any(prefix => prefix.Contains(address))) return;
        lock (_lock)
        {
            if (!_found.TryGetValue(address, out List<(IAddressSource Source, Finding Finding)>? entries)) _found.Add(address, entries = []);
            int index = entries.FindIndex(entry => entry.Source == source);
            if (index < 0) entries.Add((source, finding)); else entries[index] = (source, finding);
            Publish(address, entries, newer: _complete.Contains(source));
        }
    }

    public void Remove(IAddressSource source, Address address)
    {
        lock (_lock)
        {
            if (!_found.TryGetValue(address, out List<(IAddressSource Source, Finding Finding)>? entries)) return;
            entries.RemoveAll(entry => entry.Source == source);
            if (entries.Count > 0) { Publish(address, entries, newer: false); return; }
            _found.Remove(address);
            publisher.Drop(LocationKeys.AddressPrefix + address);
            publisher.Drop(LocationKeys.IdentityPrefix + address);
        }
    }

    public void SetNode(Address node, string? name)
    {
        if (name is null) publisher.Drop(LocationKeys.NodePrefix + node); else publisher.Want(LocationKeys.NodePrefix + node, name, newer: false);
    }

    public void Complete(IAddressSource source)
    {
        lock (_lock) if (!_complete.Add(source) || _complete.Count < sources) return;
        publisher.Complete();
    }

    private void Publish(Address address, List<(IAddressSource Source, Finding Finding)> entries, bool newer)
    {
        Address livesOn = entries[0].Finding.LivesOn == default ? host : entries[0].Finding.LivesOn;
        publisher.Want(LocationKeys.AddressPrefix + address, livesOn.ToString(), newer);
        Identity? who = null;
        foreach ((IAddressSource Source, Finding Finding) entry in entries) who = Identity.Merge(who, entry.Finding.Who);
        if (who is null) publisher.Drop(LocationKeys.IdentityPrefix + address);
        else publisher.Want(LocationKeys.IdentityPrefix + address, Encoding.UTF8.GetString(IdentityText.Write(who, livesOn)), newer);
    }
}
