using System;
using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Rdma.Extender;
using FreeFlow.Rdma.Hardware;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FreeFlow.Rdma;

/// <summary>The two services by HTTP.</summary>
internal static class WebServer
{
    /// <summary>5,000 nodes of 20 kB each come in one request.</summary>
    private const long LargestRequest = 256L << 20;

    internal static Task ServeHardwareAsync(IPEndPoint endpoint, string system, Action<string> say, CancellationToken cancellation) =>
        RunAsync(endpoint, application =>
    {
        HardwareReader reader = new(system);
        application.MapGet("/", () => "GET /getpfs: the physical functions of this node and their virtual functions, as JSON\n");
        application.MapGet("/getpfs", async context =>
        {
            PhysicalFunction[] cards;
            try
            {
                cards = reader.Read();
            }
            catch (Exception exception) when (exception is System.IO.IOException or UnauthorizedAccessException)
            {
                // Clients know the fault by its word: the status is 200 as ever.
                await context.Response.WriteAsync($"ERROR: {exception.Message}", cancellation);
                return;
            }
            context.Response.ContentType = "application/json";
            await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(cards, HardwareJson.Default.PhysicalFunctionArray),
                cancellation);
        });
    }, () => say(string.Create(CultureInfo.InvariantCulture, $"RDMA hardware daemon listening on port {endpoint.Port}")), cancellation);

    internal static async Task ServeExtenderAsync(IPEndPoint endpoint, int hardwarePort, TimeSpan patience, Action<string> say,
        CancellationToken cancellation)
    {
        using SocketsHttpHandler handler = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseProxy = false };
        using HttpClient client = new(handler) { MaxResponseContentBufferSize = NodeQuery.LargestAnswer };
        SchedulerExtender extender = new(new NodeQuery(client, hardwarePort), patience);
        await RunAsync(endpoint, application =>
        {
            application.MapPost("/scheduler/rdma_scheduling", context => AnswerAsync(context, extender.FilterAsync));
            application.MapPost("/scheduler/rdma_prioritizing", context => AnswerAsync(context, extender.PrioritizeAsync));
        }, () => say(string.Create(CultureInfo.InvariantCulture, $"RDMA scheduler extender listening on port:  {endpoint.Port}")),
            cancellation);
    }

    private static async Task AnswerAsync(HttpContext context, Func<System.IO.Stream, Utf8JsonWriter, CancellationToken, Task> answer)
    {
        if (context.Request.ContentLength == 0 || (context.Request.ContentLength is null
            && !context.Request.Headers.ContainsKey("Transfer-Encoding")))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("Request body was empty.", context.RequestAborted);
            return;
        }
        System.Buffers.ArrayBufferWriter<byte> buffer = new();
        await using Utf8JsonWriter output = new(buffer);
        try
        {
            await answer(context.Request.Body, output, context.RequestAborted);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync(exception.Message, context.RequestAborted);
            return;
        }
        await output.FlushAsync(context.RequestAborted);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static async Task RunAsync(IPEndPoint endpoint, Action<WebApplication> map, Action ready, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Listen(endpoint);
        });
        await using WebApplication application = builder.Build();
        map(application);
        await application.StartAsync(cancellation);
        ready();
        await Task.Delay(Timeout.Infinite, cancellation);
    }
}
