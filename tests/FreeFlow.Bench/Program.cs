using System;
using System.CommandLine;
using System.Threading;
using FreeFlow.Bench;
using FreeFlow.Bench.Measuring;
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
RootCommand root = new("Measures unmodified programs plain and under FreeFlow, in two containers on this machine.") { demo, bench };
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
