using System;
using System.IO;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>wrk against nginx, a file of 1 KiB: one worker and one client thread, since there may be two cores only.</summary>
internal sealed class NginxCase(string name, bool keepAlive, Target target) : BenchCase
{
    internal override Metric[] Metrics { get; } = [new Metric(name, "requests/s", true, target)];

    internal override bool RingExpected => keepAlive;

    internal override Sample Measure(Testbed testbed, Road road)
    {
        int port = testbed.NextPort();
        string folder = Directory.CreateDirectory(Path.Combine(testbed.Pair.Folder, $"nginx-{port}")).FullName;
        File.WriteAllText(Path.Combine(folder, "file"), new string('x', 1024));
        File.WriteAllText(Path.Combine(folder, "nginx.conf"), Configuration(folder, port));
        CommandLine server = new("nginx", "-p", folder, "-c", Path.Combine(folder, "nginx.conf"));
        string[] headers = keepAlive ? [] : ["-H", "Connection: close"];
        CommandLine client = new("wrk", ["-t", "1", "-c", "32", "-d", $"{testbed.WholeSeconds}s", .. headers, $"http://{testbed.Pair.First.Address4}:{port}/file"]);
        Exchange exchange = testbed.Run(road, server, testbed.Listening(road, port), client, counted: RingExpected);
        string output = exchange.Client.Output;
        if (output.Contains("Non-2xx", StringComparison.Ordinal)) throw new LabException($"nginx answered with errors: {output.Trim()}");
        double requests = Text.Find(output, "([0-9]+) requests in");
        return new Sample(exchange.CpuSeconds * 1e6 / requests, exchange.RingBytes, Text.Find(output, "Requests/sec: +([0-9.]+)"));
    }

    private static string Configuration(string folder, int port) => $$"""
        daemon off;
        worker_processes 1;
        user root;
        pid {{folder}}/pid;
        error_log {{folder}}/error.log;
        events { worker_connections 1024; }
        http {
            access_log off;
            sendfile on;
            keepalive_requests 1000000000;
            client_body_temp_path {{folder}}/body;
            proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi;
            uwsgi_temp_path {{folder}}/uwsgi;
            scgi_temp_path {{folder}}/scgi;
            server { listen {{port}} backlog=4096; root {{folder}}; }
        }
        """;
}
