namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>python3: lines by socketserver, a forked process for each client.</summary>
public sealed class PythonForkingServer : Scenario
{
    private const int Port = 7003;

    public override string[] Needs => [Tools.Python];

    public override void Start(Stage stage) => stage.Serve(Tools.PythonProgram("echo_socketserver.py", "forking-server", $"{Port}"), Port);

    public override string Work(Stage stage, int seconds) => stage.Call(Tools.PythonProgram("echo_socketserver.py", "client", stage.Address, $"{Port}", $"{seconds}")).Output;
}
