using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using FreeFlow.Cli;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A real router process on a socket of its own, and its folder.</summary>
internal sealed class RouterUnderTest : IDisposable
{
    private static readonly string[] Kinds = ["socket:", "memfd:", "anon_inode:", "net:", "user:"];
    private static int _number;

    /// <summary>A runtime that compiles as it goes takes its time on a busy machine.</summary>
    private const int StartSeconds = 60;

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"freeflow-router-test-{Environment.ProcessId}-{++_number}");

    private readonly string[] _before;

    private RouterUnderTest(bool start, string[] arguments, params string[] before)
    {
        _before = before;
        SocketPath = Path.Combine(_folder, "run", "router.sock");
        Directory.CreateDirectory(_folder);
        Process = start ? Launch(arguments) : null!;
        if (start && !Process.WaitFor("listens on", StartSeconds))
        {
            string said = Process.Output;
            Process.Dispose();
            throw new InvalidOperationException($"the router did not start: {said}");
        }
        if (start) BeginToFail();
    }

    /// <summary>
    /// FREEFLOW_FAILING=LIBRARY (native/failing.c) has calls of every router fail at random once it serves, one in FREEFLOW_FAILING_ONE_IN, and FREEFLOW_FAILING_REPORT=FILE is told of each that has died of
    /// it, or counted a fault. Whether a test passes then says little.
    /// </summary>
    private static string? Failing => Environment.GetEnvironmentVariable("FREEFLOW_FAILING");

    private string WhileFailing => Path.Combine(_folder, "failing");

    private void BeginToFail()
    {
        if (Failing is not null) File.WriteAllText(WhileFailing, "");
    }

    private string[] Behind => Failing is null ? _before :
        ["env", $"LD_PRELOAD={Failing}", $"FAILING_WHILE={WhileFailing}", $"FAILING_SEED={_number}", $"FAILING_ONE_IN={Environment.GetEnvironmentVariable("FREEFLOW_FAILING_ONE_IN") ?? "200"}", .. _before];

    private void Report()
    {
        if (Environment.GetEnvironmentVariable("FREEFLOW_FAILING_REPORT") is not { } report || Process is null) return;
        string[] faults = [.. Process.Output.Split('\n').Where(line => line.Contains("fault", StringComparison.Ordinal))];
        bool died = Process.Process.HasExited && Process.Process.ExitCode is not (0 or 137 or 143);
        File.AppendAllText(report, $"{(died ? "DIED " : faults.Length > 0 ? "FAULT " : "well ")}{NUnit.Framework.TestContext.CurrentContext.Test.FullName}\n{(died ? Process.Output + "\n" : string.Concat(faults.Select(line => line + "\n")))}");
    }

    public string SocketPath { get; }

    public TestProcess Process { get; private set; }

    /// <summary>How many sockets, memfds, eventfds and namespaces it has open once it is at rest; the runtime itself opens files as it goes.</summary>
    public int Descriptors
    {
        get
        {
            for (int last = CountDescriptors(), now; ; last = now)
            {
                Thread.Sleep(50);
                now = CountDescriptors();
                if (now == last) return now;
            }
        }
    }

    /// <summary>Starts one and waits until it listens.</summary>
    public static RouterUnderTest Start(params string[] arguments) => new(true, arguments);

    /// <summary>One that may have so many descriptors.</summary>
    public static RouterUnderTest StartWithDescriptors(int limit, params string[] arguments) => new(true, arguments, "prlimit", $"--nofile={limit}:{limit}");

    /// <summary>One in another network namespace.</summary>
    public static RouterUnderTest StartIn(string networkPath, params string[] arguments) => new(true, arguments, "nsenter", $"--net={networkPath}");

    /// <summary>One that a command becomes, such as env.</summary>
    public static RouterUnderTest StartBehind(string[] before, params string[] arguments) => new(true, arguments, before);

    /// <summary>Only the folder, for a test that prepares the socket's path first.</summary>
    public static RouterUnderTest Prepare() => new(false, []);

    /// <summary>Starts one more on the same path.</summary>
    public TestProcess Launch(params string[] arguments) => TestProcess.OfThisBuild(Behind, "freeflow-router.dll", ["--socket", SocketPath, "--verbose", .. arguments]);

    /// <summary>A new one in place of one that was killed.</summary>
    public void Restart()
    {
        Process.Dispose();
        Process = Launch();
        if (!Process.WaitFor("listens on")) throw new InvalidOperationException($"the router did not start: {Process.Output}");
    }

    /// <summary>The status, as the calling thread's user and namespace may see it.</summary>
    public JsonElement Status() => JsonDocument.Parse(RouterClient.AskStatus(SocketPath)).RootElement;

    /// <summary>Names of the programs in the status.</summary>
    public string[] Programs() => Status().GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("program").GetString()!).ToArray();

    private int CountDescriptors() => Directory.GetFileSystemEntries($"/proc/{Process.Process.Id}/fd").Count(IsCounted);

    private static bool IsCounted(string entry)
    {
        try
        {
            return File.ResolveLinkTarget(entry, false) is { } target && Kinds.Any(target.FullName.Contains);
        }
        catch (FileNotFoundException)
        {
            return false; // closed meanwhile
        }
    }

    public void Dispose()
    {
        Report();
        Process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
