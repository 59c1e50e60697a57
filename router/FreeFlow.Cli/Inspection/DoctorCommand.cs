using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Cli.Inspection;

/// <summary><c>freeflow doctor</c>: looks at what acceleration needs, and says what is wrong, why that matters, and what mends it.</summary>
internal static class DoctorCommand
{
    /// <summary>0: nothing is wrong; 1: something is.</summary>
    public static int Execute(DoctorOptions options)
    {
        List<Finding> findings = [];
        if (options.Command.Length > 0) findings.AddRange(ProgramChecks.Of(options.Command[0]));
        else
        {
            findings.AddRange(MachineChecks.All());
            findings.AddRange(RouterChecks.Of(options.Router));
        }
        Console.Out.Write(Render(findings));
        return findings.Any(finding => finding.Severity >= Severity.Warning) ? 1 : 0;
    }

    internal static string Render(IReadOnlyCollection<Finding> findings)
    {
        StringBuilder text = new();
        foreach (Finding finding in findings)
        {
            text.Append($"{Mark(finding.Severity),-8}{finding.Name}: {finding.What}\n");
            if (finding.Why.Length > 0) text.Append($"        why:  {finding.Why}\n");
            if (finding.Mend.Length > 0) text.Append($"        mend: {finding.Mend}\n");
        }
        int problems = findings.Count(finding => finding.Severity == Severity.Problem), warnings = findings.Count(finding => finding.Severity == Severity.Warning);
        text.Append(problems + warnings == 0 ? "nothing is wrong\n" : $"{problems} problems, {warnings} warnings\n");
        return PrintableText.OfLines(text.ToString());
    }

    private static string Mark(Severity severity) => severity switch
    {
        Severity.Good => "ok",
        Severity.Note => "note",
        Severity.Warning => "WARNING",
        _ => "PROBLEM",
    };
}
