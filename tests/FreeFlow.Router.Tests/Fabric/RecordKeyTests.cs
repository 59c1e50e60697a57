using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FreeFlow.Router.Fabric.Wire;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>The bytes of sealed records, and that no other ones open.</summary>
public sealed class RecordKeyTests
{
    /// <summary>Computed by another implementation of HMAC and AES-GCM (Node.js): length, payload, tag; the last one with the second key.</summary>
    private static readonly string[] s_records = ["050000005C3DA8DEC8CD254315FF22304D5D4E4589BD61FF3B", "05000000961E3B0CD3D05110ECA1FAA8B0DC8E242903DE771F", "050000002C3F6C34F27C217A9EDD75912BD5E4003D29D013D3"];

    private static readonly string[] s_payloads = ["hello", "world", "again"];

    [Test]
    public void RecordsKeepTheirBytes()
    {
        using RecordKey key = Key();
        Assert.That(s_payloads.Select(payload => Convert.ToHexString(Seal(key, payload))), Is.EqualTo(s_records));
    }

    [Test]
    public void RecordsOpenInTheirOrderAcrossKeys()
    {
        using RecordKey key = Key();
        Assert.That(s_records.Select(record => Open(key, Convert.FromHexString(record))), Is.EqualTo(s_payloads));
    }

    [Test]
    public void ARecordThatIsChangedAnywhereDoesNotOpen()
    {
        for (int at = 0; at < s_records[0].Length / 2; at++)
        {
            byte[] record = Convert.FromHexString(s_records[0]);
            record[at] ^= 1;
            using RecordKey key = Key();
            Assert.That(Open(key, record), Is.Null, $"byte {at}");
        }
    }

    [TestCase(1, TestName = "The second one first")]
    [TestCase(2, TestName = "The next key's first one first")]
    [TestCase(0, 0, TestName = "One twice")]
    [TestCase(0, 2, TestName = "One left out")]
    [TestCase(0, 1, 1, TestName = "The last one of a key with the next")]
    [TestCase(0, 1, 0, TestName = "The first one with the next key")]
    public void ARecordInAnotherPlaceDoesNotOpen(params int[] order)
    {
        using RecordKey key = Key();
        List<string?> opened = [.. order.Select(index => Open(key, Convert.FromHexString(s_records[index])))];
        Assert.That(opened[^1], Is.Null);
        Assert.That(opened[..^1], Has.None.Null);
    }

    [Test]
    public void WhatTheOtherDirectionHasSealedDoesNotOpen()
    {
        using RecordKey one = Key(), other = new(new byte[RecordKey.SecretBytes], 2);
        Assert.That(Open(other, Seal(one, "hello")), Is.Null);
    }

    /// <summary>HKDF (RFC 5869) of both routers' secrets, computed by Python's hmac.</summary>
    [TestCase(true, "0C24C89B229B86786B222AFBD02EC57C2F47248ABDE129B05A6EDD80581D3B27")]
    [TestCase(false, "2148F55E9D5A2F21AD21D9ABF24DCCC7F45ADCF09E802BE1E7D68FF4F58629AD")]
    public void ADirectionsSecretIsOfWhatBothHaveDrawn(bool callerSeals, string secret)
    {
        byte[] both = [.. Enumerable.Range(0, 2 * RecordKey.SecretBytes).Select(i => (byte)i)];
        Assert.That(Convert.ToHexString(RecordKey.Secret(both.AsSpan(0, RecordKey.SecretBytes), both.AsSpan(RecordKey.SecretBytes), callerSeals)), Is.EqualTo(secret));
    }

    private static RecordKey Key() => new([.. Enumerable.Range(0, RecordKey.SecretBytes).Select(i => (byte)i)], recordsPerKey: 2);

    private static byte[] Seal(RecordKey key, string payload)
    {
        byte[] record = new byte[payload.Length + RecordKey.Overhead];
        Assert.That(key.Seal(Encoding.ASCII.GetBytes(payload), record), Is.EqualTo(record.Length));
        return record;
    }

    private static string? Open(RecordKey key, byte[] record)
    {
        byte[] payload = new byte[record.Length - RecordKey.Overhead];
        if (key.TryOpen(record, payload)) return Encoding.ASCII.GetString(payload);
        Assert.That(payload, Is.All.Zero, "nothing of what does not open is shown");
        return null;
    }
}
