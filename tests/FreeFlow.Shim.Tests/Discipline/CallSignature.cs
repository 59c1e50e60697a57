using System;
using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.CompilerServices;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>Reads the stand-alone signature of a calli (ECMA-335, II.23.2.3).</summary>
public static unsafe class CallSignature
{
    /// <summary>True if the call is managed, or unmanaged with SuppressGCTransition; other calls tell the runtime about a thread that it does not know.</summary>
    public static bool StaysOutOfTheRuntime(Module module, int token)
    {
        byte[] bytes = module.ResolveSignature(token);
        fixed (byte* start = bytes)
        {
            BlobReader reader = new(start, bytes.Length);
            SignatureHeader header = reader.ReadSignatureHeader();
            if (header.CallingConvention == SignatureCallingConvention.Default) return true;
            if (header.CallingConvention != SignatureCallingConvention.Unmanaged) return false;
            if (header.IsGeneric) reader.ReadCompressedInteger();
            reader.ReadCompressedInteger();
            // The convention's details are modifiers of the return type.
            while (reader.ReadSignatureTypeCode() is SignatureTypeCode.OptionalModifier or SignatureTypeCode.RequiredModifier)
            {
                int modifier = System.Reflection.Metadata.Ecma335.MetadataTokens.GetToken(reader.ReadTypeHandle());
                if (module.ResolveType(modifier).FullName == "System.Runtime.CompilerServices.CallConvSuppressGCTransition") return true;
            }
            return false;
        }
    }
}
