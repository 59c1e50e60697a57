using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>Splits a method body into instructions (ECMA-335, partition III).</summary>
public static class IlDecoder
{
    private static readonly Dictionary<ushort, OpCode> ByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (ushort)code.Value);

    public static IEnumerable<Instruction> Decode(byte[] il)
    {
        for (int at = 0; at < il.Length;)
        {
            ushort value = il[at++];
            if (value == 0xfe) value = (ushort)(0xfe00 | il[at++]);
            OpCode code = ByValue[value];
            int token = HasToken(code.OperandType) ? BitConverter.ToInt32(il, at) : 0;
            at += OperandBytes(code.OperandType, il, at);
            yield return new Instruction(code, token);
        }
    }

    private static bool HasToken(OperandType type) =>
        type is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok or OperandType.InlineSig;

    private static int OperandBytes(OperandType type, byte[] il, int at) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
        _ => 4,
    };
}
