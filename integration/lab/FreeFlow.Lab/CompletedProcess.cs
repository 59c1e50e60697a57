using System;

namespace FreeFlow.Lab;

/// <summary>What a finished program left.</summary>
/// <param name="ExitCode">Exit code; 128 + n when ended by signal n.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Elapsed">Wall time, the starting of the namespaces' shell included.</param>
/// <param name="CpuSeconds">User and system time of the program and the children it waited for; 0 when not known.</param>
public sealed record CompletedProcess(int ExitCode, string Output, string Error, TimeSpan Elapsed, double CpuSeconds)
{
    /// <summary>Returns this, or throws with the output when the exit code is not 0.</summary>
    public CompletedProcess Succeeded(string what) =>
        ExitCode == 0 ? this : throw new LabException($"{what} ended with {ExitCode}: {(Error + Output).Trim()}");
}
