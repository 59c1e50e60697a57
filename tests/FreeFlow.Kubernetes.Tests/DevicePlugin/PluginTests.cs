using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using NUnit.Framework;

namespace FreeFlow.Kubernetes.Tests.DevicePlugin;

/// <summary>The plugin as the kubelet sees it: another library's kubelet registers it, watches it and allocates from it.</summary>
internal sealed class PluginTests
{
    private string _folder = "";
    private string Plugins => Path.Combine(_folder, "device-plugins");
    private string Sockets => Path.Combine(_folder, "run");
    private string Library => Path.Combine(_folder, "library");

    [SetUp]
    public void MakeNode()
    {
        _folder = Directory.CreateTempSubdirectory("freeflow-node-").FullName;
        foreach (string folder in (string[])[Plugins, Sockets, Library, Path.Combine(_folder, "dev/infiniband"),
            Path.Combine(_folder, "sys")]) Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(Library, "libfreeflow.so"), "");
    }

    [TearDown]
    public void RemoveNode() => Directory.Delete(_folder, recursive: true);

    [TestCase("path", TestName = "AKubeletThatNamesTheSocketsPathGetsASocket")]
    [TestCase("localhost", TestName = "AKubeletThatNamesLocalhostGetsASocket")]
    public async Task Allocates(string authority)
    {
        using Socket router = ServeRouter();
        using LineProcess kubelet = StartKubelet(authority);
        await kubelet.LineAsync("serving");
        using LineProcess plugin = StartPlugin("freeflow.io/socket=3");
        Assert.That(await kubelet.LineAsync("registered"), Does.Contain("\"freeflow.io/socket\"").And.Contain("v1beta1"));
        Assert.That(await kubelet.LineAsync("\"devices\""), Does.Contain("\"devices\": 3, \"healthy\": 3"));
        kubelet.Send("allocate freeflow.io/socket socket-1");
        JsonNode given = JsonNode.Parse(await kubelet.LineAsync("environment"))!;
        Assert.That(given["environment"]!["LD_PRELOAD"]!.GetValue<string>(), Is.EqualTo("/usr/lib/freeflow/libfreeflow.so"));
        Assert.That(given["mounts"]!.ToJsonString(), Is.EqualTo($"[[\"{Sockets}\",\"/run/freeflow\",true],[\"{Library}\",\"/usr/lib/freeflow\",true]]"));
        kubelet.Send("allocate freeflow.io/socket socket-3");
        Assert.That(await kubelet.LineAsync("refused"), Does.Contain("INVALID_ARGUMENT").And.Contain("'socket-3' is no device of freeflow.io/socket."));
        kubelet.Send("prefer freeflow.io/socket socket-2 socket-0 socket-2 socket-1");
        Assert.That(await kubelet.LineAsync("preferred"), Does.Contain("[\"socket-2\", \"socket-0\"]"));
        kubelet.Send("start freeflow.io/socket socket-2");
        await kubelet.LineAsync("started");
    }

    [Test]
    public async Task TheDevicesAreAsHealthyAsTheRouter()
    {
        using LineProcess kubelet = StartKubelet("path");
        await kubelet.LineAsync("serving");
        using LineProcess plugin = StartPlugin("freeflow.io/socket=2");
        await kubelet.LineAsync("\"healthy\": 0");
        using (Socket router = ServeRouter()) await kubelet.LineAsync("\"healthy\": 2");
        // The socket's file is still there; nobody answers.
        await kubelet.LineAsync("\"healthy\": 0", after: kubelet.Lines.Length);
    }

    [Test]
    public async Task ANewKubeletAndSighupMakeItRegisterAgain()
    {
        using LineProcess plugin = StartPlugin("freeflow.io/socket=1");
        for (int start = 0; start < 2; start++)
        {
            // A kubelet that starts empties the folder.
            foreach (string file in Directory.GetFiles(Plugins)) File.Delete(file);
            using LineProcess kubelet = StartKubelet("path");
            await kubelet.LineAsync("\"devices\": 1");
            int before = kubelet.Lines.Length;
            using (Process signal = Process.Start("kill", ["-HUP", $"{plugin.Id}"])) await signal.WaitForExitAsync();
            await kubelet.LineAsync("registered", before);
        }
    }

    [Test]
    public async Task DevicesOfOtherPluginsAreServedAsTheyWere()
    {
        string devices = Path.Combine(_folder, "dev"), port = Path.Combine(_folder, "sys/class/infiniband/mlx5_0/ports/1");
        foreach (string file in (string[])["infiniband/uverbs1", "infiniband/uverbs0", "infiniband/rdma_cm", "infiniband/umad0",
            "knem"]) File.WriteAllText(Path.Combine(devices, file), "");
        Directory.CreateDirectory(port);
        File.WriteAllText(Path.Combine(port, "state"), "4: ACTIVE\n");
        using LineProcess kubelet = StartKubelet("path");
        await kubelet.LineAsync("serving");
        using LineProcess plugin = StartPlugin("jarvice.com/rdma=5", "rdma-sriov/dev-infiniband-mount");
        await kubelet.LineAsync("\"resource\": \"jarvice.com/rdma\", \"devices\": 5, \"healthy\": 5");
        await kubelet.LineAsync("\"resource\": \"rdma-sriov/dev-infiniband-mount\", \"devices\": 10000, \"healthy\": 10000");
        kubelet.Send("allocate jarvice.com/rdma rdma-0");
        string[] expected = ["infiniband/rdma_cm", "infiniband/uverbs0", "infiniband/uverbs1", "knem"];
        JsonNode given = JsonNode.Parse(await kubelet.LineAsync("environment"))!;
        Assert.That(given["devices"]!.ToJsonString(), Is.EqualTo("[" + string.Join(",",
            Array.ConvertAll(expected, file => $"[\"{devices}/{file}\",\"/dev/{file}\",\"rw\"]")) + "]"));
        int before = kubelet.Lines.Length;
        kubelet.Send("allocate rdma-sriov/dev-infiniband-mount rdma-9999");
        given = JsonNode.Parse(await kubelet.LineAsync("environment", before))!;
        Assert.That(given["devices"]!.ToJsonString(), Is.EqualTo($"[[\"{devices}/infiniband\",\"/dev/infiniband\",\"rwm\"]]"));
        File.WriteAllText(Path.Combine(port, "state"), "1: DOWN\n");
        await kubelet.LineAsync("\"devices\": 5, \"healthy\": 0");
    }

    [Test]
    public async Task TheLibraryOfTheImageReplacesTheNodesUnderItsReaders()
    {
        string image = Directory.CreateDirectory(Path.Combine(_folder, "image")).FullName, installed = Path.Combine(Library, "libfreeflow.so");
        File.WriteAllText(Path.Combine(image, "libfreeflow.so"), "new");
        File.WriteAllText(Path.Combine(image, "notes.txt"), "");
        File.WriteAllText(installed, "old");
        using StreamReader reader = new(installed);
        using LineProcess kubelet = StartKubelet("path");
        await kubelet.LineAsync("serving");
        using LineProcess plugin = new(PluginProgram, "--kubelet-folder", Plugins, "--socket-folder", Sockets, "--library-folder", Library,
            "--install-from", image);
        await kubelet.LineAsync("registered");
        Assert.That((File.ReadAllText(installed), await reader.ReadToEndAsync()), Is.EqualTo(("new", "old")));
        Assert.That(Directory.GetFiles(Library), Is.EqualTo((string[])[installed]));
    }

    [TestCase("--resource", "freeflow.io/sockets", "'freeflow.io/sockets' is no resource of this plugin")]
    [TestCase("--resource", "freeflow.io/socket=0", "'0' is no number of devices; 1 to 10000 are.")]
    [TestCase("--resource", "freeflow.io/socket=many", "'many' is no number of devices")]
    [TestCase("--install-from", "/nowhere", "--install-from /nowhere: ")]
    [TestCase("--kubelet-folder", "/nowhere", "--kubelet-folder /nowhere: there is no such folder")]
    public async Task AWrongOptionIsOneLine(string option, string value, string line)
    {
        string[] folder = option == "--kubelet-folder" ? [] : ["--kubelet-folder", Plugins];
        using LineProcess plugin = new(PluginProgram, [.. folder, option, value]);
        Assert.That(await plugin.ExitAsync(), Is.Not.Zero);
        Assert.That(plugin.Lines, Has.Length.EqualTo(1));
        Assert.That(plugin.Lines[0], Does.Contain(line));
    }

    private static string PluginProgram => Path.Combine(TestContext.CurrentContext.TestDirectory, "freeflow-device-plugin");

    private LineProcess StartKubelet(string authority) =>
        new("/usr/bin/python3", Path.Combine(TestContext.CurrentContext.TestDirectory, "programs", "kubelet.py"), Plugins, authority);

    // A suite that nohup(1) runs hands down a SIGHUP that is ignored.
    private LineProcess StartPlugin(params string[] resources) => new("/usr/bin/env",
        ["--default-signal=HUP", PluginProgram, "--kubelet-folder", Plugins, "--socket-folder", Sockets, "--library-folder", Library, "--device-folder",
            Path.Combine(_folder, "dev"),
            "--system-folder", Path.Combine(_folder, "sys"), .. Array.ConvertAll(resources, resource => $"--resource={resource}")]);

    private Socket ServeRouter()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(Sockets, "router.sock")));
        socket.Listen(64);
        return socket;
    }
}
