using System.Collections.Generic;
using System.Globalization;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>redis-benchmark GET against redis-server.</summary>
internal sealed class RedisCase(string name, Target target, bool ringExpected, params string[] options) : BenchCase
{
    // Requests per second seen last, to make a run last as long as wished: redis-benchmark counts requests, not seconds.
    private readonly Dictionary<Road, double> _rates = [];

    internal override Metric[] Metrics { get; } = [new Metric(name, "requests/s", true, target)];

    internal override Road[] Roads => [Road.Kernel, Road.Unix, Road.FreeFlow];

    internal override bool RingExpected => ringExpected;

    internal override Sample Measure(Testbed testbed, Road road)
    {
        if (!_rates.ContainsKey(road)) _rates[road] = Once(testbed, road, 10_000).Rate;
        (double rate, double cpu, long ring) = Once(testbed, road, (long)(_rates[road] * testbed.Seconds));
        _rates[road] = rate;
        return new Sample(cpu, ring, rate);
    }

    private (double Rate, double Cpu, long Ring) Once(Testbed testbed, Road road, long requests)
    {
        int port = testbed.NextPort();
        string[] where = road == Road.Unix ? ["-s", testbed.UnixPath(port)] : ["-h", testbed.Pair.First.Address4, "-p", port.ToString(CultureInfo.InvariantCulture)];
        CommandLine server = new("redis-server", "--save", "", "--protected-mode", "no", "--bind", "0.0.0.0", "--port", port.ToString(CultureInfo.InvariantCulture),
            "--unixsocket", testbed.UnixPath(port), "--dir", testbed.Pair.Folder);
        CommandLine client = new("redis-benchmark", [.. where, "-t", "get", "-n", requests.ToString(CultureInfo.InvariantCulture), "--csv", .. options]);
        Exchange exchange = testbed.Run(road, server, testbed.Listening(road, port), client, counted: RingExpected);
        return (Text.Find(exchange.Client.Output, "^\"GET\",\"([0-9.]+)\""), exchange.CpuSeconds * 1e6 / requests, exchange.RingBytes);
    }
}
