using System;

namespace FreeFlow.ExportGenerator;

/// <summary>The sources cannot be turned into trampolines; the message names the place and the mend.</summary>
internal sealed class GeneratorException(string message) : Exception(message);
