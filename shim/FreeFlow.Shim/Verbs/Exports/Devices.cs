using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Devices, contexts, ports and their tables. Without a router there is no virtual device, and the program sees what it would see without us.</summary>
internal static unsafe class Devices
{
    private const int MostReal = 64;

    /// <summary>Ours first, then the real ones. Behind what the caller sees lies the real library's list, which is freed with ours.</summary>
    [Verbs("void* ibv_get_device_list(int* count)", Guard = "ff_verbs_open()")]
    public static void** List(int* count)
    {
        int real = 0;
        void** theirs = null;
        delegate* unmanaged[SuppressGCTransition]<int*, void**> list;
        fixed (byte* name = "ibv_get_device_list\0"u8) list = (delegate* unmanaged[SuppressGCTransition]<int*, void**>)Seam.Real(name);
        if (list != null) theirs = list(&real);
        bool has = VerbsSession.Open();
        void** all = (void**)Pages.Allocate(Pages.Bytes);
        if (all == null) { Process.Errno = Linux.ENOMEM; return null; }
        *all++ = theirs;
        int number = 0;
        if (has)
        {
            Device.Describe();
            all[number++] = Seam.Device;
        }
        for (int i = 0; theirs != null && i < real && i < MostReal; i++) all[number++] = theirs[i];
        if (count != null) *count = number;
        return all;
    }

    [Verbs("void ibv_free_device_list(void* list)", Guard = "ff_verbs_work && list")]
    public static void FreeList(void** list)
    {
        delegate* unmanaged[SuppressGCTransition]<void**, void> free;
        fixed (byte* name = "ibv_free_device_list\0"u8) free = (delegate* unmanaged[SuppressGCTransition]<void**, void>)Seam.Real(name);
        void** all = list - 1;
        // A list that is not ours begins nowhere near a page.
        if (((nuint)all & (Pages.Bytes - 1)) != 0) { if (free != null) free(list); return; }
        if (*all != null && free != null) free((void**)*all);
        Pages.Free(all, Pages.Bytes);
    }

    [Verbs("void* ibv_get_device_name(void* device)", Guard = "ff_is_our_device(device)")]
    public static byte* Name(IbvDevice* device) => device->Name;

    [Verbs("unsigned long ibv_get_device_guid(void* device)", Guard = "ff_is_our_device(device)")]
    public static ulong Guid(void* device) => Device.Guid;

    [Verbs("int ibv_get_device_index(void* device)", Guard = "ff_is_our_device(device)")]
    public static int Index(void* device) => -1;

    [Verbs("void* ibv_open_device(void* device)", Guard = "ff_is_our_device(device)")]
    public static IbvContext* Open(void* device)
    {
        if (VerbsSession.Open()) return Context.Open();
        Process.Errno = Linux.ENOSYS;
        return null;
    }

    [Verbs("int ibv_close_device(void* context)", Guard = "ff_is_our_context(context)")]
    public static int Close(void* context) => Context.Close(Context.Of(context));

    [Verbs("int ibv_query_device(void* context, void* attributes)", Guard = "ff_is_our_context(context)")]
    public static int Query(void* context, IbvDeviceAttr* attributes)
    {
        Device.Query(attributes);
        return 0;
    }

    [Verbs("int ibv_query_port(void* context, unsigned char port, void* attributes)", Guard = "ff_is_our_context(context)")]
    public static int QueryPort(void* context, byte port, byte* attributes)
    {
        const int oldBytes = 48; // struct _compat_ibv_port_attr
        if (port != 1) return Linux.EINVAL;
        Device.QueryPort(attributes, oldBytes);
        return 0;
    }

    [Verbs("int ibv_query_gid(void* context, unsigned char port, int index, void* gid)", Guard = "ff_is_our_context(context)")]
    public static int QueryGid(void* context, byte port, int index, IbvGid* gid)
    {
        if (port == 1 && Gids.TryGet(index, out IbvGid found, out _)) { *gid = found; return 0; }
        Process.Errno = Linux.EINVAL;
        return -1;
    }

    [Verbs("int ibv_query_gid_type(void* context, unsigned char port, unsigned index, unsigned* type)", Guard = "ff_is_our_context(context)")]
    public static int QueryGidType(void* context, byte port, uint index, uint* type)
    {
        const uint version2 = 1; // IBV_GID_TYPE_SYSFS_ROCE_V2
        if (port != 1 || index >= (uint)Gids.Count) { Process.Errno = Linux.EINVAL; return -1; }
        *type = version2;
        return 0;
    }

    [Verbs("int _ibv_query_gid_ex(void* context, unsigned port, unsigned index, void* entry, unsigned flags, size_t bytes)", Guard = "ff_is_our_context(context)")]
    public static int QueryGidEx(void* context, uint port, uint index, IbvGidEntry* entry, uint flags, nuint bytes)
    {
        if (flags != 0 || bytes < (nuint)sizeof(IbvGidEntry)) return Linux.EOPNOTSUPP;
        if (port != 1) return Linux.EINVAL;
        if (!Gids.TryGet((int)index, out IbvGid gid, out uint number)) return index < Gids.Capacity ? 61 : Linux.EINVAL; // ENODATA
        *entry = Entry(gid, index, number);
        return 0;
    }

    [Verbs("long _ibv_query_gid_table(void* context, void* entries, size_t most, unsigned flags, size_t bytes)", Guard = "ff_is_our_context(context)")]
    public static nint QueryGidTable(void* context, byte* entries, nuint most, uint flags, nuint bytes)
    {
        if (flags != 0 || bytes < (nuint)sizeof(IbvGidEntry)) return -Linux.EOPNOTSUPP;
        if (most < (nuint)Gids.Count) return -Linux.EINVAL;
        nint count = 0;
        for (; Gids.TryGet((int)count, out IbvGid gid, out uint number); count++) *(IbvGidEntry*)(entries + ((nuint)count * bytes)) = Entry(gid, (uint)count, number);
        return count;
    }

    [Verbs("int ibv_query_pkey(void* context, unsigned char port, int index, unsigned short* key)", Guard = "ff_is_our_context(context)")]
    public static int QueryPkey(void* context, byte port, int index, ushort* key)
    {
        if (port != 1 || index != 0) { Process.Errno = Linux.EINVAL; return -1; }
        *key = 0xffff;
        return 0;
    }

    [Verbs("int ibv_get_pkey_index(void* context, unsigned char port, unsigned short key)", Guard = "ff_is_our_context(context)")]
    public static int PkeyIndex(void* context, byte port, ushort key) => port == 1 && key == 0xffff ? 0 : -1;

    [Verbs("int ibv_get_async_event(void* context, void* event)", Guard = "ff_is_our_context(context)")]
    public static int GetEvent(void* context, IbvAsyncEvent* result) => Context.GetEvent(Context.Of(context), result);

    [Verbs("void ibv_ack_async_event(void* event)", Guard = "ff_is_our_event(event)")]
    public static void AcknowledgeEvent(IbvAsyncEvent* result) => Context.Acknowledge(result);

    [Verbs("void* ibv_import_device(int fd)", Guard = "ff_verbs_work")]
    public static void* Import(int fd)
    {
        delegate* unmanaged[SuppressGCTransition]<int, void*> import;
        fixed (byte* name = "ibv_import_device\0"u8) import = (delegate* unmanaged[SuppressGCTransition]<int, void*>)Seam.Real(name);
        return Context.IsCommand(fd) || import == null ? Refusal.With() : import(fd);
    }

    private static IbvGidEntry Entry(IbvGid gid, uint index, uint interfaceIndex)
    {
        const uint version2 = 2; // IBV_GID_TYPE_ROCE_V2
        return new IbvGidEntry { Gid = gid, Index = index, Port = 1, Type = version2, InterfaceIndex = interfaceIndex };
    }
}
