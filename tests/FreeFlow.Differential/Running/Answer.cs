namespace FreeFlow.Differential.Running;

/// <summary>What one step answered.</summary>
/// <param name="Text">Result, errno, bytes' digest, flags, as native/*.c says them.</param>
/// <param name="WokenAt">The step that ended its sleep: its own number if it did not sleep; −1 if only the end of the program did.</param>
public sealed record Answer(string Text, int WokenAt)
{
    /// <inheritdoc/>
    public override string ToString() => WokenAt < 0 ? "sleeps to the end" : Text;
}
