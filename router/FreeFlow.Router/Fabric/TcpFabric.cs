using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric;

/// <summary>Links over TCP connections of the hosts' own network, between routers that have proved to each other who they are by mutual TLS or, in a laboratory, plain. A link is made when it is wanted first, by either side.</summary>
internal sealed unsafe class TcpFabric : IFabric, IFabricEvents
{
    /// <summary>How long the other side may be silent; it pings several times as often.</summary>
    private const int SilenceMilliseconds = 3000;
    private const int FirstPauseMilliseconds = 100, LongestPauseMilliseconds = 5000;

    /// <summary>How long a host is called for after somebody has asked for it last.</summary>
    private const int WantedMilliseconds = 600_000;

    private const int CertificateLookMilliseconds = 30_000;

    private readonly FabricOptions _options;
    private readonly Handshake _handshake;
    private readonly LinkClaims _claims;
    private readonly Log _log;
    private readonly Lock _lock = new();
    private readonly Dictionary<InternetAddress, FabricLink> _links = [];
    private readonly HashSet<InternetAddress> _calling = [];
    private readonly Dictionary<InternetAddress, (int Port, long Until)> _wanted = [];
    private Socket? _listener;
    private IFabricEvents? _events;
    private readonly Strangers _strangers = new();
    private readonly Timer _looksAtCertificates;
    private volatile bool _disposed;

    public TcpFabric(FabricOptions options, Log log)
    {
        _options = options;
        _log = log;
        _handshake = new Handshake(options);
        _claims = new LinkClaims(options.Host);
        _looksAtCertificates = new Timer(_ => CloseUntrusted(), null, CertificateLookMilliseconds, CertificateLookMilliseconds);
    }

    public void Start(IFabricEvents events)
    {
        _events = events;
        _listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        try
        {
            _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _listener.Bind(new IPEndPoint(_options.Host.ToIPAddress().MapToIPv6(), _options.Port));
            // Connections that come in have it from here.
            if (_options.Congestion is { } name && !CongestionControl.TrySet((int)_listener.Handle, name)) throw new RouterException($"--fabric-congestion {name}: {Errno.LastText}; give one of /proc/sys/net/ipv4/tcp_available_congestion_control.");
            _listener.Listen();
        }
        catch (SocketException exception)
        {
            throw new RouterException($"the fabric cannot listen at {_options.Host} port {_options.Port} ({exception.Message}): is --host this host's address, and the port free?");
        }
        if (!Threads.TryBegin("fabric-listen", Listen)) throw new RouterException($"{Threads.NoneToBeHad} for the fabric.");
    }

    public void ReadCertificates()
    {
        _handshake.ReadCertificates();
        CloseUntrusted();
    }

    public IFabricLink? LinkTo(InternetAddress host, int port)
    {
        lock (_lock)
        {
            if (Find(host) is { } link) return link;
            _wanted[host] = (port, Environment.TickCount64 + WantedMilliseconds);
            // Whoever asks next tries again.
            if (!_disposed && _calling.Add(host) && !Threads.TryBegin("fabric-call", () => Call(host))) _calling.Remove(host);
            return null;
        }
    }

    public IFabricLink? Find(InternetAddress host)
    {
        lock (_lock) return _links.TryGetValue(host, out FabricLink? link) && link.IsUp ? link : null;
    }

    public void Dispose()
    {
        _disposed = true;
        _listener?.Dispose();
        _looksAtCertificates.Dispose();
        lock (_lock)
        {
            foreach (FabricLink link in _links.Values) link.Close("the router stops");
        }
    }

    void IFabricEvents.Up(IFabricLink link)
    {
        lock (_lock)
        {
            // Two routers have one link (LinkClaims): who calls once more has lost the other one, whatever this side thinks of it.
            if (_links.TryGetValue(link.Host, out FabricLink? before)) before.Close("it has called once more");
            _links[link.Host] = (FabricLink)link;
            _wanted.Remove(link.Host);
        }
        _log.FabricReached(link.Host);
        _events!.Up(link);
        // The files may have been read again while it said Hello.
        CloseIfUntrusted((FabricLink)link);
    }

    void IFabricEvents.Down(IFabricLink link, string reason)
    {
        lock (_lock)
        {
            if (_links.TryGetValue(link.Host, out FabricLink? current) && current == link) _links.Remove(link.Host);
        }
        _claims.End(link.Host, ((FabricLink)link).IsCalled);
        _log.FabricLost(link.Host, reason);
        _events!.Down(link, reason);
    }

    void IFabricEvents.Received(IFabricLink link, FrameType type, ulong position, byte[] message) => _events!.Received(link, type, position, message);

    private void Listen()
    {
        while (!_disposed)
        {
            try
            {
                Admit(_listener!.Accept());
            }
            catch (Exception) when (!_disposed) { Thread.Sleep(FirstPauseMilliseconds); } // out of descriptors, for example: callers wait meanwhile
            catch (Exception) { return; }
        }
    }

    private void Admit(Socket socket)
    {
        InternetAddress from = default;
        try { from = Handshake.AddressOf(socket); }
        catch (SocketException) { } // it is gone already
        if (from == default || !_strangers.TryEnter(from)) { socket.Dispose(); return; }
        if (Threads.TryBegin("fabric-hello", () =>
        {
            try
            {
                if (!Shake(socket, null, out string problem) && problem.Length > 0) _log.CallerTurnedAway(from, problem);
            }
            catch (Exception exception)
            {
                socket.Dispose();
                // It is gone already, or something else is short: no caller ends this router.
                if (exception is not SocketException) _log.CallerTurnedAway(from, $"{exception.GetType().Name}: {exception.Message}");
            }
            finally { _strangers.Leave(from); }
        })) return;
        _strangers.Leave(from);
        socket.Dispose();
        Thread.Sleep(FirstPauseMilliseconds);
    }

    /// <summary>A link lasts as long as its certificate would be taken.</summary>
    private void CloseUntrusted()
    {
        FabricLink[] links;
        lock (_lock) links = [.. _links.Values];
        foreach (FabricLink link in links)
        {
            try { CloseIfUntrusted(link); }
            // Short memory or descriptors: the next look comes soon.
            catch (CryptographicException exception) { _log.CertificateUnread(link.Host, exception.Message); }
        }
    }

    private void CloseIfUntrusted(FabricLink link)
    {
        if (link.Certificate is { } certificate && !_handshake.IsTrusted(certificate)) link.Close("its certificate has expired, or is of no authority that is trusted now");
    }

    /// <summary>Calls a host until it answers or nobody wants it any more. One line when it begins to fail, not one a try.</summary>
    private void Call(InternetAddress host)
    {
        string? told = null;
        for (int pause = FirstPauseMilliseconds; !_disposed; pause = Math.Min(pause * 2, LongestPauseMilliseconds))
        {
            (int Port, long Until) wanted;
            lock (_lock)
            {
                if (!_wanted.TryGetValue(host, out wanted) || Environment.TickCount64 > wanted.Until)
                {
                    _wanted.Remove(host);
                    _calling.Remove(host);
                    return;
                }
            }
            if (TryCall(host, wanted.Port, out string problem))
            {
                lock (_lock) _calling.Remove(host);
                return;
            }
            Thread.Sleep(pause);
            // Its own call may have been the one that stands.
            if (problem.Length > 0 && problem != told && Find(host) is null) _log.FabricUnreachable(host, wanted.Port, told = problem);
        }
    }

    private bool TryCall(InternetAddress host, int port, out string problem)
    {
        Socket? socket = null;
        try
        {
            // Called from the address that this router says it has, so that the other one finds it there.
            socket = Caller.TryConnect(_options.Host.ToIPAddress(), new IPEndPoint(host.ToIPAddress(), port), SilenceMilliseconds, out problem);
            return socket is not null && Shake(socket, host, out problem);
        }
        catch (Exception exception)
        {
            // The next attempt comes soon.
            socket?.Dispose();
            problem = exception.Message;
            return false;
        }
    }

    private bool Shake(Socket socket, InternetAddress? called, out string problem)
    {
        socket.ReceiveTimeout = socket.SendTimeout = SilenceMilliseconds;
        int silence = SilenceMilliseconds;
        Libc.setsockopt((int)socket.Handle, Libc.IPPROTO_TCP, Libc.TCP_USER_TIMEOUT, &silence, sizeof(int));
        IByteChannel? channel = _handshake.TryShake(socket, called, _claims, out InternetAddress host, out problem);
        if (channel is null) return false;
        if (_options.Congestion is not { } name) CongestionControl.Fit((int)socket.Handle);
        else if (called is not null) CongestionControl.TrySet((int)socket.Handle, name);
        new FabricLink(host, channel, this) { IsCalled = called is not null }.Start();
        return true;
    }
}
