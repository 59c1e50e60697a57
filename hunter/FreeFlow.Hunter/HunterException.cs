using System;

namespace FreeFlow.Hunter;

/// <summary>Ends the hunter; the message is the one line that the operator reads.</summary>
internal sealed class HunterException(string message) : Exception(message);
