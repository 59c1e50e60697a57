using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using FreeFlow.Differential.Programs;
using FreeFlow.Lab;

namespace FreeFlow.Differential.Running;

/// <summary>A stage that performs program after program on one road. A stage that a program has broken is replaced by a new one.</summary>
public sealed class Lane(Road road) : IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    /// <summary>Has a connection between the hosts joined: routers call each other only when they are asked to.</summary>
    private static readonly SocketProgram s_wish = new(0,
    [
        "* pair 0 a0 0 b0 0 0 0 0 1",
        .. Enumerable.Range(0, 10).SelectMany(_ => new[] { "a0 send 0 10 0", "b0 recv 0 10 0", "b0 send 0 10 0", "a0 recv 0 10 0", "* nap 20" }),
    ]);
    private const int MostWishes = 20;

    private Process? _stage;
    private bool _isLost = road.Loses;

    /// <summary>What the stages wrote to standard error.</summary>
    public string Complaints { get; private set; } = "";

    /// <summary>Performs one program; where ways are lost, with a way to begin with.</summary>
    public Outcome Perform(SocketProgram program)
    {
        for (int wishes = 0; _isLost && wishes < MostWishes && Run(s_wish).RingBytes == 0; wishes++) { }
        _isLost = false;
        return Run(program);
    }

    private Outcome Run(SocketProgram program)
    {
        _stage ??= Start();
        List<string> lines = [];
        try
        {
            _stage.StandardInput.Write(program.Text);
            _stage.StandardInput.Flush();
            while (true)
            {
                Task<string?> next = _stage.StandardOutput.ReadLineAsync();
                if (!next.Wait(s_longest) || next.Result is not { } line) break;
                lines.Add(line);
                if (line.StartsWith("lose ", StringComparison.Ordinal) && road.Loses)
                {
                    road.Hosts?.Lose(line[^1] - '0');
                    _isLost = true;
                }
                if (line.StartsWith("over", StringComparison.Ordinal) || line.StartsWith("broken", StringComparison.Ordinal)) break;
            }
        }
        catch (IOException)
        {
            // The stage has ended: the outcome says so.
        }
        Outcome outcome = Outcome.Parse(lines, program.Steps.Count);
        if (outcome.Broken) End();
        return outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => End();

    private Process Start()
    {
        string stage = Path.Combine(AppContext.BaseDirectory, "stage");
        ProcessStartInfo start = new(stage, ["direct", road.PreloadA, road.PreloadB]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (road.Hosts is { } hosts) (start.Environment["STAGE_A"], start.Environment["STAGE_B"]) = (hosts.Of(0), hosts.Of(1));
        foreach ((string name, string value) in road.Environment) start.Environment[name] = value;
        Process process = Process.Start(start) ?? throw new LabException($"{stage} did not start.");
        process.ErrorDataReceived += (_, e) => { if (!string.IsNullOrEmpty(e.Data)) lock (this) Complaints += e.Data + "\n"; };
        process.BeginErrorReadLine();
        return process;
    }

    private void End()
    {
        if (_stage is null) return;
        if (!_stage.HasExited) _stage.Kill(entireProcessTree: true);
        _stage.WaitForExit();
        _stage.Dispose();
        _stage = null;
    }
}
