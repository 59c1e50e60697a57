using System;
using System.Threading.Tasks;
using FreeFlow.Differential.Programs;

namespace FreeFlow.Differential.Running;

/// <summary>Performs programs on the kernel and on another road, side by side.</summary>
public sealed class Worker(Road road) : IDisposable
{
    private const int Tries = 4, KernelTries = 6;
    private readonly Lane _kernel = new(road.Kernel), _other = new(road);

    /// <summary>Bytes that programs read on the other road.</summary>
    public long Bytes { get; private set; }

    /// <summary>Of these, those that came through rings.</summary>
    public long RingBytes { get; private set; }

    /// <summary>Programs whose kernel road did not agree with itself, so that nothing can be said.</summary>
    public int Unsteady { get; private set; }

    /// <summary>Both roads once; the difference, if any.</summary>
    public Difference? Compare(SocketProgram program, out Outcome kernel, out Outcome other)
    {
        Task<Outcome> first = Task.Run(() => _kernel.Perform(program));
        other = _other.Perform(program);
        kernel = first.Result;
        Bytes += other.Bytes;
        RingBytes += other.RingBytes;
        return Comparison.Compare(program, kernel, other, road);
    }

    /// <summary>Tells a difference from an unsteady program, and makes a short program of a failing one.</summary>
    public Failure? Judge(SocketProgram program, bool shrink)
    {
        if (Compare(program, out Outcome kernel, out _) is not { } difference) return null;
        if (!IsSteady(program, kernel)) { Unsteady++; return null; }
        int again = 0;
        for (int i = 0; i < Tries; i++) if (Compare(program, out _, out _) is not null) again++;
        if (again == Tries && shrink)
        {
            program = Shrinker.Shrink(program, shorter => Compare(shorter, out Outcome shorterKernel, out _) is not null && IsSteady(shorter, shorterKernel) && Compare(shorter, out _, out _) is not null);
            difference = Compare(program, out _, out _) ?? difference;
        }
        return new Failure(road.Name, program, difference, again, Tries);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _other.Dispose();
    }

    private bool IsSteady(SocketProgram program, Outcome first)
    {
        for (int i = 0; i < KernelTries; i++) if (Comparison.Compare(program, first, _kernel.Perform(program), Road.Plain) is not null) return false;
        return true;
    }
}
