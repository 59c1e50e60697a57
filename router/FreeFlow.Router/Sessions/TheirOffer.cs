using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>An end that another router has offered.</summary>
/// <param name="Link">By which it came.</param>
/// <param name="Number">Its number there.</param>
/// <param name="MarksSent">Return marks that it has sent, as it said then.</param>
/// <param name="Sequence">Where its directions began, by its own kernel.</param>
/// <param name="Place">The size of the ring that it has a place for, 0 if none.</param>
internal sealed record TheirOffer(IFabricLink Link, uint Number, uint MarksSent, InitialSequence Sequence, ulong Place);
