using Microsoft.Extensions.Logging;

namespace FreeFlow.Router.Logging;

/// <summary>
/// What the router says of itself. Information: its state has changed; Warning: it, or a program, has less than it should; Error: a fault of its
/// own; Debug: a line for every session, pair and refusal.
/// </summary>
internal static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Information, "{Text}")]
    public static partial void Told(this ILogger log, string text);

    [LoggerMessage(2, LogLevel.Information, "{Version} listens on {Path}")]
    public static partial void Listens(this ILogger log, string version, string path);

    [LoggerMessage(3, LogLevel.Information, "stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(4, LogLevel.Warning, "the kernel lacks tcp_diag or SO_NETNS_COOKIE: every connection stays in the kernel")]
    public static partial void HasNoWitness(this ILogger log);

    [LoggerMessage(5, LogLevel.Warning, "not run by root: only connections inside the router's own network namespace can be proven")]
    public static partial void IsNotRoot(this ILogger log);

    [LoggerMessage(
        6, LogLevel.Warning,
        "bpf(2) is not to be had ({Problem}): connections between network namespaces stay in the kernel; give the router CAP_BPF and that call")]
    public static partial void HasNoProbe(this ILogger log, string problem);

    [LoggerMessage(7, LogLevel.Warning, "--nice {Wanted} may not be had ({Why}): {Now} as before")]
    public static partial void PriorityRefused(this ILogger log, int? wanted, string why, int now);

    [LoggerMessage(
        8, LogLevel.Warning,
        "who keeps a ring's memory cannot be seen (open_by_handle_at(2), CAP_DAC_READ_SEARCH): rings that were closed are charged for a second")]
    public static partial void CannotSeeMemory(this ILogger log);

    [LoggerMessage(9, LogLevel.Error, "fault in thread {Name}: {Kind}: {Message}")]
    public static partial void ThreadFaulted(this ILogger log, string name, string kind, string message);

    [LoggerMessage(10, LogLevel.Error, "fault while dealing with {Where}: {Kind}: {Message}{Frame}")]
    public static partial void Faulted(this ILogger log, string where, string kind, string message, string frame);

    [LoggerMessage(11, LogLevel.Warning, "the event loop was held for {Milliseconds} ms by {What}")]
    public static partial void LoopHeld(this ILogger log, long milliseconds, string what);

    [LoggerMessage(12, LogLevel.Information, "options are read again")]
    public static partial void OptionsRead(this ILogger log);

    [LoggerMessage(13, LogLevel.Warning, "options are read again; some of the changes need a restart")]
    public static partial void OptionsNeedRestart(this ILogger log);

    [LoggerMessage(14, LogLevel.Warning, "the options stay as they are: {Problem}")]
    public static partial void OptionsStay(this ILogger log, string problem);

    [LoggerMessage(15, LogLevel.Warning, "certificates stay as they are: {Problem}")]
    public static partial void CertificatesStay(this ILogger log, string problem);

    [LoggerMessage(16, LogLevel.Information, "policy {Path}: {Rules} rules, {Rates} rates")]
    public static partial void PolicyRead(this ILogger log, string? path, int rules, int rates);

    [LoggerMessage(17, LogLevel.Warning, "policy {Path}: {Problem}; the last one goes on holding")]
    public static partial void PolicyStays(this ILogger log, string path, string problem);

    [LoggerMessage(
        18, LogLevel.Warning,
        "policy {Path}: who has an address is not known without --locations: what depends on a namespace or a label stays in the kernel")]
    public static partial void PolicyLacksIdentities(this ILogger log, string? path);

    [LoggerMessage(
        19, LogLevel.Warning,
        "this host's address is not known, other routers will not find this one: give --host, or HOST_IP in the environment")]
    public static partial void HostUnknown(this ILogger log);

    [LoggerMessage(20, LogLevel.Debug, "{Session} said hello")]
    public static partial void SessionBegan(this ILogger log, object session);

    [LoggerMessage(21, LogLevel.Debug, "{Session} ended")]
    public static partial void SessionEnded(this ILogger log, object session);

    [LoggerMessage(22, LogLevel.Information, "{Session} closed: {Failure}")]
    public static partial void SessionClosed(this ILogger log, object session, string? failure);

    [LoggerMessage(23, LogLevel.Warning, "{Session} turned away: user {User} has {Sessions} sessions{More}")]
    public static partial void SessionTurnedAway(this ILogger log, object session, uint user, ulong sessions, string more);

    [LoggerMessage(24, LogLevel.Debug, "joined {First} of {Owner} with {Second}")]
    public static partial void Joined(this ILogger log, object first, object owner, object second);

    [LoggerMessage(25, LogLevel.Debug, "joined {End} with its other end at {Host}")]
    public static partial void JoinedFar(this ILogger log, object end, object host);

    [LoggerMessage(26, LogLevel.Debug, "refused {End} of {Session}: {Reason}")]
    public static partial void Refused(this ILogger log, object end, object session, string reason);

    [LoggerMessage(27, LogLevel.Debug, "refused connection {Connection} of {Session}: {Reason}")]
    public static partial void ConnectionRefused(this ILogger log, uint connection, object session, string reason);

    [LoggerMessage(28, LogLevel.Debug, "rule {Rule} goes by labels that are not known: {End} waits")]
    public static partial void WaitsForLabels(this ILogger log, object? rule, object end);

    [LoggerMessage(29, LogLevel.Warning, "no memory or descriptors for a ring ({Why}): {End} stays in the kernel")]
    public static partial void HasNoRing(this ILogger log, string why, object end);

    [LoggerMessage(30, LogLevel.Warning, "no descriptors or threads for streams inside this host: {End} stays in the kernel")]
    public static partial void HasNoRelay(this ILogger log, object end);

    [LoggerMessage(
        31, LogLevel.Information,
        "{Session} waits for its connections by system calls that its shim does not see: they stay in the kernel")]
    public static partial void WaitsUnseen(this ILogger log, object session);

    [LoggerMessage(32, LogLevel.Debug, "queue pair {Number} of {Session} is connected with {Peer} of {Other}")]
    public static partial void QueuePairConnected(this ILogger log, uint number, object session, uint peer, object other);

    [LoggerMessage(33, LogLevel.Debug, "queue pair {Number} of {Session} sends to {Peer} of {Other}")]
    public static partial void QueuePairSends(this ILogger log, uint number, object session, uint peer, object other);

    [LoggerMessage(34, LogLevel.Debug, "{Session} asks for a connection with {Peer}: {Why}")]
    public static partial void ConnectionUnanswered(this ILogger log, object session, object peer, string why);

    [LoggerMessage(35, LogLevel.Debug, "{Session} is connected with {Other}: {Own}, {Peer}")]
    public static partial void IdentifiersConnected(this ILogger log, object session, object other, object own, object peer);

    [LoggerMessage(
        40, LogLevel.Warning,
        "no certificates for the fabric: connections between hosts stay on the overlay (--fabric-cert, or {Insecure} in a laboratory)")]
    public static partial void FabricLacksCertificates(this ILogger log, string insecure);

    [LoggerMessage(41, LogLevel.Warning, "this host's address is not known: connections between hosts stay on the overlay (--host)")]
    public static partial void FabricLacksHost(this ILogger log);

    [LoggerMessage(42, LogLevel.Information, "fabric: other routers reach this one at {Host} port {Port}{How}")]
    public static partial void FabricListens(this ILogger log, object host, int port, string how);

    [LoggerMessage(43, LogLevel.Information, "fabric: {Host} can be reached")]
    public static partial void FabricReached(this ILogger log, object host);

    [LoggerMessage(44, LogLevel.Warning, "fabric: {Host} is lost ({Reason}): its streams go on through the kernel")]
    public static partial void FabricLost(this ILogger log, object host, string reason);

    [LoggerMessage(45, LogLevel.Warning, "fabric: a caller from {From} was turned away: {Problem}")]
    public static partial void CallerTurnedAway(this ILogger log, object? from, string problem);

    [LoggerMessage(46, LogLevel.Warning, "fabric: the certificate of {Host} cannot be looked at: {Problem}")]
    public static partial void CertificateUnread(this ILogger log, object host, string problem);

    [LoggerMessage(47, LogLevel.Warning, "fabric: {Host} port {Port} cannot be reached: {Problem}")]
    public static partial void FabricUnreachable(this ILogger log, object host, int port, string problem);

    [LoggerMessage(48, LogLevel.Warning, "fabric: {Host} sent a malformed {Type}")]
    public static partial void FabricMalformed(this ILogger log, object host, object type);

    [LoggerMessage(49, LogLevel.Warning, "fabric: {Host} offers {Addresses}, but {Address} does not live there")]
    public static partial void FabricMisplaced(this ILogger log, object host, object addresses, object address);

    [LoggerMessage(50, LogLevel.Warning, "--state {Folder}: {Path} {Why}")]
    public static partial void JournalRefused(this ILogger log, string folder, string path, string why);

    [LoggerMessage(51, LogLevel.Information, "the router before this one has left bytes of programs in {Count} {Rings}: they go by the kernel")]
    public static partial void TakesUpRings(this ILogger log, int count, string rings);

    [LoggerMessage(52, LogLevel.Warning, "{Why} to look for what the router before this one has left: the next start will")]
    public static partial void CannotTakeUp(this ILogger log, string why);
}
