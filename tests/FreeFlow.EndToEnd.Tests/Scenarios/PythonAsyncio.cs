namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>python3: an echo by asyncio, five clients at once.</summary>
public sealed class PythonAsyncio : Scenario
{
    private const int Port = 7001;

    public override string[] Needs => [Tools.Python];

    public override void Start(Stage stage) => stage.Serve(Tools.PythonProgram("echo_asyncio.py", "server", $"{Port}"), Port);

    public override string Work(Stage stage, int seconds) => stage.Call(Tools.PythonProgram("echo_asyncio.py", "client", stage.Address, $"{Port}", $"{seconds}")).Output;
}
