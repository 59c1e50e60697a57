using System;

namespace FreeFlow.Router;

/// <summary>Ends the router; the message is the one line that the operator reads.</summary>
internal sealed class RouterException(string message) : Exception(message);
