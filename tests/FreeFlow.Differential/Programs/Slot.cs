namespace FreeFlow.Differential.Programs;

/// <summary>A descriptor of a process, by the number under which the steps name it.</summary>
internal sealed record Slot(SlotKind Kind, Connection? Connection, int Side, Description Description);

internal enum SlotKind { Stream, Epoll }
