using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FreeFlow.Lab.Hosts;

/// <summary>The laboratory's own authority, and one certificate that names all its routers, in files of a folder.</summary>
internal static class LabCertificates
{
    private static readonly TimeSpan s_life = TimeSpan.FromDays(365);

    /// <summary>The options of <c>freeflow-router</c> that name them.</summary>
    internal static string[] Options(string folder) => ["--fabric-ca", Authority(folder), "--fabric-cert", Certificate(folder), "--fabric-key", Key(folder)];

    /// <summary>Makes them for routers at these addresses.</summary>
    internal static void Create(string folder, IEnumerable<string> hosts)
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1), to = from + s_life;
        using ECDsa signing = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authority = new("CN=laboratory authority", signing, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 signer = authority.CreateSelfSigned(from, to);
        CertificateRequest routers = new("CN=laboratory routers", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        foreach (string host in hosts) names.AddIpAddress(IPAddress.Parse(host));
        routers.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = routers.Create(signer, from, to, [1]);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Authority(folder), signer.ExportCertificatePem());
        File.WriteAllText(Certificate(folder), certificate.ExportCertificatePem());
        File.WriteAllText(Key(folder), key.ExportPkcs8PrivateKeyPem());
    }

    private static string Authority(string folder) => Path.Combine(folder, "ca.pem");

    private static string Certificate(string folder) => Path.Combine(folder, "routers.pem");

    private static string Key(string folder) => Path.Combine(folder, "routers.key");
}
