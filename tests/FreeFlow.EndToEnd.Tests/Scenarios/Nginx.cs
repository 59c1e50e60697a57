using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>nginx and curl: several files over one connection, each compared by sha256.</summary>
public sealed class Nginx : Scenario
{
    public override string[] Needs => ["nginx", "curl", "sha256sum"];

    public override void Start(Stage stage) => NginxServer.Start(stage);

    public override string Work(Stage stage, int seconds)
    {
        string urls = string.Join(' ', NginxServer.Files.Select(file => $"http://{stage.Address}:{NginxServer.Port}/{file}"));
        // One curl is one connection; a slow reader now and then, so that nginx finds its socket full.
        string script = $"set -o pipefail; curl -sSf --max-time 30 {urls} {urls} {urls} | sha256sum; curl -sSf --max-time 30 --limit-rate 16M {urls} | sha256sum";
        return Repeat(seconds, () => stage.Call(new CommandLine("bash", "-c", script)).Output);
    }
}
