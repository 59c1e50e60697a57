using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Memory;

/// <summary>Walks over the application's buffers (readv(2), sendmsg(2)) without changing them.</summary>
internal unsafe struct VectorCursor
{
    private IoVector* _current;
    private nuint _left;
    private nuint _offset;

    public VectorCursor(IoVector* vectors, nuint count)
    {
        _current = vectors;
        _left = count;
        _offset = 0;
        SkipEmpty();
    }

    /// <summary>True if no byte is left.</summary>
    public readonly bool AtEnd => _left == 0;

    /// <summary>Start and length of the next contiguous piece.</summary>
    public readonly byte* Pointer => _current->Base + _offset;
    public readonly nuint Contiguous => _current->Length - _offset;

    /// <summary>Moves on by at most <see cref="Contiguous"/> bytes.</summary>
    public void Advance(nuint bytes)
    {
        _offset += bytes;
        if (_offset == _current->Length) { _current++; _left--; _offset = 0; SkipEmpty(); }
    }

    /// <summary>Moves on by so many bytes, which there are.</summary>
    public void AdvanceAll(nuint bytes)
    {
        while (bytes > 0)
        {
            nuint piece = Contiguous < bytes ? Contiguous : bytes;
            Advance(piece);
            bytes -= piece;
        }
    }

    /// <summary>Bytes in all the buffers, or the maximum if the sum overflows.</summary>
    public static nuint Total(IoVector* vectors, nuint count)
    {
        nuint total = 0;
        for (nuint i = 0; i < count; i++)
        {
            nuint next = total + vectors[i].Length;
            if (next < total) return nuint.MaxValue;
            total = next;
        }
        return total;
    }

    /// <summary>Bytes in what is left.</summary>
    public static nuint Total(ref VectorCursor cursor)
    {
        nuint rest = cursor._left == 0 ? 0 : Total(cursor._current, cursor._left);
        return rest == nuint.MaxValue ? rest : rest - cursor._offset;
    }

    /// <summary>Writes what is left, at most <paramref name="limit"/> bytes, to <paramref name="target"/>; returns how many vectors that took.</summary>
    public readonly nuint CopyTo(IoVector* target, nuint capacity, nuint limit)
    {
        VectorCursor cursor = this;
        nuint used = 0;
        while (!cursor.AtEnd && limit > 0 && used < capacity)
        {
            nuint piece = cursor.Contiguous < limit ? cursor.Contiguous : limit;
            target[used].Base = cursor.Pointer;
            target[used].Length = piece;
            used++;
            limit -= piece;
            cursor.Advance(piece);
        }
        return used;
    }

    private void SkipEmpty()
    {
        while (_left > 0 && _current->Length == 0) { _current++; _left--; }
    }
}
