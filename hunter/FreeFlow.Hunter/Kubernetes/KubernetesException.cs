using System;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>The API did not answer, or refused.</summary>
/// <param name="message">For the operator.</param>
/// <param name="code">HTTP's code; 0: no answer.</param>
internal sealed class KubernetesException(string message, int code) : Exception(message)
{
    /// <summary>What is asked for is too old to go on from: list again (HTTP 410).</summary>
    public bool IsGone => code == 410;
}
