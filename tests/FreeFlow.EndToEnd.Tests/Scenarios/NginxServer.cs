using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>nginx with a master and two workers, keep-alive and sendfile, and files of random bytes.</summary>
public static class NginxServer
{
    public const int Port = 8080;

    private static readonly int[] s_sizes = [1, 100, 1024, 65536, 1_000_003, 8 << 20];

    public static string[] Files => s_sizes.Select(size => $"file{size}").Append("empty").ToArray();

    public static void Start(Stage stage)
    {
        MakeFiles(stage.Folder);
        string configuration = Path.Combine(stage.Folder, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            daemon off;
            user root;
            worker_processes 2;
            pid {{stage.Folder}}/nginx.pid;
            error_log stderr error;
            events { worker_connections 256; }
            http {
                access_log off;
                sendfile on;
                keepalive_requests 1000000;
                client_body_temp_path {{stage.Folder}}/t1; proxy_temp_path {{stage.Folder}}/t2; fastcgi_temp_path {{stage.Folder}}/t3;
                uwsgi_temp_path {{stage.Folder}}/t4; scgi_temp_path {{stage.Folder}}/t5;
                server { listen 0.0.0.0:{{Port}}; root {{stage.Folder}}; }
            }
            """);
        stage.Serve(new CommandLine("nginx", "-p", stage.Folder, "-e", "stderr", "-c", configuration), Port);
    }

    /// <summary>Files of the same random bytes in every run.</summary>
    public static void MakeFiles(string folder)
    {
        Random random = new(5);
        foreach (int size in s_sizes)
        {
            byte[] content = new byte[size];
            random.NextBytes(content);
            File.WriteAllBytes(Path.Combine(folder, $"file{size}"), content);
        }
        File.WriteAllBytes(Path.Combine(folder, "empty"), []);
    }
}
