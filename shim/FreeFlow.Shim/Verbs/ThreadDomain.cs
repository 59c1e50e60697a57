using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>struct ibv_td: the program's word that one thread alone uses what is made with it. Taken, and means nothing here.</summary>
internal unsafe struct ThreadDomain
{
    public void* Context;

    /// <summary>Null with errno.</summary>
    public static ThreadDomain* Create(void* context, uint* mask)
    {
        if (*mask != 0) return (ThreadDomain*)Refusal.With(Linux.EINVAL);
        ThreadDomain* domain = (ThreadDomain*)Pages.Allocate((nuint)sizeof(ThreadDomain));
        if (domain == null) return (ThreadDomain*)Refusal.With(Linux.ENOMEM);
        domain->Context = context;
        return domain;
    }

    public static int Destroy(ThreadDomain* domain)
    {
        Pages.Free(domain, (nuint)sizeof(ThreadDomain));
        return 0;
    }
}
