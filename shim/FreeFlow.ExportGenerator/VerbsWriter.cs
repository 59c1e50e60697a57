using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace FreeFlow.ExportGenerator;

/// <summary>
/// Writes verbs_calls.c: the calls of libibverbs by their names, without a version, as a preloaded definition is taken for every version asked for. A call goes to the core if its
/// guard says that the object is one of ours, and to the real library otherwise. Apart from libc's trampolines: a program that calls none of these pays nothing for them.
/// </summary>
internal static class VerbsWriter
{
    /// <summary>verbs_calls.c.</summary>
    public static string Write(IReadOnlyList<InterposedCall> calls)
    {
        StringBuilder c = new();
        c.AppendLine("/* Written by FreeFlow.ExportGenerator from the [Verbs] marks of FreeFlow.Shim; do not edit. */");
        c.AppendLine("#include \"freeflow.h\"");
        c.AppendLine("#include \"verbs.h\"");
        c.AppendLine("enum { NOT_THERE = 38 }; /* ENOSYS */");
        c.AppendLine($"void *ff_verbs_table[{calls.Count}];");
        c.AppendLine($"const char *const ff_verbs_names[] = {{ {string.Join(", ", calls.Select(call => $"\"{call.Symbol}\""))}, 0 }};");
        for (int i = 0; i < calls.Count; i++) Call(c, calls[i], i);
        return c.ToString();
    }

    /// <summary>VerbsExports.g.cs: the managed addresses in the same order.</summary>
    public static string WriteTable(IReadOnlyList<InterposedCall> calls)
    {
        StringBuilder c = new();
        c.AppendLine("// Written by FreeFlow.ExportGenerator from the [Verbs] marks; do not edit.");
        c.AppendLine("using FreeFlow.Shim.Verbs.Abi;");
        c.AppendLine("namespace FreeFlow.Shim.Verbs.Exports;");
        c.AppendLine("internal static unsafe class VerbsTable");
        c.AppendLine("{");
        c.AppendLine("    /// <summary>Raw addresses, in the order of the trampolines.</summary>");
        c.AppendLine("    public static void Fill(nint* table)");
        c.AppendLine("    {");
        for (int i = 0; i < calls.Count; i++) c.AppendLine($"        table[{i}] = (nint)({calls[i].DelegateType})&{calls[i].Method};");
        c.AppendLine("    }");
        c.AppendLine("}");
        return c.ToString();
    }

    private static void Call(StringBuilder c, InterposedCall call, int index)
    {
        string declared = call.Parameters.Count == 0 ? "void" : string.Join(", ", call.Parameters.Select(p => $"{p.Type} {p.Name}"));
        string passed = string.Join(", ", call.Parameters.Select(p => p.Name));
        bool isVoid = call.ReturnType == "void";
        string failure = isVoid ? "return;" : call.ReturnType.EndsWith('*') ? "return 0;" : "return NOT_THERE;";
        c.AppendLine($"typedef {call.ReturnType} (*{call.Symbol}_t)({declared});");
        c.AppendLine($"FF_EXPORT {call.ReturnType} {call.Symbol}({declared}) {{");
        c.AppendLine($"  static {call.Symbol}_t real;");
        c.AppendLine($"  if ({call.Guard}) {(isVoid ? "{ " : "return ")}(({call.Symbol}_t)ff_verbs_table[{index}])({passed});{(isVoid ? " return; }" : "")}");
        c.AppendLine($"  if (!real && !(real = ({call.Symbol}_t)ff_verbs_real(\"{call.Symbol}\"))) {failure}");
        c.AppendLine($"  {(isVoid ? "" : "return ")}real({passed});");
        c.AppendLine("}");
    }
}
