using System;

namespace FreeFlow.Locations.Publishing;

/// <summary>What a publisher has in etcd.</summary>
/// <param name="Held">Keys under our lease.</param>
/// <param name="Lost">Keys that another claims with a newer claim.</param>
/// <param name="Waiting">Keys that are to be written or deleted.</param>
/// <param name="Lease">Zero: none.</param>
/// <param name="Problem">Null: etcd answers.</param>
public sealed record PublisherStatus(int Held, int Lost, int Waiting, long Lease, string? Problem);
