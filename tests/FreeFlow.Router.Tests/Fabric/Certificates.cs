using System;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FreeFlow.Router.Fabric;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>An authority of its own, and certificates that it signs, in files of a folder that goes away.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("freeflow-certificates-").FullName;
    private readonly X509Certificate2 _authority;
    private int _count;

    public Certificates()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN=test authority {Guid.NewGuid()}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        File.WriteAllText(Path.Combine(_folder, "authority.pem"), _authority.ExportCertificatePem());
    }

    /// <summary>Options of a router at <paramref name="host"/>, port <paramref name="port"/>, with a certificate for <paramref name="named"/>, or one that has no other name than <paramref name="commonName"/>.</summary>
    public FabricOptions Options(string host, int port, string? named = null, Certificates? trusting = null, string? commonName = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={commonName ?? $"router {_count + 1}"}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Parse(named ?? host));
        if (commonName is null) request.CertificateExtensions.Add(names.Build());
        _count++;
        using X509Certificate2 certificate = request.Create(_authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddMinutes(50), BitConverter.GetBytes(_count));
        string certificatePath = Path.Combine(_folder, $"{_count}.pem"), keyPath = Path.Combine(_folder, $"{_count}.key");
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return new FabricOptions
        {
            Host = TestRouter.Address(host), Port = port, CertificatePath = certificatePath, KeyPath = keyPath,
            AuthorityPath = Path.Combine((trusting ?? this)._folder, "authority.pem"),
        };
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
