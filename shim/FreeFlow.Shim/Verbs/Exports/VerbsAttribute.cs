using System;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>
/// Marks the method that stands in for a call of libibverbs. FreeFlow.ExportGenerator writes the C function of that name, which calls this method by its raw address if
/// <see cref="Guard"/> holds, and the real library otherwise. The rules are those of <see cref="Shim.Exports.InterposeAttribute"/>.
/// </summary>
/// <param name="declaration">The C declaration, pointers as void*, without the semicolon.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class VerbsAttribute(string declaration) : Attribute
{
    public string Declaration { get; } = declaration;

    /// <summary>C expression over the parameters (native/verbs.h): whether the object is one of ours.</summary>
    public required string Guard { get; init; }
}
