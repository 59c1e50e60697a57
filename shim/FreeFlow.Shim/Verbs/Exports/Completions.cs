using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Completion queues and channels.</summary>
internal static unsafe class Completions
{
    [Verbs("void* ibv_create_comp_channel(void* context)", Guard = "ff_is_our_context(context)")]
    public static CompletionChannel* CreateChannel(void* context) => CompletionChannel.Create(Context.Of(context));

    [Verbs("int ibv_destroy_comp_channel(void* channel)", Guard = "ff_is_ours(channel)")]
    public static int DestroyChannel(CompletionChannel* channel) => CompletionChannel.Destroy(channel);

    [Verbs("void* ibv_create_cq(void* context, int entries, void* user, void* channel, int vector)", Guard = "ff_is_our_context(context)")]
    public static CompletionQueue* Create(void* context, int entries, void* user, CompletionChannel* channel, int vector) =>
        vector == 0 ? CompletionQueue.Create(Context.Of(context), entries, user, channel) : (CompletionQueue*)Refusal.With(Linux.EINVAL);

    [Verbs("int ibv_destroy_cq(void* queue)", Guard = "ff_is_ours(queue)")]
    public static int Destroy(CompletionQueue* queue) => CompletionQueue.Destroy(queue);

    [Verbs("int ibv_resize_cq(void* queue, int entries)", Guard = "ff_is_ours(queue)")]
    public static int Resize(CompletionQueue* queue, int entries) => CompletionQueue.Resize(queue, entries);

    [Verbs("int ibv_get_cq_event(void* channel, void* queue, void* user)", Guard = "ff_is_ours(channel)")]
    public static int GetEvent(CompletionChannel* channel, CompletionQueue** queue, void** user)
    {
        if (CompletionChannel.GetEvent(channel, queue) != 0) return -1;
        *user = (*queue)->Base.UserContext;
        return 0;
    }

    [Verbs("void ibv_ack_cq_events(void* queue, unsigned count)", Guard = "ff_is_ours(queue)")]
    public static void Acknowledge(CompletionQueue* queue, uint count) => Interlocked.Add(ref queue->Acknowledged, count);
}
