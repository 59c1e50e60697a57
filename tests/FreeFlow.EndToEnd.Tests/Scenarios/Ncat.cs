using System.IO;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>ncat: a broker that sends what one client says to all others, and two clients that exchange files.</summary>
public sealed class Ncat : Scenario
{
    private const int Port = 7030;

    public override string[] Needs => ["ncat", "sha256sum"];

    public override void Start(Stage stage)
    {
        NginxServer.MakeFiles(stage.Folder);
        // Answers every connection with a file and stores what comes.
        string script = $"while :; do ncat -l {Port} < file1000003 > received; sha256sum < received > digest.new; mv digest.new digest; done";
        stage.Serve(new CommandLine("bash", "-c", script).In(stage.Folder), Port);
    }

    public override string Work(Stage stage, int seconds) => Repeat(seconds, () =>
    {
        string digest = Path.Combine(stage.Folder, "digest");
        File.Delete(digest);
        stage.Server.WaitForPort(Port);
        string sent = Path.Combine(stage.Folder, "file8388608");
        string got = stage.Call(new CommandLine("bash", "-c", $"set -o pipefail; ncat {stage.Address} {Port} < {sent} | sha256sum")).Output;
        Waiting.Until(() => File.Exists(digest), System.TimeSpan.FromSeconds(10));
        return got + File.ReadAllText(digest);
    });
}
