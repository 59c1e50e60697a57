using System;
using FreeFlow.Contract;

namespace FreeFlow.Shim.Control;

/// <summary>The names of <see cref="Reason"/> for messages, without an allocation.</summary>
internal static class ReasonNames
{
    public static ReadOnlySpan<byte> Of(Reason reason) => reason switch
    {
        Reason.None => "None"u8,
        Reason.NotYetOffered => "NotYetOffered"u8,
        Reason.NoRouter => "NoRouter"u8,
        Reason.PeerNotOffered => "PeerNotOffered"u8,
        Reason.SharedByFork => "SharedByFork"u8,
        Reason.NestedEpoll => "NestedEpoll"u8,
        Reason.UnprovenNamespace => "UnprovenNamespace"u8,
        Reason.AmbiguousAddress => "AmbiguousAddress"u8,
        Reason.OutsidePrefix => "OutsidePrefix"u8,
        Reason.DescriptorLimit => "DescriptorLimit"u8,
        Reason.MemoryLimit => "MemoryLimit"u8,
        Reason.CorruptRing => "CorruptRing"u8,
        Reason.KernelOnlyOption => "KernelOnlyOption"u8,
        Reason.Disabled => "Disabled"u8,
        Reason.PeerClosed => "PeerClosed"u8,
        Reason.BytesOutOfSight => "BytesOutOfSight"u8,
        Reason.StandardIoStream => "StandardIoStream"u8,
        Reason.Exec => "Exec"u8,
        Reason.DescriptorPassed => "DescriptorPassed"u8,
        Reason.VersionMismatch => "VersionMismatch"u8,
        Reason.RouterLimit => "RouterLimit"u8,
        Reason.NotEstablished => "NotEstablished"u8,
        Reason.PeerGone => "PeerGone"u8,
        Reason.TableFull => "TableFull"u8,
        Reason.NoWitness => "NoWitness"u8,
        Reason.Busy => "Busy"u8,
        Reason.Sandboxed => "Sandboxed"u8,
        Reason.AnotherRoad => "AnotherRoad"u8,
        Reason.ClosedRegistration => "ClosedRegistration"u8,
        Reason.Policy => "Policy"u8,
        Reason.Translated => "Translated"u8,
        Reason.WayLost => "WayLost"u8,
        Reason.LabelsUnknown => "LabelsUnknown"u8,
        Reason.UntrustedRouter => "UntrustedRouter"u8,
        Reason.ReadinessOutOfSight => "ReadinessOutOfSight"u8,
        _ => "unknown"u8,
    };
}
