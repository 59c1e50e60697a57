using System;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FreeFlow.Bench.Hosts;

/// <summary>An authority and one certificate that names all the routers of a laboratory, in files.</summary>
internal static class FabricCertificates
{
    /// <summary>Makes them anew; the options of <c>freeflow-router</c> that name them.</summary>
    internal static string[] Create(string folder, params string[] hosts)
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1), to = DateTimeOffset.UtcNow.AddDays(1);
        using ECDsa signing = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authority = new("CN=bench authority", signing, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 signer = authority.CreateSelfSigned(from, to);
        CertificateRequest router = new("CN=bench routers", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        foreach (string host in hosts) names.AddIpAddress(IPAddress.Parse(host));
        router.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = router.Create(signer, from, to, [1]);
        Directory.CreateDirectory(folder);
        string Save(string name, string text)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, text);
            return path;
        }
        return
        [
            "--fabric-ca", Save("ca.pem", signer.ExportCertificatePem()), "--fabric-cert", Save("router.pem", certificate.ExportCertificatePem()),
            "--fabric-key", Save("router.key", key.ExportPkcs8PrivateKeyPem()),
        ];
    }
}
