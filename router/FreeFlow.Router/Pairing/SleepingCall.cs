using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FreeFlow.Router.Pairing;

/// <summary>A system call that a thread sleeps in, as /proc/PID/task/TID/syscall tells it (proc(5)).</summary>
/// <param name="Kind">Which it is.</param>
/// <param name="First">Its descriptor, or how many.</param>
/// <param name="Second">An address: of an array for poll(2), of the first set for select(2).</param>
/// <param name="Third">The length of that array.</param>
/// <param name="Instruction">Where the thread goes on: behind the instruction that made the call.</param>
internal readonly record struct SleepingCall(SleepingCallKind Kind, ulong First, ulong Second, ulong Third, ulong Instruction)
{
    /// <summary>By their numbers (asm/unistd.h).</summary>
    private static readonly Dictionary<int, SleepingCallKind> s_calls = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        ? new()
        {
            [63] = SleepingCallKind.Receive, [65] = SleepingCallKind.Receive, [207] = SleepingCallKind.Receive, [212] = SleepingCallKind.Receive, [243] = SleepingCallKind.Receive,
            [73] = SleepingCallKind.Poll, [72] = SleepingCallKind.Select, [22] = SleepingCallKind.Epoll, [441] = SleepingCallKind.Epoll,
        }
        : new()
        {
            [0] = SleepingCallKind.Receive, [19] = SleepingCallKind.Receive, [45] = SleepingCallKind.Receive, [47] = SleepingCallKind.Receive, [299] = SleepingCallKind.Receive,
            [7] = SleepingCallKind.Poll, [271] = SleepingCallKind.Poll, [23] = SleepingCallKind.Select, [270] = SleepingCallKind.Select,
            [232] = SleepingCallKind.Epoll, [281] = SleepingCallKind.Epoll, [441] = SleepingCallKind.Epoll,
        };

    /// <summary>
    /// "number argument… stack instruction", the number decimal and the rest hexadecimal, for a thread that sleeps in a call. Null for any other call, and for a thread that does not
    /// sleep ("running") or not in a call (−1).
    /// </summary>
    public static SleepingCall? Parse(string line)
    {
        const int fields = 9;
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length != fields || !int.TryParse(words[0], CultureInfo.InvariantCulture, out int number) || !s_calls.TryGetValue(number, out SleepingCallKind kind)) return null;
        ulong first = Word(words[1]), second = Word(words[2]), third = Word(words[3]);
        return kind == SleepingCallKind.Poll ? new SleepingCall(kind, 0, first, second, Word(words[^1])) : new SleepingCall(kind, first, second, third, Word(words[^1]));
    }

    private static ulong Word(string text) => ulong.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong word) ? word : 0;
}
