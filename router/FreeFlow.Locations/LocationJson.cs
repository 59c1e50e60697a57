using System.Text.Json.Serialization;

namespace FreeFlow.Locations;

/// <summary>Generated (de)serialisers of what the daemons publish: no reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RouterDescription))]
internal sealed partial class LocationJson : JsonSerializerContext;
