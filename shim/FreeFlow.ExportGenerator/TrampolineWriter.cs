using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace FreeFlow.ExportGenerator;

/// <summary>Writes trampolines.c: for each call its libc name, aliases and fortified twin; and the tables that the glue in native/ fills.</summary>
internal static class TrampolineWriter
{
    /// <summary>
    /// Calls in which a thread that is to be cancelled ends even if they would not sleep (pthreads(7)). Those not named here always reach the kernel, where libc
    /// sees to it.
    /// </summary>
    private static readonly HashSet<string> s_cancellationPoints =
    [
        "read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "send", "sendto", "sendmsg", "sendmmsg", "splice",
        "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    ];

    /// <summary>Calls for which native/early.c has a function of its own. Before all others the core is opened.</summary>
    private static readonly HashSet<string> s_early =
    [
        "socket", "connect", "accept", "accept4", "shutdown", "close", "close_range", "closefrom", "setsockopt", "getsockopt", "fcntl", "ioctl",
        "read", "readv", "write", "writev", "recv", "recvfrom", "recvmsg", "send", "sendto", "sendmsg",
        "poll", "ppoll", "select", "pselect", "epoll_create", "epoll_create1", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    ];

    /// <summary>early_calls.h: what native/early.c defines, and how it reaches libc's and the core's calls of the same name.</summary>
    public static string WriteEarly(IReadOnlyList<InterposedCall> calls, IReadOnlyList<string> libcNames)
    {
        List<string> real = RealNames(calls, libcNames);
        StringBuilder c = new();
        c.AppendLine("/* Written by FreeFlow.ExportGenerator from the [Interpose] marks of FreeFlow.Shim; do not edit. */");
        for (int i = 0; i < calls.Count; i++)
        {
            if (!s_early.Contains(calls[i].Symbol)) continue;
            c.AppendLine($"typedef {calls[i].ReturnType} (*ff_{calls[i].Symbol}_t)({Declared(calls[i])});");
            c.AppendLine($"enum {{ FF_REAL_{calls[i].Symbol} = {real.IndexOf(calls[i].Symbol)}, FF_CORE_{calls[i].Symbol} = {i + 1} }};");
            c.AppendLine($"{calls[i].ReturnType} ff_early_{calls[i].Symbol}({Declared(calls[i])});");
        }
        return c.ToString();
    }

    private static List<string> RealNames(IReadOnlyList<InterposedCall> calls, IReadOnlyList<string> libcNames) =>
        [.. libcNames, .. calls.Select(call => call.Symbol).Where(symbol => !libcNames.Contains(symbol))];

    public static string Write(IReadOnlyList<InterposedCall> calls, IReadOnlyList<string> libcNames)
    {
        List<string> real = RealNames(calls, libcNames);
        StringBuilder c = new();
        c.AppendLine("/* Written by FreeFlow.ExportGenerator from the [Interpose] marks of FreeFlow.Shim; do not edit. */");
        c.AppendLine("#include <asm/unistd.h>");
        c.AppendLine("#include \"freeflow.h\"");
        c.AppendLine("#include \"early.h\"");
        foreach (InterposedCall call in calls) Types(c, call);
        c.AppendLine();
        for (int i = 0; i < real.Count; i++) c.AppendLine($"enum {{ REAL_{real[i]} = {i} }};");
        c.AppendLine($"const int ff_real_count = {real.Count};");
        c.AppendLine($"const char *const ff_real_names[] = {{ {string.Join(", ", real.Select(name => $"\"{name}\""))} }};");
        c.AppendLine($"const int ff_call_count = {calls.Count};");
        c.AppendLine("extern void *ff_core_table[];   /* raw addresses, self test first */");
        c.AppendLine();
        foreach (InterposedCall call in calls) First(c, call);
        c.AppendLine($"void *ff_real[{real.Count}] = {{");
        foreach (InterposedCall call in calls) c.AppendLine($"  [REAL_{call.Symbol}] = first_{call.Symbol},");
        c.AppendLine("};");
        c.AppendLine();
        for (int i = 0; i < calls.Count; i++) Early(c, calls[i], i + 1);
        c.AppendLine($"void *ff_core_table[{calls.Count + 1}] = {{ 0, {string.Join(", ", calls.Select(call => "ff_early_" + call.Symbol))} }};");
        c.AppendLine();
        for (int i = 0; i < calls.Count; i++) Unmanaged(c, calls[i], i + 1);
        c.AppendLine($"void *const ff_unmanaged_table[{calls.Count + 1}] = {{ 0, {string.Join(", ", calls.Select(call => "unmanaged_" + call.Symbol))} }};");
        c.AppendLine();
        for (int i = 0; i < calls.Count; i++) Trampoline(c, calls[i], i + 1);
        ByNumber(c, calls);
        return c.ToString();
    }

    private static string Declared(InterposedCall call) => call.Parameters.Count == 0 ? "void" : string.Join(", ", call.Parameters.Select(p => $"{p.Type} {p.Name}"));

    private static string Passed(InterposedCall call) => string.Join(", ", call.Parameters.Select(p => p.Name));

    private static string Return(InterposedCall call) => call.ReturnType == "void" ? "" : "return ";

    private static void Types(StringBuilder c, InterposedCall call) =>
        c.AppendLine($"typedef {call.ReturnType} (*{call.Symbol}_t)({Declared(call)});");

    /// <summary>What ff_real holds until the first call: looks the real function up, so that a program that never calls it never pays.</summary>
    private static void First(StringBuilder c, InterposedCall call) =>
        c.AppendLine($"static {call.ReturnType} first_{call.Symbol}({Declared(call)}) {{ {Return(call)}(({call.Symbol}_t)ff_resolve(REAL_{call.Symbol}))({Passed(call)}); }}");

    /// <summary>What stands in the core's table before the core is open, where native/early.c has nothing of its own: the core is opened for the call.</summary>
    private static void Early(StringBuilder c, InterposedCall call, int index)
    {
        if (s_early.Contains(call.Symbol)) return;
        c.AppendLine($"static {call.ReturnType} ff_early_{call.Symbol}({Declared(call)}) {{");
        c.AppendLine($"  {Return(call)}(({call.Symbol}_t)(ff_early_open_or_forget() ? ff_core_table[{index}] : ff_real[REAL_{call.Symbol}]))({Passed(call)});");
        c.AppendLine("}");
    }

    private static void Unmanaged(StringBuilder c, InterposedCall call, int index)
    {
        IEnumerable<string> arguments = call.Parameters.Select(p => $"(intptr_t){p.Name}").Concat(Enumerable.Repeat("0", 6 - call.Parameters.Count));
        string cast = call.ReturnType == "void" ? "" : $"return ({call.ReturnType})";
        c.AppendLine($"static {call.ReturnType} unmanaged_{call.Symbol}({Declared(call)}) {{ {cast}ff_core_call((intptr_t)ff_raw_table[{index}], {string.Join(", ", arguments)}); }}");
    }

    private static void Trampoline(StringBuilder c, InterposedCall call, int index)
    {
        string declared = call.IsVariadic ? string.Join(", ", call.Parameters.SkipLast(1).Select(p => $"{p.Type} {p.Name}")) + ", ..." : Declared(call);
        string guard = $"!({call.Guard})";
        c.AppendLine($"FF_EXPORT {call.ReturnType} {call.Symbol}({declared}) {{");
        if (call.IsVariadic)
        {
            string last = call.Parameters[^2].Name;
            c.AppendLine($"  __builtin_va_list list; __builtin_va_start(list, {last}); void *argument = __builtin_va_arg(list, void *); __builtin_va_end(list);");
        }
        string leave = $"(({call.Symbol}_t)ff_real[REAL_{call.Symbol}])({Passed(call)});";
        string enter = $"(({call.Symbol}_t)ff_core_table[{index}])({Passed(call)});";
        c.AppendLine(call.ReturnType == "void"
            ? $"  if (FF_LIKELY({guard})) {leave} else {enter}"
            : $"  if (FF_LIKELY({guard})) return {leave}\n{(s_cancellationPoints.Contains(call.Symbol) ? "  if (ff_cancellation) pthread_testcancel();\n" : "")}  return {enter}");
        c.AppendLine("}");
        foreach (string alias in call.Aliases)
            c.AppendLine($"FF_EXPORT {call.ReturnType} {alias}({declared}) __attribute__((alias(\"{call.Symbol}\")));");
        if (call.Checked.Length > 0) Fortified(c, call);
    }

    /// <summary>syscall(2) for the calls above. One that the guard does not want is made as it was asked for.</summary>
    private static void ByNumber(StringBuilder c, IReadOnlyList<InterposedCall> calls)
    {
        c.AppendLine("long ff_interposed_by_number(long number, long a, long b, long c, long d, long e, long f) {");
        c.AppendLine("  switch (number) {");
        foreach (InterposedCall call in calls.Where(call => !call.Symbol.StartsWith("ff_", StringComparison.Ordinal)))
        {
            string[] own = call.Number.Split(' ');
            string name = call.Number.Length > 0 ? own[0] : call.Symbol;
            c.AppendLine($"#ifdef __NR_{name}");
            c.AppendLine($"    case __NR_{name}: {{");
            for (int i = 0; i < call.Parameters.Count; i++)
                c.AppendLine($"      __attribute__((unused)) {call.Parameters[i].Type} {call.Parameters[i].Name} = ({call.Parameters[i].Type}){(char)('a' + i)};");
            string enter = call.Number.Length > 0 ? $"{own[1]}({string.Join(", ", Enumerable.Range(0, 6).Select(i => (char)('a' + i)))})"
                : call.ReturnType == "void" ? $"({call.Symbol}({Passed(call)}), 0)" : $"(long){call.Symbol}({Passed(call)})";
            c.AppendLine($"      if ({call.Guard}) return {enter};");
            c.AppendLine("      break;");
            c.AppendLine("    }");
            c.AppendLine("#endif");
        }
        c.AppendLine("  }");
        c.AppendLine("  return ff_real_syscall(number, a, b, c, d, e, f);");
        c.AppendLine("}");
    }

    private static void Fortified(StringBuilder c, InterposedCall call)
    {
        int end = call.Checked.IndexOf(')');
        string[] order = call.Checked[(call.Checked.IndexOf('(') + 1)..end].Split(", ");
        string name = call.Checked[..call.Checked.IndexOf('(')], needed = call.Checked[(end + 1)..].Trim();
        string parameters = string.Join(", ", order.Select(o => o == "limit" ? "size_t limit" : $"{call.Parameters.Single(p => p.Name == o).Type} {o}"));
        c.AppendLine($"FF_EXPORT {call.ReturnType} {name}({parameters}) {{ if ({needed} > limit) __chk_fail(); return {call.Symbol}({Passed(call)}); }}");
    }
}
