using System;
using System.Diagnostics;
using System.Threading;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests;

/// <summary>Waits for what happens at its own pace. The limit is only for what never happens.</summary>
internal static class Eventually
{
    public static void True(Func<bool> condition, string what, Func<string>? state = null)
    {
        long began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(40)) Assert.Fail($"never: {what}. {state?.Invoke()}");
            Thread.Sleep(5);
        }
    }
}
