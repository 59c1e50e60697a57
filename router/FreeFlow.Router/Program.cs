using System;
using FreeFlow.Arguments;
using FreeFlow.Router.Hosting;
using FreeFlow.Service;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (CommandLineReader.Answer(new RouterSyntax(), arguments) is { } answered) return answered;
        try
        {
            string[] words = RouterOptions.Words(arguments);
            RouterOptions options = RouterOptions.Parse(words);
            DescriptorReserve.Establish();
            MapReserve.Establish();
            HostApplicationBuilder builder = DaemonHost.CreateBuilder();
            builder.Services.AddRouter(options, arguments, words);
            builder.Services.AddMetrics(options);
            DaemonHost.Run(builder);
            return 0;
        }
        catch (RouterException exception)
        {
            Console.Error.WriteLine($"freeflow-router: {exception.Message}");
            return 1;
        }
    }
}
