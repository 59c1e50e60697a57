using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using FreeFlow.ExportGenerator;

// Usage: FreeFlow.ExportGenerator SHIM-FOLDER OUTPUT-FOLDER
if (args.Length != 2)
{
    Console.Error.WriteLine("usage: FreeFlow.ExportGenerator SHIM-FOLDER OUTPUT-FOLDER");
    return 2;
}
try
{
    List<InterposedCall> calls = Directory.EnumerateFiles(Path.Combine(args[0], "Exports"), "*.cs").Order(StringComparer.Ordinal)
        .SelectMany(file => InterposedCall.Parse(Path.GetFileName(file), File.ReadAllText(file))).ToList();
    string libc = File.ReadAllText(Path.Combine(args[0], "Native", "LibC.cs"));
    List<string> names = Regex.Matches(libc, @"^\s*public delegate\* .*> (\w+);", RegexOptions.Multiline).Select(match => match.Groups[1].Value).ToList();
    List<InterposedCall> verbs = Directory.EnumerateFiles(Path.Combine(args[0], "Verbs", "Exports"), "*.cs").Order(StringComparer.Ordinal)
        .SelectMany(file => InterposedCall.Parse(Path.GetFileName(file), File.ReadAllText(file))).ToList();
    Directory.CreateDirectory(args[1]);
    WriteIfChanged(Path.Combine(args[1], "verbs_calls.c"), VerbsWriter.Write(verbs));
    WriteIfChanged(Path.Combine(args[1], "VerbsExports.g.cs"), VerbsWriter.WriteTable(verbs));
    WriteIfChanged(Path.Combine(args[1], "trampolines.c"), TrampolineWriter.Write(calls, names));
    WriteIfChanged(Path.Combine(args[1], "early_calls.h"), TrampolineWriter.WriteEarly(calls, names));
    WriteIfChanged(Path.Combine(args[1], "Exports.g.cs"), Table(calls));
    return 0;
}
catch (GeneratorException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

static string Table(IReadOnlyList<InterposedCall> calls)
{
    StringBuilder c = new();
    c.AppendLine("// Written by FreeFlow.ExportGenerator from the [Interpose] marks; do not edit.");
    c.AppendLine("using FreeFlow.Shim.Native;");
    c.AppendLine("namespace FreeFlow.Shim.Exports;");
    c.AppendLine("internal static unsafe class ExportTable");
    c.AppendLine("{");
    c.AppendLine("    /// <summary>Raw addresses: the self test, then the interposed methods in the order of the trampolines.</summary>");
    c.AppendLine("    public static void Fill(nint* table)");
    c.AppendLine("    {");
    c.AppendLine("        table[0] = (nint)(delegate*<nint, nint>)&CoreEntry.SelfTest;");
    for (int i = 0; i < calls.Count; i++) c.AppendLine($"        table[{i + 1}] = (nint)({calls[i].DelegateType})&{calls[i].Method};");
    c.AppendLine("    }");
    c.AppendLine("}");
    return c.ToString();
}

// Unchanged output keeps its time, so that nothing is compiled again for it.
static void WriteIfChanged(string path, string text)
{
    if (!File.Exists(path) || File.ReadAllText(path) != text) File.WriteAllText(path, text);
}
