using System.Collections.Generic;
using System.IO;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>
/// rdma-core's own tests of libibverbs, on the virtual device. Without a device every one of them skips, so the names of those that pass
/// stand in programs/rdma-core.txt; the others skip,
/// with the reason that a device without the feature gives.
/// </summary>
public sealed class RdmaCore : Suite
{
    private static readonly string s_folder = Path.Combine(Artifacts.Root, "tests", "FreeFlow.Suites", "programs");

    /// <inheritdoc/>
    public override string Name => "rdma-core";

    /// <inheritdoc/>
    public override string About => "rdma-core 44: its Python tests of libibverbs, on freeflow0";

    /// <inheritdoc/>
    public override string[] Packages => ["python3-pyverbs"];

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts()
    {
        yield return new SuitePart(
            "pyverbs",
            folder => new CommandLine("/usr/bin/python3", Path.Combine(s_folder, "rdma-core.py"), folder, "--dev", "freeflow0", "--gid", "0"),
            (_, completed) => Lines.Tap(completed.Output))
        {
            NeedsRing = false,
            Expected = File.ReadAllText(Path.Combine(s_folder, "rdma-core.txt")),
        };
    }
}
