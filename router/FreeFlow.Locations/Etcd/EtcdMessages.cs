using System.Text.Json.Serialization;

// The messages of etcd's API v3 (api/etcdserverpb/rpc.proto) as its JSON gateway writes them, as far as they are used:
// 64-bit numbers as strings, bytes in base64, fields with default values left out.
namespace FreeFlow.Locations.Etcd;

public sealed class ResponseHeader
{
    public ulong cluster_id { get; set; }
    public ulong member_id { get; set; }
    public long revision { get; set; }
}

public sealed class KeyValue
{
    public byte[] key { get; set; } = [];
    public byte[] value { get; set; } = [];
    public long mod_revision { get; set; }
    public long version { get; set; }
    public long lease { get; set; }
}

internal sealed class RangeRequest
{
    public byte[] key { get; set; } = [];
    public byte[]? range_end { get; set; }
    public long limit { get; set; }
    public long revision { get; set; }
    public bool serializable { get; set; }
    public bool keys_only { get; set; }
}

internal sealed class RangeResponse
{
    public ResponseHeader header { get; set; } = new();
    public KeyValue[] kvs { get; set; } = [];
    public bool more { get; set; }
    public long count { get; set; }
}

internal sealed class PutRequest
{
    public byte[] key { get; set; } = [];
    public byte[] value { get; set; } = [];
    public long lease { get; set; }
    public bool prev_kv { get; set; }
}

internal sealed class PutResponse
{
    public ResponseHeader header { get; set; } = new();
    public KeyValue? prev_kv { get; set; }
}

internal sealed class DeleteRequest
{
    public byte[] key { get; set; } = [];
    public byte[]? range_end { get; set; }
}

internal sealed class DeleteResponse
{
    public ResponseHeader header { get; set; } = new();
    public long deleted { get; set; }
}

internal sealed class Compare
{
    public byte[] key { get; set; } = [];
    public string target { get; set; } = "";
    public long? version { get; set; }
    public long? mod_revision { get; set; }
    public long? lease { get; set; }
}

internal sealed class Operation
{
    public RangeRequest? request_range { get; set; }
    public PutRequest? request_put { get; set; }
    public DeleteRequest? request_delete_range { get; set; }
}

internal sealed class TxnRequest
{
    public Compare[] compare { get; set; } = [];
    public Operation[] success { get; set; } = [];
    public Operation[] failure { get; set; } = [];
}

internal sealed class OperationResponse
{
    public RangeResponse? response_range { get; set; }
    public PutResponse? response_put { get; set; }
    public DeleteResponse? response_delete_range { get; set; }
}

internal sealed class TxnResponse
{
    public ResponseHeader header { get; set; } = new();
    public bool succeeded { get; set; }
    public OperationResponse[] responses { get; set; } = [];
}

internal sealed class LeaseGrantRequest
{
    public long TTL { get; set; }
}

internal sealed class LeaseRequest
{
    public long ID { get; set; }
}

internal sealed class LeaseResponse
{
    public ResponseHeader header { get; set; } = new();
    public long ID { get; set; }
    public long TTL { get; set; }
}

internal sealed class LeaseKeepAliveResponse
{
    public LeaseResponse? result { get; set; }
    public StreamError? error { get; set; }
}

internal sealed class AuthenticateRequest
{
    public string name { get; set; } = "";
    public string password { get; set; } = "";
}

internal sealed class AuthenticateResponse
{
    public string token { get; set; } = "";
}

internal sealed class WatchRequest
{
    public WatchCreateRequest create_request { get; set; } = new();
}

internal sealed class WatchCreateRequest
{
    public byte[] key { get; set; } = [];
    public byte[]? range_end { get; set; }
    public long start_revision { get; set; }
}

internal sealed class WatchMessage
{
    public WatchResponse? result { get; set; }
    public StreamError? error { get; set; }
}

internal sealed class WatchResponse
{
    public ResponseHeader header { get; set; } = new();
    public long watch_id { get; set; }
    public bool created { get; set; }
    public bool canceled { get; set; }
    public long compact_revision { get; set; }
    public string? cancel_reason { get; set; }
    public WatchEvent[] events { get; set; } = [];
}

internal sealed class WatchEvent
{
    /// <summary>"DELETE", or left out: a put.</summary>
    public string? type { get; set; }
    public KeyValue kv { get; set; } = new();
}

internal sealed class StreamError
{
    public int grpc_code { get; set; }
    public string? message { get; set; }
}

internal sealed class CallError
{
    public string? error { get; set; }
    public int code { get; set; }
}

[JsonSourceGenerationOptions(
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(RangeRequest))]
[JsonSerializable(typeof(RangeResponse))]
[JsonSerializable(typeof(PutRequest))]
[JsonSerializable(typeof(PutResponse))]
[JsonSerializable(typeof(DeleteRequest))]
[JsonSerializable(typeof(DeleteResponse))]
[JsonSerializable(typeof(TxnRequest))]
[JsonSerializable(typeof(TxnResponse))]
[JsonSerializable(typeof(LeaseGrantRequest))]
[JsonSerializable(typeof(LeaseRequest))]
[JsonSerializable(typeof(LeaseResponse))]
[JsonSerializable(typeof(LeaseKeepAliveResponse))]
[JsonSerializable(typeof(AuthenticateRequest))]
[JsonSerializable(typeof(AuthenticateResponse))]
[JsonSerializable(typeof(WatchRequest))]
[JsonSerializable(typeof(WatchMessage))]
[JsonSerializable(typeof(CallError))]
internal sealed partial class EtcdJson : JsonSerializerContext;
