using Microsoft.Extensions.Logging;

namespace FreeFlow.Hunter.Logging;

/// <summary>What the hunter says of itself; its sources and its publisher have words of their own.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Information, "{Text}")]
    public static partial void Told(this ILogger log, string text);

    [LoggerMessage(2, LogLevel.Information, "{Node} ({Address}) publishes what it finds in {Sources} to {Endpoints}")]
    public static partial void Publishes(this ILogger log, string node, object address, string sources, string endpoints);

    [LoggerMessage(3, LogLevel.Information, "stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(4, LogLevel.Information, "etcd's certificates are read again; sources are followed, options need a restart")]
    public static partial void CertificatesRead(this ILogger log);

    [LoggerMessage(5, LogLevel.Warning, "etcd's certificates stay as they are: {Problem}")]
    public static partial void CertificatesStay(this ILogger log, string problem);
}
