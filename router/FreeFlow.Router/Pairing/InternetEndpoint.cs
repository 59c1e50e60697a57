namespace FreeFlow.Router.Pairing;

/// <summary>Address and port (host order) of one end of a TCP connection.</summary>
internal readonly record struct InternetEndpoint(InternetAddress Address, ushort Port)
{
    public override string ToString() => Address.IsIPv4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}
