using System;

namespace FreeFlow.Shim.Exports;

/// <summary>
/// Marks the method that stands in for a libc function. FreeFlow.ExportGenerator reads it and writes the C trampoline of that name, which tests
/// <see cref="Guard"/> and either leaves for libc or calls this method by its raw address.
/// </summary>
/// <remarks>
/// A marked method runs on threads that the runtime does not know, inside signal handlers and in forked children: it and all it calls must not
/// allocate, throw, lock, box, run a static constructor or call libc other than through <see cref="Native.LibC"/>.
/// </remarks>
/// <param name="declaration">The C declaration, without the semicolon.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class InterposeAttribute(string declaration) : Attribute
{
    public string Declaration { get; } = declaration;

    /// <summary>C expression over the parameters; false means that the call is libc's alone. Until the core is open, native/early.c has the call.</summary>
    public string Guard { get; init; } = "FF_FLAGS(fd) & FF_CONNECTION";

    /// <summary>Other names of the same function, separated by blanks.</summary>
    public string Aliases { get; init; } = "";

    /// <summary>
    /// The fortified twin: its name and parameters in its own order, <c>limit</c> standing for the buffer's size, then the expression that must not exceed it.
    /// </summary>
    public string Checked { get; init; } = "";

    /// <summary>
    /// Where the system call differs from the libc call: its name in asm/unistd.h, and the C function of native/raw.c that takes its six arguments. Otherwise
    /// the call of the same name, if there is one, has the same arguments in the same order.
    /// </summary>
    public string Number { get; init; } = "";
}
