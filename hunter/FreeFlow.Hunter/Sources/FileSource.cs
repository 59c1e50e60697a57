using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Files;

namespace FreeFlow.Hunter.Sources;

/// <summary>A file with a virtual IP on each line, its host after it if that is not this one, and who has it (<see cref="LocationFile"/>). A file with a mistake changes nothing.</summary>
internal sealed class FileSource(string path, Action<string> log) : IAddressSource
{
    public Task RunAsync(IAddressSink sink, CancellationToken stop)
    {
        KnownAddresses known = new(this);
        string? said = null;
        WatchedFile watched = new(path, text =>
        {
            LocationFile file = LocationFile.Parse(text, hostRequired: false);
            known.Replace(sink, file.Addresses.ToDictionary(entry => entry.Key, entry => new Finding(entry.Value, file.Identities.GetValueOrDefault(entry.Key))));
            if (said is not null) log($"{path} can be read again");
            said = null;
        },
        reason =>
        {
            if (said != reason) log($"{path}: {reason}; what was read last stays");
            said = reason;
        });
        return watched.RunAsync(stop);
    }
}
