using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>As much of a Kubernetes API as a hunter sees: lists in pages, watches with bookmarks, 410 for what is too old, connections that break.</summary>
internal sealed class FakeKubernetes : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, JsonObject> _pods = [];
    private readonly List<(long Version, string Type, JsonObject Pod)> _history = [];
    private readonly List<HttpListenerContext> _watches = [];
    private long _version = 100, _oldest;
    private int _fail;

    public FakeKubernetes(string token)
    {
        Token = token;
        Url = $"http://127.0.0.1:{LoopbackPort.Next()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public string Url { get; }

    public string Token { get; set; }

    public int PageSize { get; set; } = int.MaxValue;

    /// <summary>Paths and queries asked for, in order.</summary>
    public List<string> Requests { get; } = [];

    public string KubeConfig => $$"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: elsewhere
          context: {cluster: none, user: none}
        - name: here
          context: {cluster: "test", user: 'hunter'}
        clusters:
        - cluster:
            server: {{Url}}
          name: test
        users:
        - name: hunter
          user:
            token: {{Token}}
        """;

    public void Set(string name, string node, string? ip, string phase = "Running", string more = "", string space = "default", string? labels = null)
    {
        string text = $$$"""
            {"metadata":{"name":"{{{name}}}","namespace":"{{{space}}}","uid":"uid-{{{space}}}-{{{name}}}"{{{(labels is null ? "" : $",\"labels\":{labels}")}}}},
             "spec":{"nodeName":"{{{node}}}"{{{more}}}},
             "status":{"phase":"{{{phase}}}","hostIP":"192.168.0.{{{node[^1]}}}"{{{(ip is null ? "" : $",\"podIP\":\"{ip.Split(',')[0]}\",\"podIPs\":[{string.Join(',', ip.Split(',').Select(one => $"{{\"ip\":\"{one}\"}}"))}]")}}}}}
            """;
        Change(_pods.ContainsKey(space + name) ? "MODIFIED" : "ADDED", space + name, JsonNode.Parse(text)!.AsObject());
    }

    public void Delete(string name, string space = "default") => Change("DELETED", space + name, _pods[space + name]);

    /// <summary>Ends every watch, with a reset or in order.</summary>
    public void Disconnect(bool hard)
    {
        lock (_lock)
        {
            foreach (HttpListenerContext watch in _watches)
            {
                try { if (hard) watch.Response.Abort(); else watch.Response.Close(); }
                catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException) { /* It has ended. */ }
            }
            _watches.Clear();
        }
    }

    /// <summary>Forgets the history, as etcd's compaction makes it: who asks for it gets 410.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _history.Clear();
            _oldest = ++_version;
        }
    }

    /// <summary>A watch that is open is told that it is too old.</summary>
    public void Expire()
    {
        lock (_lock)
        {
            _oldest = ++_version;
            _history.Clear();
            foreach (HttpListenerContext watch in _watches) Write(watch, """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}""");
        }
        Disconnect(hard: false);
    }

    /// <summary>The next calls are answered with 500.</summary>
    public void Fail(int calls) => Volatile.Write(ref _fail, calls);

    public void Bookmark()
    {
        lock (_lock)
        {
            _version++;
            foreach (HttpListenerContext watch in _watches) Write(watch, $$$$"""{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"{{{{_version}}}}"}}}""");
        }
    }

    public int Watches { get { lock (_lock) return _watches.Count; } }

    public int Lists { get { lock (_lock) return Requests.Count(request => !request.Contains("watch=1", StringComparison.Ordinal)); } }

    public void Dispose()
    {
        Disconnect(hard: true);
        _listener.Close();
    }

    private void Change(string type, string key, JsonObject pod)
    {
        lock (_lock)
        {
            JsonObject copy = pod.DeepClone().AsObject();
            copy["metadata"]!["resourceVersion"] = (++_version).ToString();
            if (type == "DELETED") _pods.Remove(key); else _pods[key] = copy;
            _history.Add((_version, type, copy));
            foreach (HttpListenerContext watch in _watches.ToArray()) if (Matches(watch, copy)) Write(watch, Line(type, copy));
        }
    }

    private void Serve()
    {
        try
        {
            while (true) Answer(_listener.GetContext());
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException) { /* The end. */ }
    }

    private void Answer(HttpListenerContext context)
    {
        lock (_lock)
        {
            Requests.Add(context.Request.RawUrl!);
            if (context.Request.Headers["Authorization"] != $"Bearer {Token}") { Refuse(context, 401, "Unauthorized"); return; }
            if (_fail > 0) { _fail--; Refuse(context, 500, "the store is away"); return; }
            if (context.Request.QueryString["watch"] == "1") Watch(context); else List(context);
        }
    }

    private void List(HttpListenerContext context)
    {
        JsonObject[] pods = [.. _pods.Values.Where(pod => Matches(context, pod))];
        int from = int.Parse(context.Request.QueryString["continue"] ?? "0"), to = Math.Min(pods.Length, from + PageSize);
        string metadata = $$"""{"resourceVersion":"{{_version}}"{{(to < pods.Length ? $",\"continue\":\"{to}\"" : "")}}}""";
        byte[] body = Encoding.UTF8.GetBytes($$"""{"kind":"PodList","metadata":{{metadata}},"items":[{{string.Join(',', pods[from..to].Select(pod => pod.ToJsonString()))}}]}""");
        context.Response.Close(body, willBlock: true);
    }

    private void Watch(HttpListenerContext context)
    {
        long since = long.Parse(context.Request.QueryString["resourceVersion"]!);
        if (since < _oldest) { Refuse(context, 410, "too old resource version"); return; }
        context.Response.SendChunked = true;
        context.Response.OutputStream.Flush();
        foreach ((long version, string type, JsonObject pod) in _history) if (version > since && Matches(context, pod)) Write(context, Line(type, pod));
        _watches.Add(context);
    }

    private static bool Matches(HttpListenerContext context, JsonObject pod)
    {
        string? selector = context.Request.QueryString["fieldSelector"];
        string path = context.Request.Url!.AbsolutePath;
        return (selector is null || selector == $"spec.nodeName={pod["spec"]!["nodeName"]}")
            && (!path.Contains("/namespaces/", StringComparison.Ordinal) || path.Contains($"/namespaces/{pod["metadata"]!["namespace"]}/", StringComparison.Ordinal));
    }

    private static string Line(string type, JsonObject pod) => $$"""{"type":"{{type}}","object":{{pod.ToJsonString()}}}""";

    private static void Write(HttpListenerContext watch, string line)
    {
        try
        {
            watch.Response.OutputStream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            watch.Response.OutputStream.Flush();
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or IOException) { /* The other side has gone. */ }
    }

    private static void Refuse(HttpListenerContext context, int code, string message)
    {
        context.Response.StatusCode = code;
        context.Response.Close(Encoding.UTF8.GetBytes($$"""{"kind":"Status","code":{{code}},"message":"{{message}}"}"""), willBlock: true);
    }
}
