using System.Collections.Generic;
using FreeFlow.Contract;

namespace FreeFlow.Router.Pairing;

/// <summary>What follows from showing one end.</summary>
internal sealed class PairingOutcome
{
    /// <summary>The proven other end, no longer waiting; null if there is none (the shown end then waits, unless it was refused).</summary>
    public ConnectionEnd? Partner { get; set; }

    /// <summary>Ends that stay in the kernel; they no longer wait.</summary>
    public List<(ConnectionEnd End, Reason Reason)> Refused { get; } = [];

    /// <summary>Ends that no longer wait and need no answer: shown anew, or their record is gone.</summary>
    public List<ConnectionEnd> Forgotten { get; } = [];
}
