using System.Globalization;

namespace FreeFlow.Rdma.Hardware;

/// <summary>Reads a function's file "config": lines "Key : Value". Unknown lines say nothing, and a number that is none is zero.</summary>
internal static class FunctionSettings
{
    internal static VirtualFunction Parse(string text)
    {
        VirtualFunction function = new();
        foreach (string line in text.Split('\n'))
        {
            string[] parts = line.Split(" : ", 2);
            if (parts.Length == 2) function = With(function, parts[0].TrimEnd(), parts[1]);
        }
        return function;
    }

    private static VirtualFunction With(VirtualFunction function, string key, string value) => key switch
    {
        "MAC" => function with { Mac = value },
        "VLAN" => function with { Vlan = Number(value) },
        "QoS" => function with { Qos = Number(value) },
        "VLAN Proto" => function with { VlanProtocol = value },
        "SpoofCheck" => function with { SpoofCheck = value },
        "Trust" => function with { Trust = value },
        "LinkState" => function with { LinkState = value },
        "MinTxRate" => function with { MinTxRate = Number(value) },
        "MaxTxRate" => function with { MaxTxRate = Number(value) },
        "VGT+" => function with { VgtPlus = value },
        "RateGroup" => function with { RateGroup = Number(value) },
        _ => function,
    };

    private static uint Number(string value) => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
        ? number : 0;
}
