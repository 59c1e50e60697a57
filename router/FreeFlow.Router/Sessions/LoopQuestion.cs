using System;
using System.Threading.Tasks;

namespace FreeFlow.Router.Sessions;

/// <summary>Has the event loop do something, for a thread that goes on when it is done.</summary>
internal static class LoopQuestion
{
    /// <summary>Fails with what <paramref name="work"/> has thrown. Never done if the loop ends before it.</summary>
    public static Task AskAsync(Action<Action> post, Action work)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        post(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception exception) { done.SetException(exception); }
        });
        return done.Task;
    }
}
