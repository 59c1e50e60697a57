using FreeFlow.Bench.Measuring;

namespace FreeFlow.Bench.Cases;

/// <summary>What <c>make bench</c> measures, and what each figure is to reach.</summary>
internal static class CaseList
{
    /// <summary>All cases, in the order of the table.</summary>
    internal static BenchCase[] All() =>
    [
        new PairCase(),
        new PingPongCase(),
        new SockperfCase("epoll"),
        new SockperfCase("poll"),
        new SockperfCase("select"),
        new RedisCase("redis-c50", Target.Times(8), true, "-c", "50"),
        new RedisCase("redis-c1", Target.Times(4), true, "-c", "1"),
        new RedisCase("redis-c50-p32", Target.Times(1.5), true, "-c", "50", "-P", "32"),
        new IperfCase(),
        new NginxCase("nginx-keepalive", true, Target.Times(2)),
        new PgbenchCase(),
        new RedisCase("redis-short", Target.Times(0.95), false, "-c", "50", "-k", "0"),
        new NginxCase("nginx-short", false, Target.Times(0.95)),
        new DescriptorCase(),
        new StartCase(),
        new IdleCase(),
    ];
}
