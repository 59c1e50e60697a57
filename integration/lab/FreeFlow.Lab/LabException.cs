using System;

namespace FreeFlow.Lab;

/// <summary>Something the lab needs is missing or did not happen in time. The message names it and, where there is one, the mend.</summary>
public sealed class LabException(string message) : Exception(message);
