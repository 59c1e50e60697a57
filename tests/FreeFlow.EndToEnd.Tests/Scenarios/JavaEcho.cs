using System.IO;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>java: an echo by blocking streams and one by NIO selectors.</summary>
public sealed class JavaEcho : Scenario
{
    private const int Port = 7010;

    public override string[] Needs => ["java", "javac"];

    public override void Start(Stage stage)
    {
        Place.Host.Run(new CommandLine("javac", "-d", stage.Folder, Tools.Program("Echo.java"))).Succeeded("javac");
        stage.Serve(Java(stage, "server", $"{Port}"), Port);
        stage.Server.WaitForPort(Port + 1);
    }

    public override string Work(Stage stage, int seconds) => stage.Call(Java(stage, "client", stage.Address, $"{Port}", $"{seconds}")).Output;

    private static CommandLine Java(Stage stage, params string[] arguments) =>
        new("java", ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx128m", "-cp", Path.Combine(stage.Folder), "Echo", .. arguments]);
}
