using System;
using System.Globalization;

namespace FreeFlow.Locations;

/// <summary>What <c>freeflow status</c> says about the locations.</summary>
/// <param name="Source">"none", "file PATH" or "etcd".</param>
/// <param name="State">How good the view is.</param>
/// <param name="Age">Zero while current; then the time since it was.</param>
/// <param name="Addresses">Virtual IPs with a host.</param>
/// <param name="Hosts">Hosts that are named in the view.</param>
/// <param name="Revision">etcd's revision of the view, or how often the file was read.</param>
/// <param name="Detail">Endpoint in use, or what is wrong.</param>
public sealed record LocationView(string Source, LocationState State, TimeSpan Age, int Addresses, int Hosts, long Revision, string? Detail)
{
    /// <summary>Addresses of which something is known about who has them; 0 where nobody asks for that.</summary>
    public int Identities { get; init; }

    public override string ToString()
    {
        string state = State switch
        {
            LocationState.None => "none",
            LocationState.Starting => $"{Source}: nothing learnt yet",
            LocationState.Current => $"{Source}: current",
            _ => string.Create(CultureInfo.InvariantCulture, $"{Source}: {Age.TotalSeconds:0} s old"),
        };
        if (State == LocationState.None) return state;
        return string.Create(CultureInfo.InvariantCulture, $"{state}, {Addresses} addresses on {Hosts} hosts, revision {Revision}{(Detail is null ? "" : $" ({Detail})")}");
    }
}
