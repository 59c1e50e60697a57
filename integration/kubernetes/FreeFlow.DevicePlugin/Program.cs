using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.DevicePlugin.Kubelet;
using FreeFlow.DevicePlugin.Resources;

namespace FreeFlow.DevicePlugin;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        Option<string[]> resources = new("--resource")
        {
            Description = $"a resource to serve, NAME or NAME=COUNT, as often as there are some: {ResourceText.Names}",
            DefaultValueFactory = _ => ["freeflow.io/socket"],
            HelpName = "NAME[=COUNT]",
        };
        Option<string> kubelet = Folder("--kubelet-folder", "the kubelet's folder of plugins", "/var/lib/kubelet/device-plugins");
        Option<string> sockets = Folder("--socket-folder", "the host's folder of the router's socket", "/run/freeflow");
        Option<string> library = Folder("--library-folder", "the host's folder of libfreeflow.so", "/usr/lib/freeflow");
        Option<string?> source = new("--install-from")
        {
            Description = "a folder whose libraries are copied to --library-folder first",
            HelpName = "PATH",
        };
        Option<string> devices = Folder("--device-folder", "the host's folder of devices", "/dev");
        Option<string> system = Folder("--system-folder", "the host's sysfs", "/sys");
        RootCommand command = new("Registers FreeFlow's resources with the kubelet, for pods whose images know nothing of it.")
        {
            resources, kubelet, sockets, library, source, devices, system,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            NodeFolders folders = new(parsed.GetValue(sockets)!, parsed.GetValue(library)!, parsed.GetValue(devices)!,
                parsed.GetValue(system)!);
            string folder = parsed.GetValue(kubelet)!;
            try
            {
                if (!Directory.Exists(folder)) throw new FormatException($"--kubelet-folder {folder}: there is no such folder; is a kubelet on this node?");
                if (parsed.GetValue(source) is { } from) LibraryInstaller.Install(from, folders.Library);
                PluginDaemon daemon = new(folder, [.. parsed.GetValue(resources)!.Select(text => ResourceText.Parse(text, folders))], Say);
                using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
                {
                    context.Cancel = true;
                    daemon.RegisterAgain();
                });
                await daemon.RunAsync(cancellation);
                return 0;
            }
            catch (FormatException exception)
            {
                Say(exception.Message);
                return 2;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Say($"--install-from {parsed.GetValue(source)}: {exception.Message}");
                return 1;
            }
        });
        return await command.Parse(arguments).InvokeAsync();
    }

    private static Option<string> Folder(string name, string description, string standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard, HelpName = "PATH" };

    private static void Say(string line) => Console.Error.WriteLine($"freeflow-device-plugin: {line}");
}
