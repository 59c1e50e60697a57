using System;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Files;

namespace FreeFlow.Hunter.Sources;

/// <summary>A file with a virtual IP on each line, and its host after it if that is not this one. A file with a mistake changes nothing.</summary>
internal sealed class FileSource(string path, Action<string> log) : IAddressSource
{
    public Task RunAsync(IAddressSink sink, CancellationToken stop)
    {
        KnownAddresses known = new(this);
        string? said = null;
        WatchedFile file = new(path, text =>
        {
            known.Replace(sink, LocationFile.Parse(text, hostRequired: false).Addresses);
            if (said is not null) log($"{path} can be read again");
            said = null;
        },
        reason =>
        {
            if (said != reason) log($"{path}: {reason}; what was read last stays");
            said = reason;
        });
        return file.RunAsync(stop);
    }
}
