using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Files;

/// <summary>A text file that is read again whenever it may have changed: by inotify on its folder, and every few seconds for what inotify cannot see
/// (a link into another folder, as Kubernetes mounts configuration; a folder that is made later).</summary>
/// <param name="path">The file; it need not exist.</param>
/// <param name="read">Gets the text after each change. Called on one thread at a time.</param>
/// <param name="failed">Gets the reason why it cannot be read, each time.</param>
public sealed class WatchedFile(string path, Action<string> read, Action<string> failed)
{
    private const int LargestFile = 64 << 20;

    // An editor that writes in place has the file empty for a moment: it is read when it has been quiet for this long.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Anyway = TimeSpan.FromSeconds(3);
    private readonly SemaphoreSlim _wake = new(0);
    private string? _last;

    public async Task RunAsync(CancellationToken stop)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                watcher ??= Watch();
                Read();
                await _wake.WaitAsync(Anyway, stop).ConfigureAwait(false);
                while (await _wake.WaitAsync(Quiet, stop).ConfigureAwait(false))
                {
                    // Still busy.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        finally
        {
            watcher?.Dispose();
        }
    }

    private void Read()
    {
        try
        {
            FileInfo file = new(path);
            if (file.Exists && file.Length > LargestFile) throw new IOException($"it has more than {LargestFile >> 20} MiB");
            string text = File.ReadAllText(path);
            if (text == _last) return;
            read(text);
            _last = text;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            _last = null;
            failed(exception.Message);
        }
    }

    private FileSystemWatcher? Watch()
    {
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            if (!Directory.Exists(folder)) return null;
            FileSystemWatcher watcher = new(folder);
            watcher.Changed += (_, _) => _wake.Release();
            watcher.Created += (_, _) => _wake.Release();
            watcher.Deleted += (_, _) => _wake.Release();
            watcher.Renamed += (_, _) => _wake.Release();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException)
        {
            // No inotify instance left: the clock remains.
            return null;
        }
    }
}
