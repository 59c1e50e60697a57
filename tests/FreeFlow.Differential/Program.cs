using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using FreeFlow.Differential.Programs;
using FreeFlow.Differential.Running;

Option<int> seed = new("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
Option<int> count = new("--count") { Description = "How many programs.", DefaultValueFactory = _ => 1000 };
Option<int> times = new("--times") { Description = "How often each is performed.", DefaultValueFactory = _ => 1 };
Option<double> minutes = new("--minutes") { Description = "Stop after so long.", DefaultValueFactory = _ => 0 };
Option<string> road = new("--road") { Description = "ring, soon, default, one-end, come-and-go, two-hosts, two-hosts-soon, two-hosts-lost, or plain (the kernel against itself).", DefaultValueFactory = _ => "ring" };
Option<int> enough = new("--enough") { Description = "Stop after so many failures.", DefaultValueFactory = _ => 3 };
Option<int> workers = new("--workers") { Description = "How many at once.", DefaultValueFactory = _ => Math.Max(2, Environment.ProcessorCount) };
Option<string?> file = new("--program") { Description = "Perform the steps in this file instead, and show both roads' answers." };
Option<bool> whole = new("--whole") { Description = "Do not shorten programs that fail." };
Option<bool> print = new("--print") { Description = "Print the program of the seed; perform nothing." };
RootCommand root = new("Performs random programs of socket calls over kernel TCP and over FreeFlow and compares every answer.") { seed, count, times, minutes, road, enough, workers, file, whole, print };
root.SetAction(parsed =>
{
    string name = parsed.GetValue(road)!;
    if (parsed.GetValue(print)) { Console.Write((name == "two-hosts-lost" ? Losses.PutInto(Generator.Make(parsed.GetValue(seed))) : Generator.Make(parsed.GetValue(seed))).Text); return 0; }
    using Router router = new();
    using TwoHosts? hosts = name.StartsWith("two-hosts", StringComparison.Ordinal) ? new() : null;
    Road chosen = hosts is null ? Road.Named(name, router.Socket) : Road.Between(name, hosts);
    if (chosen.Name == "come-and-go") router.ComeAndGo();
    if (parsed.GetValue(file) is { } path) return Show(path, chosen);
    double limit = parsed.GetValue(minutes);
    Campaign campaign = new()
    {
        Seed = parsed.GetValue(seed),
        Count = limit > 0 && parsed.GetResult(count) is not { Implicit: false } ? int.MaxValue - parsed.GetValue(seed) : parsed.GetValue(count),
        Times = parsed.GetValue(times),
        End = limit > 0 ? DateTime.UtcNow.AddMinutes(limit) : DateTime.MaxValue,
        Enough = parsed.GetValue(enough),
        Workers = parsed.GetValue(workers),
        Shrink = !parsed.GetValue(whole),
        Failed = Console.WriteLine,
    };
    IReadOnlyList<Failure> failures = campaign.Run(chosen);
    Console.WriteLine($"road {chosen.Name}, {campaign}");
    return failures.Count == 0 ? 0 : 1;
});
return root.Parse(args).Invoke();

static int Show(string path, Road road)
{
    SocketProgram program = new(0, [.. File.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line != "end" && line[0] != '#').Select(line => char.IsDigit(line[0]) ? line[(line.IndexOf(' ') + 1)..].Trim() : line)]);
    using Worker worker = new(road);
    Difference? difference = worker.Compare(program, out Outcome kernel, out Outcome other);
    for (int i = 0; i < program.Steps.Count; i++)
    {
        Console.WriteLine($"{i,3}  {program.Steps[i],-40} {Say(kernel.Answers[i], i),-50} {Say(other.Answers[i], i)}");
    }
    Console.WriteLine($"{other.Bytes:N0} bytes read, {other.RingBytes:N0} of them through rings");
    Console.WriteLine(difference is null ? "the same" : $"they part at step {difference.Step}");
    return difference is null ? 0 : 1;
}

static string Say(Answer? answer, int step) => answer is null ? "–" : answer.WokenAt == step || answer.WokenAt < 0 ? answer.ToString() : $"{answer} @{answer.WokenAt}";
