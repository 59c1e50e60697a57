using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <content>One-shot registrations of connections that have no ring yet: the kernel fires them, and nothing tells whether it has but the event itself.</content>
internal static unsafe partial class Registrations
{
    /// <summary>What the kernel is given of a registration without a ring.</summary>
    public static EpollEvent WithTag(int index, EpollEvent* wanted)
    {
        EpollEvent own = *wanted;
        EpollInstance* owner = Instances + (index != 0 ? Entries[index - 1].Instance : 0);
        bool servable = index != 0 && (wanted->Events & Linux.EPOLLONESHOT) != 0 && !EpollTag.IsTag(wanted->Data) && owner->GivenAway == 0 && MayChange(owner);
        if (servable) own.Data = EpollTag.ForSocket(index - 1, Entries[index - 1].Generation);
        return own;
    }

    /// <summary>After the kernel has taken it.</summary>
    public static void NoteTag(int index, EpollEvent* own)
    {
        if (index == 0) return;
        Registration* entry = Entries + (index - 1);
        LoseTag(entry);
        if (own->Data == entry->Data || !EpollTag.IsTag(own->Data)) return;
        entry->Flags |= RegistrationFlags.Tagged;
        Instances[entry->Instance].Tagged++;
    }

    /// <summary>One that was registered before the shim might change its set.</summary>
    private static void Tag(int index)
    {
        Registration* entry = Entries + (index - 1);
        if (IsTagged(entry)) return;
        EpollEvent wanted = new() { Events = entry->Events, Data = entry->Data };
        EpollEvent own = WithTag(index, &wanted);
        if (own.Data != wanted.Data && Process.Libc->epoll_ctl(Instances[entry->Instance].Epoll, Linux.EPOLL_CTL_MOD, entry->Descriptor, &own) == 0) NoteTag(index, &own);
    }

    public static bool IsTagged(Registration* entry) => (entry->Flags & RegistrationFlags.Tagged) != 0;

    /// <summary>It has a ring now, or is no more, or the kernel has the application's data again.</summary>
    private static void LoseTag(Registration* entry)
    {
        if (!IsTagged(entry)) return;
        entry->Flags &= ~RegistrationFlags.Tagged;
        Instances[entry->Instance].Tagged--;
    }
}
