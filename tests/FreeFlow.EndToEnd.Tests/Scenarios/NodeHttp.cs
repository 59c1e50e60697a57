using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>node: an HTTP server that streams bodies back, and keep-alive clients.</summary>
public sealed class NodeHttp : Scenario
{
    private const int Port = 8090;

    public override string[] Needs => ["node"];

    public override void Start(Stage stage) => stage.Serve(new CommandLine("node", Tools.Program("http_node.mjs"), "server", $"{Port}"), Port);

    public override string Work(Stage stage, int seconds) =>
        stage.Call(new CommandLine("node", Tools.Program("http_node.mjs"), "client", stage.Address, $"{Port}", $"{seconds}")).Output;
}
