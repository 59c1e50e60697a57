namespace FreeFlow.Router.Fabric.Streams;

/// <summary>Why a router brings a ring's bytes into the kernel in place of their writer.</summary>
internal enum StandInCause
{
    /// <summary>The reader has asked for them, and may ask no more; or the writer has left the ring, and the kernel did not take them all.</summary>
    Asked,

    /// <summary>The way to the other host is lost.</summary>
    Lost,

    /// <summary>One of the two programs does not hear of what happens in the ring (<see cref="FreeFlow.Contract.RecallState.Unheard"/>).</summary>
    Unheard,
}
