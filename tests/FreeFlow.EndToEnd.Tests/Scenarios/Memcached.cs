using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>memcached with four threads, under libevent's epoll.</summary>
public sealed class Memcached : Scenario
{
    private const int Port = 11211;

    public override string[] Needs => ["memcached", Tools.Python];

    public override void Start(Stage stage) => stage.Serve(new CommandLine("memcached", "-u", "root", "-t", "4", "-m", "256", "-l", "0.0.0.0", "-U", "0"), Port);

    public override string Work(Stage stage, int seconds) => stage.Call(Tools.PythonProgram("memcached_check.py", stage.Address, $"{Port}", $"{seconds}")).Output;
}
