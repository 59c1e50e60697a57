namespace FreeFlow.Router.Sessions;

/// <summary>What the policy has said about a connection, for its status.</summary>
/// <param name="Rule">Name of the rule that decided; null if none did.</param>
/// <param name="IsOpen">That rule goes by labels which are not known yet.</param>
internal readonly record struct Decision(string? Rule, bool IsOpen);
