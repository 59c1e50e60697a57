using FreeFlow.Service;

namespace FreeFlow.Router.Logging;

/// <summary>The router's log.</summary>
/// <param name="verbose">Whether --verbose was given.</param>
internal sealed class Log(bool verbose) : LineLogger("freeflow-router", verbose)
{
    /// <summary>For parts that have their own words.</summary>
    public void Line(string text) => this.Told(text);
}
