using System;
using System.CommandLine;
using System.Threading;
using FreeFlow.Lab;
using FreeFlow.Suites.Running;

Argument<string?> name = new("suite")
{
    Description = "A suite, or suite/part with the beginning of some parts' names; without it, all. 'list' names them.",
    Arity = ArgumentArity.ZeroOrOne,
};
RootCommand root = new("Runs test suites that others wrote for kernel sockets, plain and under FreeFlow: the same tests must pass.") { name };
root.SetAction(parsed => Guarded(() => SuiteRunner.Run(parsed.GetValue(name))));
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
        Exception cause = exception is AggregateException { InnerException: { } inner } ? inner : exception;
        Console.Error.WriteLine($"freeflow-suites: {(cause is LabException ? cause.Message : cause)}");
        return 1;
    }
}
