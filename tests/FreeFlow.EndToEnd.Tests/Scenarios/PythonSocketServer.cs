namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>python3: lines by socketserver, a thread for each client.</summary>
public sealed class PythonSocketServer : Scenario
{
    private const int Port = 7002;

    public override string[] Needs => [Tools.Python];

    public override void Start(Stage stage) => stage.Serve(Tools.PythonProgram("echo_socketserver.py", "server", $"{Port}"), Port);

    public override string Work(Stage stage, int seconds) => stage.Call(Tools.PythonProgram("echo_socketserver.py", "client", stage.Address, $"{Port}", $"{seconds}")).Output;
}
