using System;
using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>What this router shows to others, and whom it believes: one reading of its files. Immutable.</summary>
internal sealed class RouterCertificates
{
    private RouterCertificates(X509Certificate2 own, X509Certificate2Collection authorities) => (Own, Authorities) = (own, authorities);

    public X509Certificate2 Own { get; }

    /// <summary>Several while one takes another's place.</summary>
    public X509Certificate2Collection Authorities { get; }

    /// <summary>Throws <see cref="RouterException"/> with one line about what is wrong with the files.</summary>
    public static RouterCertificates Read(FabricOptions options)
    {
        X509Certificate2 own;
        X509Certificate2Collection authorities = [];
        try
        {
            authorities.ImportFromPem(File.ReadAllText(options.AuthorityPath!));
            own = X509Certificate2.CreateFromPemFile(options.CertificatePath!, options.KeyPath);
        }
        // An argument is wrong where certificate and key are not each other's.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new RouterException($"the fabric's certificates cannot be read: {exception.Message}");
        }
        if (authorities.Count == 0) throw new RouterException($"--fabric-ca {options.AuthorityPath}: there is no certificate in it.");
        if (!own.MatchesHostname(options.Host.ToString())) throw new RouterException($"--fabric-cert {options.CertificatePath}: it does not name {options.Host} as an alternative name, which --host says this host is.");
        return new(own, authorities);
    }
}
