using System;
using System.IO;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>What this router shows to others, and whom it believes: one reading of its files. Immutable.</summary>
internal sealed class RouterCertificates
{
    /// <summary>Several while one takes another's place.</summary>
    private readonly X509Certificate2Collection _authorities;

    private RouterCertificates(SslStreamCertificateContext context, X509Certificate2Collection authorities) => (Context, _authorities) = (context, authorities);

    /// <summary>What this router shows.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <summary>Whom it believes. Nothing is fetched from where a stranger's certificate says.</summary>
    public X509ChainPolicy Policy()
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    /// <summary>True if a certificate has the address as an alternative name. A common name is none: many an authority lets applicants choose that.</summary>
    public static bool Names(X509Certificate2 certificate, InternetAddress host) => certificate.MatchesHostname(host.ToString(), allowWildcards: false, allowCommonName: false);

    /// <summary>Throws <see cref="RouterException"/> with one line about what is wrong with the files.</summary>
    public static RouterCertificates Read(FabricOptions options)
    {
        X509Certificate2 own;
        SslStreamCertificateContext context;
        X509Certificate2Collection authorities = [];
        try
        {
            authorities.ImportFromPem(File.ReadAllText(options.AuthorityPath!));
            own = X509Certificate2.CreateFromPemFile(options.CertificatePath!, options.KeyPath);
            context = SslStreamCertificateContext.Create(own, null, offline: true);
        }
        // An argument is wrong where certificate and key are not each other's.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new RouterException($"the fabric's certificates cannot be read: {exception.Message}");
        }
        if (authorities.Count == 0) throw new RouterException($"--fabric-ca {options.AuthorityPath}: there is no certificate in it.");
        if (!Names(own, options.Host)) throw new RouterException($"--fabric-cert {options.CertificatePath}: it does not name {options.Host} as an alternative name, which --host says this host is.");
        return new(context, authorities);
    }
}
