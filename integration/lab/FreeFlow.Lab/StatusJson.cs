using System.Text.Json.Serialization;

namespace FreeFlow.Lab;

/// <summary>Reads <see cref="RouterStatus"/> without reflection: the command freeflow is compiled ahead of time.</summary>
[JsonSerializable(typeof(RouterStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
