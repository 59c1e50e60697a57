using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using FreeFlow.Native;

namespace FreeFlow.Cli.Lab;

/// <summary><c>freeflow lab</c>: several hosts on this machine.</summary>
internal static class LabCommand
{
    public static int Execute(LabOptions options)
    {
        Artifacts.InstalledFolder = AppContext.BaseDirectory;
        try
        {
            return Do(options);
        }
        catch (LabException exception)
        {
            throw new CommandException($"lab {options.Action}: {exception.Message}");
        }
    }

    private static int Do(LabOptions options)
    {
        string[] words = options.Words;
        switch (options.Action)
        {
            case "up":
                Show(Laboratory.Up(LabFile.Read(words[0]), options.Folder));
                return 0;
            case "down":
                Console.WriteLine(Laboratory.Down(options.Folder) ? "the laboratory is down" : "no laboratory is up");
                return 0;
        }
        Laboratory lab = Laboratory.Open(options.Folder);
        switch (options.Action)
        {
            case "status": Show(lab); break;
            case "exec": Enter(lab.Find(words[0]), words[1..], options.Plain || !words[0].Contains('/', StringComparison.Ordinal)); break;
            case "cut": lab[words[0]].Cut(); break;
            case "mend": lab[words[0]].Mend(); break;
            case "slow": lab[words[0]].Slow(LinkDescription.Parse(words[1])); break;
            case "kill" when words is ["etcd"]: lab.Etcd.Signal("etcd", 9); break;
            case "start" when words is ["etcd"]: lab.StartEtcd(); break;
            case "kill" when words is [var host]: lab[host].Kill(); break;
            case "start" when words is [var host]: lab[host].Start(); break;
            case "kill": lab[words[0]].Kill(words[1]); break;
            case "start": lab[words[0]].Start(words[1]); break;
        }
        return 0;
    }

    private static void Show(Laboratory lab)
    {
        Table table = new("PLACE", "ADDRESS", "STATE", "LINK", ">ROUTER PID", ">HUNTER PID", "LOGS");
        if (lab.Description.Etcd) table.Add("etcd", lab.Etcd.Address4, lab.Etcd.DaemonPid("etcd") != 0 ? "running" : "ended", "-", "-", "-", lab.Etcd.Folder);
        foreach (LabHost host in lab.Hosts)
        {
            bool running = host.IsRunning;
            table.Add(host.Name, host.Address4, running ? "running" : "ended", running ? host.LinkState() : "-", Pid(host, "router"), Pid(host, "hunter"), host.Folder);
            foreach (LabPlace container in host.Containers) table.Add(container.Name, container.Address4, container.IsRunning ? "running" : "ended", "-", "-", "-", "-");
        }
        Console.Write(table.ToString());

        static string Pid(LabHost host, string daemon) => host.DaemonPid(daemon) is var pid and > 0 ? $"{pid}" : "-";
    }

    /// <summary>Becomes the command; returns only if that cannot be.</summary>
    private static unsafe void Enter(LabPlace place, string[] command, bool plain)
    {
        string[] words = place.CommandFor(new CommandLine(command[0], command[1..]) { Accelerated = !plain, WorkingFolder = Directory.GetCurrentDirectory() }).ToArray();
        InheritedState.Restore();
        byte** arguments = (byte**)NativeMemory.AllocZeroed((nuint)(words.Length + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < words.Length; i++) arguments[i] = (byte*)Marshal.StringToCoTaskMemUTF8(words[i]);
        Libc.execvp(arguments[0], arguments);
        throw new CommandException($"lab exec: {words[0]} cannot be executed ({Errno.LastText}).", 127);
    }
}
