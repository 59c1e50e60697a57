using System;
using System.Text.Json;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Router.Observe;

/// <summary>The status's totals by program and service.</summary>
internal static class ProgramReport
{
    /// <summary>Writes "programs":[{program, container, uid, processes, reasons:{…}, services:[…]}].</summary>
    public static void Write(Utf8JsonWriter json, ProgramTotals totals)
    {
        json.WriteStartArray("programs");
        foreach (((uint user, string name, string container), ProgramSum program) in totals.Programs)
        {
            json.WriteStartObject();
            json.WriteString("program", name);
            json.WriteString("container", container);
            if (user != uint.MaxValue) json.WriteNumber("uid", user);
            json.WriteNumber("processes", program.Processes);
            json.WriteStartObject("reasons");
            for (int reason = 1; reason < program.Reasons.Length; reason++)
            {
                if (program.Reasons[reason] > 0 && Enum.IsDefined((Reason)reason)) json.WriteNumber(Words.Of((Reason)reason), program.Reasons[reason]);
            }
            json.WriteEndObject();
            json.WriteStartArray("services");
            foreach ((uint key, ServiceSum service) in program.Services) Write(json, key, service);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, uint key, ServiceSum service)
    {
        (ushort port, bool served) = ServiceTotals.Read(key);
        json.WriteStartObject();
        json.WriteNumber("port", port);
        json.WriteBoolean("served", served);
        json.WriteNumber("open", service.Open);
        json.WriteNumber("open_in_ring", service.OpenInRing);
        json.WriteNumber("ended", service.Ended);
        json.WriteNumber("ended_in_ring", service.EndedInRing);
        json.WriteNumber("kernel_sent", service.KernelSent);
        json.WriteNumber("kernel_received", service.KernelReceived);
        json.WriteNumber("ring_sent", service.RingSent);
        json.WriteNumber("ring_received", service.RingReceived);
        json.WriteEndObject();
    }
}
