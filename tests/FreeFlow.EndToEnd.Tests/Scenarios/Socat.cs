using System.IO;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>socat: a server that forks for each client and sends everything back through cat.</summary>
public sealed class Socat : Scenario
{
    private const int Port = 7020;

    public override string[] Needs => ["socat", "sha256sum"];

    public override void Start(Stage stage)
    {
        NginxServer.MakeFiles(stage.Folder);
        stage.Serve(new CommandLine("socat", "-t", "20", "-b", "65536", $"TCP4-LISTEN:{Port},fork,reuseaddr", "EXEC:cat"), Port);
    }

    public override string Work(Stage stage, int seconds)
    {
        string file = Path.Combine(stage.Folder, "file8388608");
        string script = $"set -o pipefail; socat -b 30000 -t 20 - TCP4:{stage.Address}:{Port} < {file} | sha256sum";
        return Repeat(seconds, () => stage.Call(new CommandLine("bash", "-c", script)).Output);
    }
}
