using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>The program's own buffers, as scatter and gather elements name them.</summary>
internal static unsafe class LocalMemory
{
    /// <summary>True if the local keys allow all of it.</summary>
    public static bool IsAllowed(ProtectionDomain* domain, IbvSge* sges, uint count, bool writes)
    {
        for (uint i = 0; i < count; i++) if (sges[i].Length != 0 && !RegionTable.TryFind(domain, sges[i], writes, out _)) return false;
        return true;
    }

    /// <summary>Copies <paramref name="bytes"/> of the payload from <paramref name="offset"/> on to <paramref name="target"/>. False if a byte cannot be read.</summary>
    public static bool Gather(WorkRequest* request, ulong offset, byte* target, ulong bytes)
    {
        if (request->IsInline) return Copy(target, WorkRequest.Inline(request) + offset, bytes);
        return Walk(WorkRequest.Sges(request), request->SgeCount, offset, target, bytes, scatters: false);
    }

    /// <summary>Copies from <paramref name="source"/> into the elements, likewise.</summary>
    public static bool Scatter(IbvSge* sges, uint count, ulong offset, byte* source, ulong bytes) => Walk(sges, count, offset, source, bytes, scatters: true);

    /// <summary>A copy whose last bytes are stored last: programs watch the last byte of what is written into their memory.</summary>
    public static bool Copy(byte* target, byte* source, ulong bytes)
    {
        const ulong ordered = 2048, last = 64;
        if (bytes < ordered) return bytes == 0 || Process.Copy(target, source, (nuint)bytes) == 0;
        return Process.Copy(target, source, (nuint)(bytes - last)) == 0 && Process.Copy(target + bytes - last, source + bytes - last, (nuint)last) == 0;
    }

    /// <summary>Keys were checked when the request began; addresses are looked up again, because a region may have been deregistered since.</summary>
    private static bool Walk(IbvSge* sges, uint count, ulong offset, byte* other, ulong bytes, bool scatters)
    {
        for (uint i = 0; i < count && bytes != 0; i++)
        {
            IbvSge element = sges[i];
            if (offset >= element.Length) { offset -= element.Length; continue; }
            ulong step = element.Length - offset;
            if (step > bytes) step = bytes;
            byte* memory = RegionTable.Translate(element);
            if (memory == null) return false;
            if (scatters ? !Copy(memory + offset, other, step) : !Copy(other, memory + offset, step)) return false;
            other += step;
            bytes -= step;
            offset = 0;
        }
        return bytes == 0;
    }
}
