using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

// Tests of one class share a server and run in turn; classes run beside each other, mostly waiting.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(4)]

namespace FreeFlow.Locations.Tests;

/// <summary>After all tests: no process and no folder of ours is left.</summary>
[SetUpFixture]
public sealed class NothingLeftBehind
{
    [OneTimeTearDown]
    public void Compare()
    {
        // The last test's instance may still be disposing.
        Eventually.True(() => !Traces().Any(), "nothing is left behind", () => string.Join(", ", Traces()));
    }

    private static IEnumerable<string> Traces() => TestProcess.Running.Concat(Directory.EnumerateDirectories(Path.GetTempPath(), $"{TestFolder.Prefix}*"));
}
