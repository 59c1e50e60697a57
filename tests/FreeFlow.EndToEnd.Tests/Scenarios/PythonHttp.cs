using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>python3: http.server and urllib.</summary>
public sealed class PythonHttp : Scenario
{
    private const int Port = 8000;

    public override string[] Needs => [Tools.Python];

    public override void Start(Stage stage)
    {
        NginxServer.MakeFiles(stage.Folder);
        stage.Serve(new CommandLine(Tools.Python, "-m", "http.server", $"{Port}", "--directory", stage.Folder), Port);
    }

    public override string Work(Stage stage, int seconds) =>
        stage.Call(Tools.PythonProgram("http_urllib.py", [$"http://{stage.Address}:{Port}", $"{seconds}", .. NginxServer.Files])).Output;
}
