using System;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>The environment's say, read once at load. Names that FreeFlow's users know are taken as aliases.</summary>
internal static unsafe class Settings
{
    private const ulong DefaultSpinNanoseconds = 100_000;

    /// <summary>FREEFLOW_OFFER_AFTER=messages[/bytes]: a connection is offered after that much.</summary>
    public static uint OfferAfterMessages;
    public static ulong OfferAfterBytes;

    /// <summary>FREEFLOW_JOIN=wait: connect and accept wait for the join, at most FREEFLOW_JOIN_TIMEOUT_MS.</summary>
    public static bool WaitForJoin;
    public static ulong JoinTimeoutNanoseconds;

    /// <summary>FREEFLOW_SPIN_US: upper bound of the adaptive spin; DISABLE_FASTPATH=1 means 0.</summary>
    public static ulong SpinNanoseconds;

    /// <summary>FREEFLOW_DEBUG or DEBUG_FREEFLOW.</summary>
    public static bool Debug;

    /// <summary>FREEFLOW_STRICT=1: every silent fallback is a line on stderr.</summary>
    public static bool Strict;

    /// <summary>FREEFLOW_SOCKET, a NUL-terminated path.</summary>
    public static byte* SocketPath;

    /// <summary>FREEFLOW_NAME, FFR_NAME or FFR_ID; may be null.</summary>
    public static byte* ContainerName;

    /// <summary>VNET_PREFIX, an IPv4 CIDR in host order; mask 0 accelerates everything.</summary>
    public static uint PrefixAddress;
    public static uint PrefixMask;

    public static void Read()
    {
        Debug = IsSet("FREEFLOW_DEBUG\0"u8) || IsSet("DEBUG_FREEFLOW\0"u8);
        Strict = IsSet("FREEFLOW_STRICT\0"u8);
        OfferAfterMessages = 8;
        OfferAfterBytes = 64 * 1024;
        byte* text = Get("FREEFLOW_OFFER_AFTER\0"u8);
        if (text != null)
        {
            OfferAfterMessages = (uint)Number(ref text);
            OfferAfterBytes = OfferAfterMessages == 0 ? 0 : ulong.MaxValue;
            if (*text == '/') { text++; OfferAfterBytes = Number(ref text); }
        }
        text = Get("FREEFLOW_JOIN\0"u8);
        WaitForJoin = text != null && Is(text, "wait"u8);
        JoinTimeoutNanoseconds = 200_000_000;
        text = Get("FREEFLOW_JOIN_TIMEOUT_MS\0"u8);
        if (text != null) JoinTimeoutNanoseconds = Number(ref text) * 1_000_000;
        SpinNanoseconds = DefaultSpinNanoseconds;
        text = Get("FREEFLOW_SPIN_US\0"u8);
        if (text != null) SpinNanoseconds = Number(ref text) * 1000;
        if (IsSet("DISABLE_FASTPATH\0"u8)) SpinNanoseconds = 0;
        SocketPath = Get("FREEFLOW_SOCKET\0"u8);
        ContainerName = Get("FREEFLOW_NAME\0"u8);
        if (ContainerName == null) ContainerName = Get("FFR_NAME\0"u8);
        if (ContainerName == null) ContainerName = Get("FFR_ID\0"u8);
        text = Get("VNET_PREFIX\0"u8);
        if (text != null) ReadPrefix(text);
    }

    private static void ReadPrefix(byte* text)
    {
        uint address = 0;
        for (int i = 0; i < 4; i++)
        {
            address = (address << 8) | ((uint)Number(ref text) & 0xff);
            if (i < 3 && *text != '.') { Log.Line("VNET_PREFIX is not an IPv4 CIDR such as 10.0.0.0/8; ignored\n"u8); return; }
            if (i < 3) text++;
        }
        uint bits = 32;
        if (*text == '/') { text++; bits = (uint)Number(ref text); }
        if (bits > 32) { Log.Line("VNET_PREFIX has more than 32 bits; ignored\n"u8); return; }
        PrefixMask = bits == 0 ? 0 : uint.MaxValue << (int)(32 - bits);
        PrefixAddress = address & PrefixMask;
    }

    /// <summary>The variable's text, or null if it is unset or empty.</summary>
    private static byte* Get(ReadOnlySpan<byte> name)
    {
        fixed (byte* pointer = name)
        {
            byte* text = Process.Libc->getenv(pointer);
            return text == null || *text == 0 ? null : text;
        }
    }

    private static bool IsSet(ReadOnlySpan<byte> name)
    {
        byte* text = Get(name);
        return text != null && !(text[0] == '0' && text[1] == 0);
    }

    private static bool Is(byte* text, ReadOnlySpan<byte> word)
    {
        for (int i = 0; i < word.Length; i++) if (text[i] != word[i]) return false;
        return text[word.Length] == 0;
    }

    private static ulong Number(ref byte* text)
    {
        ulong value = 0;
        while (*text is >= (byte)'0' and <= (byte)'9' && value < 1_000_000_000_000) value = (value * 10) + (ulong)(*text++ - '0');
        return value;
    }
}
