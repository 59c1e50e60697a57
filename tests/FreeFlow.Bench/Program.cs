using System;
using System.CommandLine;
using System.Threading;
using FreeFlow.Bench;
using FreeFlow.Bench.Instructions;
using FreeFlow.Bench.Measuring;
using FreeFlow.Bench.Sizes;
using FreeFlow.Lab;

Argument<string?> name = new("case")
{
    Description = "A case, or the beginning of some cases' names; without it, all. 'list' names them.",
    Arity = ArgumentArity.ZeroOrOne,
};
Command demo = new("demo", "redis in two containers, plain and under freeflow: one table, and artifacts/demo.json.");
demo.SetAction(_ => Guarded(Demo.Run));
Command bench = new("bench", "Every measurement against its target: one table, and artifacts/bench.json.") { name };
bench.SetAction(parsed => Guarded(() => BenchRunner.Run(parsed.GetValue(name))));
Command size = new("size", "10,000 connections, 200 processes: memory, descriptors and CPU beside the kernel's own, and artifacts/size.json.");
size.SetAction(_ => Guarded(SizeReport.Run));
Option<bool> record = new("--record") { Description = "Keep the counts as the record to compare with." };
Command count = new("count", "Instructions of single calls, beside those on record.") { record };
count.SetAction(parsed => Guarded(() => InstructionReport.Run(parsed.GetValue(record))));
RootCommand root = new("Measures unmodified programs plain and under FreeFlow, in two containers on this machine.") { demo, bench, size, count };
return root.Parse(args).Invoke();

static int Guarded(Func<int> action)
{
    try
    {
        return action();
    }
    catch (Exception exception)
    {
        // Whoever interrupted wants no report of what the interruption broke; its handler ends the program when all is taken down.
        if (ContainerPair.Interrupted) Thread.Sleep(Timeout.Infinite);
        Progress.Clear();
        Console.Error.WriteLine($"freeflow-bench: {(exception is LabException ? exception.Message : exception)}");
        return 1;
    }
}
