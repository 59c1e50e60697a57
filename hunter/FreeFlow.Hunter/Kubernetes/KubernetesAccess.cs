using System;
using System.IO;
using System.Security.Cryptography;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>How to reach the API: server, and proof of who is who. The three PEM fields are texts.</summary>
internal sealed record KubernetesAccess
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    public required Uri Server { get; init; }
    public string? Authorities { get; init; }
    public string? Certificate { get; init; }
    public string? Key { get; init; }
    public string? Token { get; init; }

    /// <summary>A token that is renewed in its file: read for each call.</summary>
    public string? TokenFile { get; init; }

    /// <summary>From the file, or as a pod finds it (kubernetes.io, "Accessing the Kubernetes API from a Pod"). Throws <see cref="HunterException"/>.</summary>
    public static KubernetesAccess Find(string? kubeConfig) => kubeConfig is null
        ? InCluster(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"), Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"), ServiceAccount)
        : KubeConfig.Read(kubeConfig);

    /// <inheritdoc cref="Find"/>
    public static KubernetesAccess InCluster(string? host, string? port, string folder)
    {
        if (string.IsNullOrEmpty(host)) throw new HunterException("Kubernetes: this is no pod (KUBERNETES_SERVICE_HOST is not set) and --kubeconfig is not given.");
        try
        {
            return new()
            {
                Server = new($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{(string.IsNullOrEmpty(port) ? "443" : port)}/"),
                Authorities = File.ReadAllText(Path.Combine(folder, "ca.crt")),
                TokenFile = Path.Combine(folder, "token"),
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or UriFormatException)
        {
            throw new HunterException($"Kubernetes: the pod's service account: {exception.Message}");
        }
    }
}
