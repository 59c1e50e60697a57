using System;
using System.Collections.Generic;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>The running kernel, asked through socket options, namespace ioctls (ioctl_ns(2)) and sock_diag(7), and connection tracking.</summary>
internal sealed class KernelWitness : IKernelWitness, IDisposable
{
    private const int AttemptsToComeBack = 1000;

    private readonly Dictionary<ulong, KnownNamespace> _namespaces = [];
    private readonly int _ownNetwork;
    private readonly FileStatus _ownUsers;
    private readonly SequenceProbe? _probe;

    /// <summary>Notes the calling thread's namespaces; it must be the thread that asks later.</summary>
    public KernelWitness()
    {
        _ownNetwork = Libc.open("/proc/self/ns/net", Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (_ownNetwork < 0 || Libc.stat("/proc/self/ns/user", out _ownUsers) != 0) throw new RouterException($"/proc/self/ns cannot be read ({Errno.LastText}): mount /proc.");
        int probe = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        bool named = SocketOptions.TryGet(probe, Libc.SO_NETNS_COOKIE, out ulong cookie);
        Libc.close(probe);
        OwnNamespaceCookie = named ? cookie : 0;
        SocketDiagnosis? diagnosis = SocketDiagnosis.Open();
        HasDiagnosis = diagnosis is not null && diagnosis.KnowsTcp();
        _probe = SequenceProbe.Open();
        ProbeProblem = _probe is null ? Errno.LastText : null;
        _namespaces[OwnNamespaceCookie] = new KnownNamespace(OwnerOf(_ownNetwork) ?? NamespaceOwner.Unknown, HasDiagnosis ? diagnosis : null, ConnectionTracking.Open()) { Sessions = 1 };
    }

    /// <summary>SO_NETNS_COOKIE of the router's own namespace; 0 if the kernel (before 5.14) has none.</summary>
    public ulong OwnNamespaceCookie { get; }

    /// <summary>False if the kernel lacks tcp_diag: no pair can be proven then.</summary>
    public bool HasDiagnosis { get; }

    /// <summary>Why no sequence numbers can be read, so that connections between network namespaces cannot be proven; null if they can.</summary>
    public string? ProbeProblem { get; }

    public ShownSocket Read(int socket) => ShownSocket.Read(socket, OwnNamespaceCookie);

    public Reason Examine(ShownSocket shown, out SocketFacts? facts)
    {
        facts = null;
        if (shown.Problem != Reason.None) return shown.Problem;
        if (Know(shown) is not { } known) return Reason.RouterLimit;
        facts = new SocketFacts
        {
            Addresses = shown.Addresses, Cookie = shown.Cookie, Inode = shown.Inode, NamespaceCookie = shown.NamespaceCookie, Owner = known.Owner,
            Domain = shown.Domain, BoundInterface = shown.BoundInterface,
            Sequence = known.Owner == NamespaceOwner.Host && !shown.Addresses.IsLocalToNamespace ? LookAtSequence(shown, known) : null,
            SendBuffer = shown.SendBuffer, ReceiveBuffer = shown.ReceiveBuffer,
            Translation = TryTranslate(known, shown.Addresses, out FourTuple real) && real != shown.Addresses ? real : null,
        };
        return real.Local == shown.Addresses.Local ? Reason.None : Reason.Translated;
    }

    /// <summary>
    /// Follows a connection from its own namespace to this one, the host's, where service addresses are translated. False, with an address that is not the end's own, if
    /// the other end does not see that.
    /// </summary>
    private bool TryTranslate(KnownNamespace known, FourTuple addresses, out FourTuple real)
    {
        real = addresses;
        KnownNamespace own = _namespaces[OwnNamespaceCookie];
        bool told = (known == own || known.Tracking is null || known.Tracking.TryTranslate(ref real)) && (own.Tracking is null || own.Tracking.TryTranslate(ref real));
        if (!told) real = default;
        return told;
    }

    private InitialSequence? LookAtSequence(ShownSocket shown, KnownNamespace known)
    {
        if (_probe is null) return null;
        if (known == _namespaces[OwnNamespaceCookie]) return _probe.Look(shown.Addresses, shown.BoundInterface);
        if (shown.Network < 0 || Libc.setns(shown.Network, Libc.CLONE_NEWNET) != 0) return null;
        InitialSequence? sequence = _probe.Look(shown.Addresses, shown.BoundInterface);
        ComeBack();
        return sequence;
    }

    public Liveness Ask(SocketFacts facts) =>
        _namespaces.TryGetValue(facts.NamespaceCookie, out KnownNamespace? known) && known.Diagnosis is not null ? known.Diagnosis.Ask(facts) : Liveness.Unavailable;

    public void Retain(ulong namespaceCookie)
    {
        if (_namespaces.TryGetValue(namespaceCookie, out KnownNamespace? known)) known.Sessions++;
    }

    public void ReleaseUnused(ulong namespaceCookie)
    {
        if (!_namespaces.TryGetValue(namespaceCookie, out KnownNamespace? known) || known.Sessions > 0) return;
        known.Dispose();
        _namespaces.Remove(namespaceCookie);
    }

    public void Release(ulong namespaceCookie)
    {
        if (!_namespaces.TryGetValue(namespaceCookie, out KnownNamespace? known) || --known.Sessions > 0) return;
        known.Dispose();
        _namespaces.Remove(namespaceCookie);
    }

    public void Dispose()
    {
        foreach (KnownNamespace known in _namespaces.Values) known.Dispose();
        _namespaces.Clear();
        _probe?.Dispose();
        Libc.close(_ownNetwork);
    }

    /// <summary>Null while descriptors or memory are too short to look there: another attempt may succeed.</summary>
    private KnownNamespace? Know(ShownSocket shown)
    {
        if (_namespaces.TryGetValue(shown.NamespaceCookie, out KnownNamespace? known)) return known;
        if (shown.Network < 0)
            return IsShort(shown.NetworkProblem) ? null : _namespaces[shown.NamespaceCookie] = new KnownNamespace(NamespaceOwner.Unknown, null, null);
        known = DescriptorReserve.IsTooHigh(shown.Network) ? null : LookInto(shown.Network);
        if (known is not null) _namespaces[shown.NamespaceCookie] = known;
        return known;
    }

    private KnownNamespace? LookInto(int network)
    {
        if (OwnerOf(network) is not { } owner) return null;
        (SocketDiagnosis? diagnosis, ConnectionTracking? tracking, bool isShort) = OpenInside(network);
        KnownNamespace known = new(owner, diagnosis, tracking);
        if (!isShort) return known;
        known.Dispose();
        return null;
    }

    private static bool IsShort(int error) => error is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS;

    /// <summary>Null: descriptors or memory are too short to tell.</summary>
    private NamespaceOwner? OwnerOf(int network)
    {
        int users = Libc.ioctl(network, Libc.NS_GET_USERNS, 0);
        if (users < 0) return IsShort(Errno.Last) ? null : NamespaceOwner.Unknown;
        bool read = Libc.fstat(users, out FileStatus status) == 0;
        Libc.close(users);
        if (!read) return NamespaceOwner.Unknown;
        return status.Device == _ownUsers.Device && status.Inode == _ownUsers.Inode ? NamespaceOwner.Host : NamespaceOwner.Other;
    }

    /// <summary>A socket belongs for good to the namespace its maker was in: this thread steps inside for that one call.</summary>
    private (SocketDiagnosis?, ConnectionTracking?, bool IsShort) OpenInside(int network)
    {
        if (Libc.setns(network, Libc.CLONE_NEWNET) != 0) return (null, null, IsShort(Errno.Last));
        SocketDiagnosis? diagnosis = HasDiagnosis ? SocketDiagnosis.Open() : null;
        bool isShort = HasDiagnosis && diagnosis is null && IsShort(Errno.Last);
        ConnectionTracking? tracking = ConnectionTracking.Open();
        isShort |= tracking is null && IsShort(Errno.Last);
        ComeBack();
        return (diagnosis, tracking, isShort);
    }

    /// <summary>Short memory passes; a thread that stayed in a stranger's namespace would answer for it, so nothing else may be done before this.</summary>
    private void ComeBack()
    {
        for (int attempt = 0; Libc.setns(_ownNetwork, Libc.CLONE_NEWNET) != 0; attempt++)
        {
            if (attempt == AttemptsToComeBack || !IsShort(Errno.Last)) throw new RouterException($"the way back to the router's own network namespace is closed ({Errno.LastText}): restart the router.");
            Thread.Sleep(1);
        }
    }
}
