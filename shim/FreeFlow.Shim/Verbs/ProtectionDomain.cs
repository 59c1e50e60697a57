using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>A protection domain: regions and queue pairs of different ones know nothing of each other (IBA 10.2.3).</summary>
internal unsafe struct ProtectionDomain
{
    public IbvPd Base;

    /// <summary>By which the router knows it; unique in the process.</summary>
    public uint Number;

    /// <summary>Regions and queue pairs in it.</summary>
    public int Users;

    private static uint _last;

    public static ProtectionDomain* Create(Context* context)
    {
        ProtectionDomain* domain = (ProtectionDomain*)Pages.Allocate((nuint)sizeof(ProtectionDomain));
        if (domain == null) return (ProtectionDomain*)Refusal.With(Linux.ENOMEM);
        domain->Base.Context = &context->Verbs.Context;
        domain->Base.Handle = domain->Number = Interlocked.Increment(ref _last);
        return domain;
    }

    /// <summary>0, or EBUSY while something is in it.</summary>
    public static int Destroy(ProtectionDomain* domain)
    {
        if (Volatile.Read(ref domain->Users) != 0) return Numbers.EBUSY;
        Pages.Free(domain, (nuint)sizeof(ProtectionDomain));
        return 0;
    }
}
