using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using FreeFlow.Yaml;
using YamlDotNet.Core;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>Reads a kubeconfig: the current context's cluster and user (kubernetes.io/docs/reference/config-api/kubeconfig.v1).</summary>
internal static class KubeConfig
{
    /// <summary>Throws <see cref="HunterException"/> with the one thing that is wrong.</summary>
    public static KubernetesAccess Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or YamlException or FormatException)
        {
            throw new HunterException($"{path}: {exception.Message}");
        }
    }

    private static KubernetesAccess Parse(string text, string folder)
    {
        YamlNode root = YamlNode.Parse(text);
        string context = root["current-context"]?.Text is { Length: > 0 } current ? current : throw new FormatException("it has no current-context");
        YamlNode chosen = Named(root, "contexts", context, "context");
        YamlNode cluster = Named(root, "clusters", chosen["cluster"]?.Text, "cluster");
        YamlNode user = Named(root, "users", chosen["user"]?.Text, "user");
        if (user["exec"] is not null || user["auth-provider"] is not null)
        {
            throw new FormatException("its user gets credentials from a program (exec, auth-provider), which freeflow-hunter does not run: use a service account's token or a client certificate");
        }
        if (cluster["insecure-skip-tls-verify"]?.Text == "true") throw new FormatException("insecure-skip-tls-verify is not supported: give certificate-authority");
        if (!Uri.TryCreate(cluster["server"]?.Text?.TrimEnd('/') + "/", UriKind.Absolute, out Uri? server)) throw new FormatException("its cluster has no server that is a URL");
        return new()
        {
            Server = server,
            Authorities = DataOrFile(cluster, "certificate-authority", folder),
            Certificate = DataOrFile(user, "client-certificate", folder),
            Key = DataOrFile(user, "client-key", folder),
            Token = user["token"]?.Text,
            TokenFile = user["token"] is null && user["tokenFile"]?.Text is { } file ? Path.Combine(folder, file) : null,
        };
    }

    private static YamlNode Named(YamlNode root, string list, string? name, string what) =>
        root[list]?.Items.FirstOrDefault(item => item["name"]?.Text == name)?[what] ?? throw new FormatException($"there is no {what} '{name}' in it");

    private static string? DataOrFile(YamlNode node, string name, string folder) =>
        node[name + "-data"]?.Text is { Length: > 0 } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data))
        : node[name]?.Text is { Length: > 0 } file ? File.ReadAllText(Path.Combine(folder, file)) : null;
}
