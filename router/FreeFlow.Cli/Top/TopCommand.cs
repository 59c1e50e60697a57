using System;
using System.Diagnostics;
using System.Threading;
using Spectre.Console;

namespace FreeFlow.Cli.Top;

/// <summary><c>freeflow top</c>: what programs move now, again and again, in a terminal.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan s_keyPause = TimeSpan.FromMilliseconds(50);

    public static int Execute(TopOptions options)
    {
        if (Console.IsOutputRedirected || Console.IsInputRedirected) throw new CommandException("top: it needs a terminal; freeflow status --watch writes into files and pipes.", 2);
        TopModel model = new();
        model.Take(RouterClient.AskStatus(options.Router), Seconds());
        AnsiConsole.AlternateScreen(() => Show(options, model));
        return 0;
    }

    private static void Show(TopOptions options, TopModel model)
    {
        TopView view = new();
        string? problem = null;
        double next = 0;
        AnsiConsole.Live(view.Render(model, problem, AnsiConsole.Profile.Width, AnsiConsole.Profile.Height)).Overflow(VerticalOverflow.Crop).Start(context =>
        {
            while (true)
            {
                bool changed = false;
                while (Console.KeyAvailable)
                {
                    if (!view.Press(Console.ReadKey(intercept: true))) return;
                    changed = true;
                }
                if (!view.IsPaused && Seconds() >= next)
                {
                    // A router that is started again is found again.
                    try
                    {
                        model.Take(RouterClient.AskStatus(options.Router), Seconds());
                        problem = null;
                    }
                    catch (CommandException exception) { problem = exception.Message; }
                    next = Seconds() + options.Interval.TotalSeconds;
                    changed = true;
                }
                if (changed) context.UpdateTarget(view.Render(model, problem, AnsiConsole.Profile.Width, AnsiConsole.Profile.Height));
                Thread.Sleep(s_keyPause);
            }
        });
    }

    private static double Seconds() => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
}
