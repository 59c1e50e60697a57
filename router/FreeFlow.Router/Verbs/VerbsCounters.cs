namespace FreeFlow.Router.Verbs;

/// <summary>What one direction says that it has sent.</summary>
/// <param name="Messages">Messages between queue pairs.</param>
/// <param name="MessageBytes">Their payload.</param>
/// <param name="RemoteOperations">Reads, writes and atomic operations on the peer's memory.</param>
/// <param name="RemoteBytes">Their bytes.</param>
internal readonly record struct VerbsCounters(ulong Messages, ulong MessageBytes, ulong RemoteOperations, ulong RemoteBytes)
{
    /// <summary>Both together; what would be too large is as large as it can be.</summary>
    public VerbsCounters And(VerbsCounters other) => new(
        Sum(Messages, other.Messages), Sum(MessageBytes, other.MessageBytes), Sum(RemoteOperations, other.RemoteOperations), Sum(RemoteBytes, other.RemoteBytes));

    private static ulong Sum(ulong first, ulong second) => first > ulong.MaxValue - second ? ulong.MaxValue : first + second;
}
