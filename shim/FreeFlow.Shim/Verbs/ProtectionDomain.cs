using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A protection domain: regions and queue pairs of different ones know nothing of each other (IBA 10.2.3). A parent domain is another name
/// of one (ibv_alloc_parent_domain(3)): thread
/// domains are a device's way to save locks, and there is nothing to save here.
/// </summary>
internal unsafe struct ProtectionDomain
{
    public IbvPd Base;

    /// <summary>By which the router knows it; unique in the process.</summary>
    public uint Number;

    /// <summary>Regions, queue pairs and parent domains in it.</summary>
    public int Users;

    /// <summary>The domain that it stands for: itself, or another's if it is a parent domain.</summary>
    public ProtectionDomain* Own;

    private static uint _last;

    public static ProtectionDomain* Create(Context* context)
    {
        ProtectionDomain* domain = Allocate(&context->Verbs.Context);
        if (domain == null) return null;
        domain->Base.Handle = domain->Number = Interlocked.Increment(ref _last);
        domain->Own = domain;
        return domain;
    }

    /// <summary>Null with errno: EOPNOTSUPP if the program wants to allocate the memory of queues itself.</summary>
    public static ProtectionDomain* CreateParent(void* context, IbvParentDomainInitAttr* wish)
    {
        const uint known = IbvParentDomainInitAttr.HasAllocators | IbvParentDomainInitAttr.HasContext;
        if (wish->Domain == null || (wish->Mask & ~known) != 0) return (ProtectionDomain*)Refusal.With(Linux.EINVAL);
        if ((wish->Mask & IbvParentDomainInitAttr.HasAllocators) != 0) return (ProtectionDomain*)Refusal.With();
        ProtectionDomain* domain = Allocate(context);
        if (domain == null) return null;
        domain->Own = wish->Domain->Own;
        domain->Base.Handle = domain->Number = domain->Own->Number;
        Interlocked.Increment(ref domain->Own->Users);
        return domain;
    }

    /// <summary>0, or EBUSY while something is in it.</summary>
    public static int Destroy(ProtectionDomain* domain)
    {
        if (Volatile.Read(ref domain->Users) != 0) return Numbers.EBUSY;
        if (domain->Own != domain) Interlocked.Decrement(ref domain->Own->Users);
        Pages.Free(domain, (nuint)sizeof(ProtectionDomain));
        return 0;
    }

    private static ProtectionDomain* Allocate(void* context)
    {
        ProtectionDomain* domain = (ProtectionDomain*)Pages.Allocate((nuint)sizeof(ProtectionDomain));
        if (domain == null) return (ProtectionDomain*)Refusal.With(Linux.ENOMEM);
        domain->Base.Context = context;
        return domain;
    }
}
