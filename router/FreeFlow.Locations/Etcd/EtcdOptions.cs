using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Locations.Etcd;

/// <summary>How to reach etcd.</summary>
public sealed record EtcdOptions
{
    /// <summary>Client URLs of the members. Several: the next one is tried when one fails.</summary>
    public IReadOnlyList<Uri> Endpoints { get; init; } = [new("http://127.0.0.1:2379/")];

    /// <summary>PEM file with the authorities that may have signed the servers' certificates; null: the system's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>PEM files with our certificate (and its chain) and its key, for servers that ask for one.</summary>
    public string? CertificateFile { get; init; }

    /// <inheritdoc cref="CertificateFile"/>
    public string? KeyFile { get; init; }

    /// <summary>User and password, for clusters with authentication.</summary>
    public string? User { get; init; }

    /// <inheritdoc cref="User"/>
    public string? Password { get; init; }

    /// <summary>Longest time for one call to one endpoint.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often a quiet watch is checked for life.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest pause between two attempts during an outage.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Reads "a:2379,https://b:2379"; without scheme it is https if there are TLS files, else http.</summary>
    public static IReadOnlyList<Uri> ParseEndpoints(string text, bool tls)
    {
        List<Uri> endpoints = [];
        foreach (string part in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string full = part.Contains("://", StringComparison.Ordinal) ? part : (tls ? "https://" : "http://") + part;
            if (!Uri.TryCreate(full, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/")
            {
                throw new FormatException($"'{part}' is not an etcd endpoint: give http://host:2379 or https://host:2379.");
            }
            endpoints.Add(uri);
        }
        return endpoints.Count > 0 ? endpoints.Distinct().ToArray() : throw new FormatException("the list of etcd endpoints is empty.");
    }
}
