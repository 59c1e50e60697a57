using System;
using System.Linq;
using FreeFlow.Router.Hosting;
using FreeFlow.Router.Observe;
using FreeFlow.Service;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h")) { Console.WriteLine(RouterOptions.Usage); return 0; }
        if (arguments.Contains("--version")) { Console.WriteLine(StatusReport.Version); return 0; }
        try
        {
            string[] words = RouterOptions.Words(arguments);
            RouterOptions options = RouterOptions.Parse(words);
            DescriptorReserve.Establish();
            HostApplicationBuilder builder = DaemonHost.CreateBuilder();
            builder.Services.AddRouter(options, arguments, words);
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
