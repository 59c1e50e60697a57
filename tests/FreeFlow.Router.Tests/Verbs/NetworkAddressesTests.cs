using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Verbs;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Verbs;

/// <summary>A socket that is bound to an address shows nothing: IP_FREEBIND binds it to any.</summary>
public sealed unsafe class NetworkAddressesTests
{
    private const int SOL_IP = 0, IP_FREEBIND = 15;

    [Test]
    public void AreTheNetworksOwnWhateverTheSocketIsBoundTo()
    {
        int socket = Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0), on = 1;
        InternetAddress loopback = InternetAddress.FromIPv4([127, 0, 0, 1]), foreign = InternetAddress.FromIPv4([192, 0, 2, 1]);
        byte* address = stackalloc byte[16] { Libc.AF_INET, 0, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
        try
        {
            Assert.That(Libc.setsockopt(socket, SOL_IP, IP_FREEBIND, &on, sizeof(int)), Is.Zero);
            Assert.That(Libc.bind(socket, address, 16), Is.Zero, "the kernel lets it");
            Assert.That(SocketOptions.TryGetLocalAddress(socket, out InternetAddress bound) && bound == foreign);
            Assert.That(NetworkAddresses.HasIPv4(socket, foreign), Is.False);
            Assert.That(NetworkAddresses.HasIPv4(socket, loopback));
        }
        finally
        {
            Libc.close(socket);
        }
    }
}
