using System;
using System.IO;
using FreeFlow.Arguments;
using FreeFlow.Hunter.Hosting;
using FreeFlow.Locations;
using FreeFlow.Native;
using FreeFlow.Service;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Hunter;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        HunterSyntax syntax = new();
        if (CommandLineReader.Answer(syntax, syntax.WithTwoDashes(arguments)) is { } answered) return answered;
        try
        {
            HunterOptions options = HunterOptions.Parse(Expand(arguments), Environment.GetEnvironmentVariable);
            HostApplicationBuilder builder = DaemonHost.CreateBuilder();
            builder.Services.AddHunter(options with { HostAddress = AddressOf(options) });
            builder.Services.AddMetrics(options);
            DaemonHost.Run(builder);
            return 0;
        }
        catch (HunterException exception)
        {
            Console.Error.WriteLine($"freeflow-hunter: {PrintableText.Of(exception.Message)}");
            return 1;
        }
    }

    private static string[] Expand(string[] arguments)
    {
        try { return OptionFile.Expand(arguments); }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new HunterException(exception.Message);
        }
    }

    private static Address AddressOf(HunterOptions options) => options.HostAddress != default ? options.HostAddress : OwnAddress.Towards(options.Etcd.Endpoints[0])
        ?? throw new HunterException("this node's address is not known: give --host-ip, or HOST_IP in the environment.");
}
