namespace FreeFlow.Router.Pairing;

/// <summary>The memory of a ring that programs were given. They may keep it for as long as they like, whatever they say.</summary>
/// <param name="handle">Of its memory; null if the kernel gives none.</param>
/// <param name="bytes">Its size.</param>
/// <param name="firstUser">Whose programs have it.</param>
/// <param name="secondUser">The other one; the same if only one program has it.</param>
/// <param name="ends">How many ends have been given it; the event loop's.</param>
internal sealed class GivenRing(MemoryHandle? handle, ulong bytes, uint firstUser, uint secondUser, int ends)
{
    private int _ends = ends;

    public ulong Bytes { get; } = bytes;

    /// <summary>Who is charged for what is kept: the two users, the lower uid first.</summary>
    public (uint Lower, uint Higher) Users { get; } = firstUser < secondUser ? (firstUser, secondUser) : (secondUser, firstUser);

    /// <summary>False if nobody can say.</summary>
    public bool IsKnown => handle is not null;

    /// <summary>True while somebody has the memory, as far as is known. Any thread.</summary>
    public bool IsHeld => handle?.IsHeld ?? false;

    /// <summary>An end has left it. True if that was the last one. The event loop's.</summary>
    public bool Leave() => --_ends == 0;
}
