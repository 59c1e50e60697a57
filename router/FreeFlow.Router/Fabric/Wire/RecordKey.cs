using System;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>
/// Seals, or opens, one direction of a link: records of AES-128-GCM (NIST SP 800-38D), each with the next number as its nonce, so that one that is changed, left out, repeated or put elsewhere does not open.
/// The number is not sent. As in TLS 1.3 (RFC 8446, sections 5.5 and 7.2) a key serves for so many records only, and the secret that it came from is forgotten then. One thread.
/// </summary>
internal sealed class RecordKey : IDisposable
{
    /// <summary>Bytes of the secret that a direction begins with: as many as SHA-256 gives, or HKDF would not take it.</summary>
    public const int SecretBytes = 32;

    /// <summary>The payload's length, little endian, in the clear.</summary>
    public const int HeadBytes = 4;

    /// <summary>Bytes of a record beside its payload: the head, and behind the payload the tag.</summary>
    public const int Overhead = HeadBytes + TagBytes;

    /// <summary>Most payload of a record: small enough that the other side opens the first ones while more are on their way.</summary>
    public const int MostPayload = 64 * 1024;

    /// <summary>2³⁶ bytes at most; RFC 8446 asks for a new key after some 2³⁸.</summary>
    private const long RecordsPerKey = 1 << 20;
    private const int TagBytes = 16, KeyBytes = 16, NonceBytes = 12;

    private readonly byte[] _secret;
    private readonly long _recordsPerKey;
    private readonly byte[] _nonce = new byte[NonceBytes];
    private AesGcm _cipher;
    private long _records;

    /// <summary>
    /// The secret that a direction begins with: of what both routers have drawn, so that neither alone can bring about one that was used before, and another one for each direction.
    /// </summary>
    /// <param name="caller">What the router that has called has drawn, of <see cref="SecretBytes"/>.</param>
    /// <param name="called">What the other one has.</param>
    /// <param name="callerSeals">The direction: away from the caller.</param>
    public static byte[] Secret(ReadOnlySpan<byte> caller, ReadOnlySpan<byte> called, bool callerSeals)
    {
        Span<byte> both = stackalloc byte[2 * SecretBytes];
        caller.CopyTo(both);
        called.CopyTo(both[SecretBytes..]);
        // Where nothing moves it, so that no copy is left behind.
        byte[] secret = GC.AllocateUninitializedArray<byte>(SecretBytes, pinned: true);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, both, secret, salt: default, callerSeals ? "freeflow caller"u8 : "freeflow called"u8);
        CryptographicOperations.ZeroMemory(both);
        return secret;
    }

    /// <param name="secret">Of <see cref="SecretBytes"/>, known to the two routers and used once. It is this object's from now on.</param>
    /// <param name="recordsPerKey">After how many records the key changes; less only in tests.</param>
    public RecordKey(byte[] secret, long recordsPerKey = RecordsPerKey)
    {
        _secret = secret;
        _recordsPerKey = recordsPerKey;
        _cipher = Derive();
    }

    /// <summary>Puts a record into <paramref name="record"/>, which has <see cref="Overhead"/> bytes more than <paramref name="payload"/> or more; its length.</summary>
    public int Seal(ReadOnlySpan<byte> payload, Span<byte> record)
    {
        Advance();
        Span<byte> head = record[..HeadBytes];
        BinaryPrimitives.WriteInt32LittleEndian(head, payload.Length);
        _cipher.Encrypt(_nonce, payload, record.Slice(HeadBytes, payload.Length), record.Slice(HeadBytes + payload.Length, TagBytes), head);
        return payload.Length + Overhead;
    }

    /// <summary>Takes a whole record's payload; false, and <paramref name="payload"/> cleared, if it is not the one that the other router has sealed next.</summary>
    public bool TryOpen(ReadOnlySpan<byte> record, Span<byte> payload)
    {
        Advance();
        try
        {
            _cipher.Decrypt(_nonce, record.Slice(HeadBytes, payload.Length), record.Slice(HeadBytes + payload.Length, TagBytes), payload, record[..HeadBytes]);
            return true;
        }
        catch (AuthenticationTagMismatchException) { return false; }
    }

    public void Dispose()
    {
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_secret);
    }

    /// <summary>To the next record's nonce, and to the next key if this one has served.</summary>
    private void Advance()
    {
        if (_records == _recordsPerKey)
        {
            Span<byte> next = stackalloc byte[SecretBytes];
            HKDF.Expand(HashAlgorithmName.SHA256, _secret, next, "freeflow next"u8);
            next.CopyTo(_secret);
            CryptographicOperations.ZeroMemory(next);
            _cipher.Dispose();
            _cipher = Derive();
            _records = 0;
        }
        BinaryPrimitives.WriteInt64LittleEndian(_nonce, _records++);
    }

    private AesGcm Derive()
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, _secret, key, "freeflow key"u8);
        AesGcm cipher = new(key, TagBytes);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }
}
