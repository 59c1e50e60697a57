using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>A family as a status shows it, and the event loop saw it.</summary>
/// <param name="Family">Held for the status, which releases it.</param>
/// <param name="Visible">Those of its sessions that the asker may see.</param>
/// <param name="All">All of them, the first first.</param>
/// <param name="HasDecisions">The policy, or the pairing, has something to say about some of its connections.</param>
internal sealed record ShownFamily(Family Family, Session[] Visible, Session[] All, bool HasDecisions);
