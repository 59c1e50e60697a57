using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Protection domains and memory regions.</summary>
internal static unsafe class Regions
{
    [Verbs("void* ibv_alloc_pd(void* context)", Guard = "ff_is_our_context(context)")]
    public static ProtectionDomain* AllocatePd(void* context) => ProtectionDomain.Create(Context.Of(context));

    [Verbs("int ibv_dealloc_pd(void* domain)", Guard = "ff_is_ours(domain)")]
    public static int DeallocatePd(ProtectionDomain* domain) => ProtectionDomain.Destroy(domain);

    [Verbs("void* ibv_reg_mr(void* domain, void* address, size_t length, int access)", Guard = "ff_is_ours(domain)")]
    public static MemoryRegion* Register(ProtectionDomain* domain, byte* address, nuint length, int access) =>
        MemoryRegion.Register(domain, address, length, (ulong)address, (uint)access);

    [Verbs("void* ibv_reg_mr_iova(void* domain, void* address, size_t length, unsigned long iova, int access)", Guard = "ff_is_ours(domain)")]
    public static MemoryRegion* RegisterIova(ProtectionDomain* domain, byte* address, nuint length, ulong iova, int access) =>
        MemoryRegion.Register(domain, address, length, iova, (uint)access);

    [Verbs("void* ibv_reg_mr_iova2(void* domain, void* address, size_t length, unsigned long iova, unsigned access)", Guard = "ff_is_ours(domain)")]
    public static MemoryRegion* RegisterIova2(ProtectionDomain* domain, byte* address, nuint length, ulong iova, uint access) =>
        MemoryRegion.Register(domain, address, length, iova, access);

    [Verbs("int ibv_dereg_mr(void* region)", Guard = "ff_is_ours(region)")]
    public static int Deregister(MemoryRegion* region) => MemoryRegion.Deregister(region);

    [Verbs("int ibv_rereg_mr(void* region, int flags, void* domain, void* address, size_t length, int access)", Guard = "ff_is_ours(region)")]
    public static int Reregister(MemoryRegion* region, int flags, ProtectionDomain* domain, byte* address, nuint length, int access) =>
        MemoryRegion.Reregister(region, (uint)flags, domain, address, length, (uint)access);

    [Verbs("void* ibv_reg_dmabuf_mr(void* domain, unsigned long offset, size_t length, unsigned long iova, int fd, int access)", Guard = "ff_is_ours(domain)")]
    public static void* RegisterDmabuf(void* domain, ulong offset, nuint length, ulong iova, int fd, int access) => Refusal.With();

    [Verbs("void* ibv_import_pd(void* context, unsigned handle)", Guard = "ff_is_our_context(context)")]
    public static void* ImportPd(void* context, uint handle) => Refusal.With();

    [Verbs("void ibv_unimport_pd(void* domain)", Guard = "ff_is_ours(domain)")]
    public static void UnimportPd(void* domain) { }

    [Verbs("void* ibv_import_mr(void* domain, unsigned handle)", Guard = "ff_is_ours(domain)")]
    public static void* ImportMr(void* domain, uint handle) => Refusal.With();

    [Verbs("void ibv_unimport_mr(void* region)", Guard = "ff_is_ours(region)")]
    public static void UnimportMr(void* region) { }

    [Verbs("void* ibv_import_dm(void* context, unsigned handle)", Guard = "ff_is_our_context(context)")]
    public static void* ImportDm(void* context, uint handle) => Refusal.With();

    [Verbs("void ibv_unimport_dm(void* memory)", Guard = "ff_is_ours(memory)")]
    public static void UnimportDm(void* memory) { }

    [Verbs("void ff_verbs_before_fork(void)", Guard = "ff_verbs_work")]
    public static void BeforeFork() => PageMover.BeforeFork();

    [Verbs("void ff_verbs_after_fork(int child)", Guard = "ff_verbs_work")]
    public static void AfterFork(int child)
    {
        if (child == 0) { PageMover.AfterForkInParent(); return; }
        PageMover.AfterForkInChild();
        QueuePairs.ForgetAfterFork();
        RegionTable.ForgetAfterFork();
        VerbsSession.ForgetAfterFork();
    }
}
