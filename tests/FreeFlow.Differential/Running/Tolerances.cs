using System;
using System.Linq;

namespace FreeFlow.Differential.Running;

/// <summary>Every difference between kernel and ring that this test does not report, with its reason. The shorter, the better.</summary>
public static class Tolerances
{
    /// <summary>The list.</summary>
    public static readonly Tolerance[] All =
    [
        new("A flood is several actors at once: which step finds it done is chance; what came out is compared.",
            step => step.Verb is "sendall" or "recvall" or "pump" or "drink" && step.BothEnded && step.Kernel!.Text == step.Ring!.Text),
        new("A sleeping receive of no bytes returns with any wake-up of the socket, and the kernel wakes it for reasons of its own (its own shutdown).",
            step => IsOfNothing(step) && step.Kernel?.WokenAt != step.Number && step.Ring?.WokenAt != step.Number),
        new("SIOCOUTQ on a ring counts what the peer has not read; the kernel's counts what the peer's kernel has not acknowledged.",
            step => step.Verb == "outq" && step.Kernel?.Text == "0 none" && step.Ring?.Text == "0 some"),
        new("Where a connection moves to its ring between two looks, epoll looks at it once more: an edge may be reported again (epoll(7) promises no less).",
            step => step.Road.HandsOver && step.BothEnded && step.Verb is "epwait" or "eppwait" or "eppwait2" && Reports(step.Kernel!).All(Reports(step.Ring!).Contains)),
        new("While the router is looking at a socket it holds a copy of it: a close with unread bytes in that moment is an end of stream first and a reset then.",
            step => step.Road.HandsOver && step.BothEnded && step.Kernel!.Text.StartsWith("-1 ECONNRESET", StringComparison.Ordinal) && step.Ring!.Text.StartsWith("-1 EPIPE", StringComparison.Ordinal)),
        new("The kernel itself shows a peek that waits for more, beside another reader, bytes of two places (recv(2) says nothing of it).",
            step => step.Verb is "recv" or "recvfrom" or "recvmsg" && step.BothEnded && step.Kernel!.Text.Contains("WRONG", StringComparison.Ordinal)),
    ];

    private static string[] Reports(Answer answer) => [.. answer.Text.Split(' ').Skip(1)];

    private static bool IsOfNothing(Step step) => step.Verb switch
    {
        "recv" or "recvfrom" => step.Words[3] == "0",
        "recvmsg" or "recvmmsg" => step.Words.Skip(4).All(size => size == "0"),
        _ => false,
    };
}
