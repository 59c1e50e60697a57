using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>The bytes of a range's call and its answer, and answers that are none.</summary>
public sealed class GrpcCallTests
{
    // Header (cluster 5, revision 300), one entry ("a" → "bc", created 1, modified 2, version 3, lease 9), more, count 70,000; and one field of each other kind that nobody knows.
    private const string Answer = "0a05" + "0805" + "18ac02" + "1211" + "0a0161" + "1001" + "1802" + "2003" + "2a026263" + "3009" + "7a00" + "1801" + "20f0a204" + "79" + "0102030405060708" + "7d" + "01020304" + "8001ffffffffffffffffff01";

    [Test]
    public void A_request_has_the_bytes_of_etcds_definition()
    {
        byte[] all = RangeProtobuf.Write(new() { key = "k"u8.ToArray(), range_end = "l"u8.ToArray(), limit = 300, revision = 5, serializable = true, keys_only = true });
        Assert.That(Convert.ToHexString(all), Is.EqualTo("0A016B" + "12016C" + "18AC02" + "2005" + "3801" + "4001"));
        Assert.That(Convert.ToHexString(RangeProtobuf.Write(new() { key = "k"u8.ToArray() })), Is.EqualTo("0A016B"), "what is zero is left out");
    }

    [Test]
    public void An_answer_is_read_and_what_is_unknown_passed_over() => CheckAnswer(RangeProtobuf.Read(Bytes(Answer)));

    [Test]
    public void Bytes_that_are_no_answer_are_refused_whatever_they_are([Range(1, 4)] int seed)
    {
        Random random = new(seed);
        byte[] good = Bytes(Answer);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] bytes = good[..random.Next(good.Length + 1)];
            for (int change = random.Next(4); change > 0 && bytes.Length > 0; change--) bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0xff, 1 => 0x80, _ => (byte)random.Next(256) };
            try { RangeProtobuf.Read(bytes); }
            catch (InvalidDataException) { /* The only thing that it may throw. */ }
        }
    }

    [TestCase("0A05")]
    [TestCase("0AFFFFFFFFFFFFFFFFFF01")]
    [TestCase("1880")]
    [TestCase("18FFFFFFFFFFFFFFFFFFFF01")]
    [TestCase("0001")]
    [TestCase("0B")]
    [TestCase("79010203")]
    [TestCase("120A0A09")]
    public void A_field_that_is_longer_than_the_message_or_none_is_refused(string hex) => Assert.That(() => RangeProtobuf.Read(Bytes(hex)), Throws.InstanceOf<InvalidDataException>());

    [Test]
    public async Task A_call_is_framed_and_its_answer_taken_with_the_status_behind_it()
    {
        Server server = new(Framed(Bytes(Answer)), "0");
        CheckAnswer(await AskAsync(server));
        Assert.That(server.Asked, Is.EqualTo("POST http://etcd/etcdserverpb.KV/Range 2.0 application/grpc trailers secret 0000000003" + "0A016B"));
    }

    [TestCase("00000000", "0", TestName = "An_answer_without_a_whole_prefix")]
    [TestCase("0000000005" + "0a", "0", TestName = "An_answer_that_breaks_off")]
    [TestCase("0100000000", "0", TestName = "A_compressed_answer")]
    [TestCase("00FFFFFFFF", "0", TestName = "An_answer_of_four_gibibytes")]
    [TestCase("0004000001", "0", TestName = "An_answer_longer_than_is_read")]
    [TestCase("0000000000" + "0000000000", "0", TestName = "Two_messages")]
    [TestCase("0000000001" + "0a", "0", TestName = "A_message_that_is_none")]
    [TestCase("0000000000", "13", TestName = "A_message_and_an_error")]
    [TestCase("0000000000", null, TestName = "A_message_without_status")]
    [TestCase("", "16", TestName = "No_message_and_an_error")]
    public void Is_refused(string hex, string? status) => Assert.That(() => AskAsync(new(Bytes(hex), status)), Throws.InstanceOf<InvalidDataException>().Or.InstanceOf<IOException>());

    [Test]
    public void A_status_among_the_headers_is_an_error_without_a_message() => Assert.That(() => AskAsync(new([], null, early: "12")), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("12"));

    [Test]
    public void An_HTTP_error_is_one() => Assert.That(() => AskAsync(new([], null, code: HttpStatusCode.BadGateway)), Throws.InstanceOf<HttpRequestException>());

    private static void CheckAnswer(RangeResponse answer) =>
        Assert.That(JsonSerializer.Serialize(answer, EtcdJson.Default.RangeResponse), Is.EqualTo("""{"header":{"cluster_id":"5","revision":"300"},"kvs":[{"key":"YQ==","value":"YmM=","mod_revision":"2","version":"3","lease":"9"}],"more":true,"count":"70000"}"""));

    private static async Task<RangeResponse> AskAsync(Server server)
    {
        using HttpClient http = new(server);
        return await GrpcCall.AskAsync(http, new("http://etcd/etcdserverpb.KV/Range"), "secret", RangeProtobuf.Write(new() { key = "k"u8.ToArray() }), RangeProtobuf.Read, CancellationToken.None);
    }

    private static byte[] Framed(byte[] message) => [0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length, .. message];

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);

    /// <summary>Answers every call with the same bytes and status.</summary>
    private sealed class Server(byte[] body, string? status, string? early = null, HttpStatusCode code = HttpStatusCode.OK) : HttpMessageHandler
    {
        public string Asked { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
        {
            byte[] asked = await request.Content!.ReadAsByteArrayAsync(stop);
            Asked = $"{request.Method} {request.RequestUri} {request.Version} {request.Content.Headers.ContentType} {request.Headers.TE} {request.Headers.GetValues("authorization").Single()} {Convert.ToHexString(asked)}";
            HttpResponseMessage response = new(code) { Content = new ByteArrayContent(body) };
            if (early is not null) response.Headers.Add("grpc-status", early);
            if (status is not null) response.TrailingHeaders.Add("grpc-status", status);
            return response;
        }
    }
}
