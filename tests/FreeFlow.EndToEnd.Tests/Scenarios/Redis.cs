using System.Globalization;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>redis: a data set of random bytes with a background save (fork) in the middle, redis-benchmark, redis-cli.</summary>
public sealed class Redis : Scenario
{
    private const int Port = 6379;

    public override string[] Needs => ["redis-server", "redis-benchmark", "redis-cli", Tools.Python];

    public override void Start(Stage stage) => stage.Serve(new CommandLine("redis-server",
        "--port", $"{Port}", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", stage.Folder).In(stage.Folder), Port);

    public override string Work(Stage stage, int seconds)
    {
        string read = stage.Call(Tools.PythonProgram("redis_check.py", stage.Address, $"{Port}", seconds.ToString(CultureInfo.InvariantCulture))).Output;
        string benchmark = stage.Call(new CommandLine("redis-benchmark", "-h", stage.Address, "-t", "set,get,lpush,mset", "-n", "3000", "-c", "8", "-d", "300", "--csv")).Output;
        string last = stage.Call(new CommandLine("redis-cli", "-h", stage.Address, "LLEN", "mylist")).Output;
        stage.Call(new CommandLine("redis-cli", "-h", stage.Address, "DEL", "mylist"));
        // Names of the tests that redis-benchmark finished; the figures differ from run to run.
        string names = string.Join(' ', System.Linq.Enumerable.Select(benchmark.Split('\n'), line => line.Split(',')[0]));
        return read + names + last;
    }
}
