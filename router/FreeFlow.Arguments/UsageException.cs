using System;

namespace FreeFlow.Arguments;

/// <summary>A mistake in a command line; the message is the one line that names it, and how to mend it.</summary>
public sealed class UsageException(string message) : Exception(message);
