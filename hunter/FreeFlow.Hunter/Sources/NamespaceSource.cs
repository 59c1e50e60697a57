using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Hunter.Sources;

/// <summary>The addresses of this host's network namespaces: those with a process, and those pinned to a name as ip-netns(8), CNI, podman and docker do.
/// Namespaces that belong to another user namespace than ours are left out: whoever made that one may give them a stranger's address.</summary>
internal sealed class NamespaceSource(Action<string> log) : IAddressSource
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public Task RunAsync(IAddressSink sink, CancellationToken stop)
    {
        // setns(2) is the thread's own matter: this one never serves anybody else, and ends with the source.
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                Look(sink, stop);
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        { IsBackground = true, Name = "namespaces" }.Start();
        return done.Task;
    }

    private void Look(IAddressSink sink, CancellationToken stop)
    {
        KnownAddresses known = new(this);
        NamespaceReader reader = new();
        string? said = null;
        do
        {
            Dictionary<Address, Finding> picture = [];
            foreach ((ulong inode, string path) in NamespaceList.Find())
            {
                // A name that somebody gave it, not a process's number.
                Identity? who = path.StartsWith("/proc/", StringComparison.Ordinal) ? null : new(null, Path.GetFileName(path), null);
                foreach (Address address in reader.Read(inode, path)) picture[address] = new(default, who);
            }
            // Without the right to enter them there is no picture, which is not the same as an empty one.
            if (reader.Problem != said && reader.Problem is not null) log($"network namespaces cannot be read: {reader.Problem}");
            said = reader.Problem;
            if (reader.Problem is null) known.Replace(sink, picture);
        }
        while (!stop.WaitHandle.WaitOne(Interval));
    }
}
