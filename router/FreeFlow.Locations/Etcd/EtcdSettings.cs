using System;
using System.IO;

namespace FreeFlow.Locations.Etcd;

/// <summary>Makes <see cref="EtcdOptions"/> out of a daemon's options and environment, the same for all daemons.</summary>
public static class EtcdSettings
{
    /// <summary>Throws <see cref="FormatException"/> with one line, or what reading the password's file throws.</summary>
    /// <param name="endpoints">URLs with commas; null: $ETCD_ENDPOINTS, else this machine.</param>
    /// <param name="value">Value of the option "cacert", "cert", "key", "user" or "password-file"; null if it was not given.</param>
    /// <param name="environment">A variable.</param>
    /// <param name="prefix">How the daemon's options begin, for messages: "--" or "--etcd-".</param>
    public static EtcdOptions Read(string? endpoints, Func<string, string?> value, Func<string, string?> environment, string prefix)
    {
        string? user = value("user"), password = value("password-file") is { } file ? File.ReadAllText(file).Trim() : null;
        if (user is null && environment("ETCDCTL_USER") is { Length: > 0 } both)
        {
            int colon = both.IndexOf(':', StringComparison.Ordinal);
            user = colon < 0 ? both : both[..colon];
            password ??= colon < 0 ? null : both[(colon + 1)..];
        }
        string? authority = value("cacert"), certificate = value("cert"), key = value("key");
        if (key is not null && certificate is null) throw new FormatException($"{prefix}key needs {prefix}cert with it.");
        EtcdOptions etcd = new() { AuthorityFile = authority, CertificateFile = certificate, KeyFile = key, User = user, Password = password };
        endpoints ??= environment("ETCD_ENDPOINTS") is { Length: > 0 } given ? given : null;
        return endpoints is null ? etcd : etcd with { Endpoints = EtcdOptions.ParseEndpoints(endpoints, authority is not null || certificate is not null) };
    }
}
