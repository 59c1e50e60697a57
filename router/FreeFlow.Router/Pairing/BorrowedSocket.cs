using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// A program's own socket, once more, for a moment (pidfd_getfd(2)); needs the right to trace the program. Remembers which process had it and under which number, so that only the
/// first look, or one after the program has moved it, reads lists. One thread at a time.
/// </summary>
/// <param name="process">Who has shown it.</param>
/// <param name="number">Its number there, most likely; −1 if unknown.</param>
/// <param name="name">Which one it is.</param>
/// <param name="mostNames">How many names of descriptors and threads one search reads at most: programs decide how many there are.</param>
internal sealed class BorrowedSocket(int process, int number, SocketName name, int mostNames = BorrowedSocket.MostNames)
{
    /// <summary>A search of so many names takes some 200 ms.</summary>
    public const int MostNames = 1 << 17;

    private const int MostRelatives = 64;

    private readonly int _process = process;
    private int _holder = process;
    private int _number = number;

    /// <summary>What the search at hand may still read.</summary>
    private int _left;

    /// <summary>Names that have been read so far, by all searches of this object.</summary>
    public long NamesRead { get; private set; }

    /// <summary>A descriptor of the socket, the caller's to close at once, or −1 if neither the process nor what it has forked has it, as far as the search goes.</summary>
    public int Take()
    {
        int socket = TakeKnown(_holder);
        if (socket >= 0) return socket;
        _left = mostNames;
        List<int> relatives = Relatives();
        // What was forked has it under the same number, most often.
        socket = TakeFirst(relatives, TakeKnown);
        if (socket < 0) socket = TakeFirst(relatives, Search);
        NamesRead += mostNames - _left;
        return socket;
    }

    /// <summary>Closes what was taken. If the program has closed it meanwhile, that may wait for as long as the program has asked for (SO_LINGER).</summary>
    public static void GiveBack(int socket) => ForeignDescriptors.CloseBorrowed(socket);

    private int TakeFirst(List<int> relatives, Func<int, int> take)
    {
        foreach (int relative in relatives)
        {
            int socket = take(relative);
            if (socket < 0) continue;
            _holder = relative;
            return socket;
        }
        return -1;
    }

    private int TakeKnown(int relative) => OpenDescriptors.IsSocket(relative, _number, name.Inode) ? Take(relative, _number) : -1;

    private int Search(int relative)
    {
        int found = OpenDescriptors.FindSocket(relative, name.Inode, ref _left);
        if (found < 0) return -1;
        int socket = Take(relative, found);
        if (socket >= 0) _number = found;
        return socket;
    }

    /// <summary>The process and what it has forked, so far as the kernel says (CONFIG_PROC_CHILDREN).</summary>
    private List<int> Relatives()
    {
        List<int> relatives = [_process];
        for (int next = 0; next < relatives.Count && relatives.Count < MostRelatives && _left > 0; next++) AddChildren(relatives, relatives[next]);
        return relatives;
    }

    private void AddChildren(List<int> relatives, int parent)
    {
        try
        {
            foreach (string thread in Directory.EnumerateDirectories($"/proc/{parent}/task"))
            {
                if (--_left < 0 || relatives.Count >= MostRelatives) return;
                string[] children = File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
                relatives.AddRange(children.Take(MostRelatives - relatives.Count).Select(text => int.Parse(text, CultureInfo.InvariantCulture)));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { } // it is gone, or not to be looked at
    }

    /// <summary>The number may stand for something else by now.</summary>
    private int Take(int holder, int descriptor)
    {
        int handle = (int)Libc.syscall(Libc.SYS_pidfd_open, holder, 0, 0);
        if (handle < 0) return -1;
        int socket = (int)Libc.syscall(Libc.SYS_pidfd_getfd, handle, descriptor, 0);
        Libc.close(handle);
        if (socket < 0 || name.IsThatOf(socket)) return socket;
        GiveBack(socket);
        return -1;
    }
}
