using System.Reflection.Emit;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>One IL instruction; <paramref name="Token"/> is its metadata token, 0 if it has none.</summary>
public readonly record struct Instruction(OpCode Code, int Token);
