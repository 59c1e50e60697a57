using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>Looks through one method's IL: what it must not do, and which methods it leads to.</summary>
public sealed class MethodInspector
{
    private readonly MethodBase _method;
    private readonly Type[]? _typeArguments, _methodArguments;
    private readonly List<string> _violations = [];
    private readonly List<MethodBase> _callees = [];

    private MethodInspector(MethodBase method)
    {
        _method = method;
        _typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        _methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
    }

    /// <summary>The violations of the method itself, and the methods it calls or takes the address of.</summary>
    public static (IReadOnlyList<string> Violations, IReadOnlyList<MethodBase> Callees) Inspect(MethodBase method)
    {
        MethodInspector inspector = new(method);
        inspector.Run();
        return (inspector._violations, inspector._callees);
    }

    private void Run()
    {
        if (_method.GetMethodBody() is not { } body) { _violations.Add("a method without a body (DllImport or internal call)"); return; }
        foreach (ExceptionHandlingClause clause in body.ExceptionHandlingClauses) _violations.Add($"try with {clause.Flags} handler");
        Type? constrained = null;
        foreach (Instruction instruction in IlDecoder.Decode(body.GetILAsByteArray()!))
        {
            Check(instruction, constrained);
            constrained = instruction.Code == OpCodes.Constrained ? ResolveType(instruction.Token) : null;
        }
    }

    private void Check(Instruction instruction, Type? constrained)
    {
        OpCode code = instruction.Code;
        if (code == OpCodes.Newobj) CheckConstructor(ResolveMethod(instruction.Token));
        else if (code == OpCodes.Call || code == OpCodes.Callvirt) CheckCall(ResolveMethod(instruction.Token), code, constrained);
        else if (code == OpCodes.Ldftn) _callees.Add(ResolveMethod(instruction.Token));
        else if (code == OpCodes.Calli) CheckIndirectCall(instruction.Token);
        else if (code == OpCodes.Ldsfld || code == OpCodes.Ldsflda || code == OpCodes.Stsfld) CheckStaticField(ResolveField(instruction.Token), code);
        else if (code == OpCodes.Box) { if (ResolveType(instruction.Token).IsValueType) _violations.Add($"box {ResolveType(instruction.Token)}"); }
        else if (IsForbidden(code)) _violations.Add(code.Name!);
    }

    private static bool IsForbidden(OpCode code) =>
        code == OpCodes.Newarr || code == OpCodes.Throw || code == OpCodes.Rethrow || code == OpCodes.Ldstr || code == OpCodes.Ldvirtftn ||
        code == OpCodes.Castclass || code == OpCodes.Isinst || code == OpCodes.Unbox || code == OpCodes.Cpblk || code == OpCodes.Initblk || code == OpCodes.Jmp;

    private void CheckConstructor(MethodBase constructor)
    {
        if (!constructor.DeclaringType!.IsValueType) _violations.Add($"newobj {constructor.DeclaringType}");
        else CheckTarget(constructor);
    }

    private void CheckCall(MethodBase target, OpCode code, Type? constrained)
    {
        if (constrained is { IsValueType: true }) target = Implementation(constrained, target);
        else if ((code == OpCodes.Callvirt || constrained is not null) && target.IsVirtual) { _violations.Add($"virtual call of {Name(target)}"); return; }
        if (constrained is not null && target.DeclaringType is { IsValueType: false }) { _violations.Add($"box {constrained} for {Name(target)}"); return; }
        CheckTarget(target);
    }

    private void CheckTarget(MethodBase target)
    {
        if (target.Attributes.HasFlag(MethodAttributes.PinvokeImpl)) { _violations.Add($"p/invoke {Name(target)}"); return; }
        Type type = target.DeclaringType!;
        if (DisciplineWalker.IsWalked(type.Assembly))
        {
            if (HasPreciseInitializer(type)) _violations.Add($"call of {Name(target)}, whose type has a static constructor");
            _callees.Add(target);
        }
        else if (!AllowedCalls.Contains(target)) _violations.Add($"call of {Name(target)}");
    }

    private void CheckIndirectCall(int token)
    {
        if (!CallSignature.StaysOutOfTheRuntime(_method.Module, token)) _violations.Add("calli of an unmanaged signature without SuppressGCTransition");
    }

    private void CheckStaticField(FieldInfo field, OpCode code)
    {
        // The compiler puts its value in the field's place.
        if (field.DeclaringType == typeof(BitConverter) && field.Name == nameof(BitConverter.IsLittleEndian)) return;
        string name = $"{code.Name} {field.DeclaringType}.{field.Name}";
        if (field.DeclaringType!.TypeInitializer is not null) _violations.Add($"{name}, whose type has a static constructor");
        if (field.FieldType is { IsValueType: false, IsPointer: false, IsFunctionPointer: false }) _violations.Add($"{name}, a reference");
        if (field.CustomAttributes.Any(a => a.AttributeType == typeof(ThreadStaticAttribute))) _violations.Add($"{name}, a thread-static field");
    }

    // A precise static constructor runs at the first call; a relaxed one (field initialisers alone) at the first field access, seen there.
    private static bool HasPreciseInitializer(Type type) =>
        type.TypeInitializer is not null && !type.Attributes.HasFlag(TypeAttributes.BeforeFieldInit);

    private static MethodBase Implementation(Type type, MethodBase declared)
    {
        if (declared.DeclaringType == type) return declared;
        if (declared.DeclaringType!.IsInterface)
        {
            InterfaceMapping map = type.GetInterfaceMap(declared.DeclaringType);
            MethodBase definition = declared is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericMethodDefinition() : declared;
            MethodInfo found = map.TargetMethods[Array.IndexOf(map.InterfaceMethods, definition)];
            return found.IsGenericMethodDefinition ? found.MakeGenericMethod(declared.GetGenericArguments()) : found;
        }
        Type[] parameters = declared.GetParameters().Select(p => p.ParameterType).ToArray();
        return type.GetMethod(declared.Name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly, parameters) ?? declared;
    }

    private MethodBase ResolveMethod(int token) => _method.Module.ResolveMethod(token, _typeArguments, _methodArguments)!;

    private FieldInfo ResolveField(int token) => _method.Module.ResolveField(token, _typeArguments, _methodArguments)!;

    private Type ResolveType(int token) => _method.Module.ResolveType(token, _typeArguments, _methodArguments);

    private static string Name(MethodBase method) => $"{method.DeclaringType}.{method.Name}";
}
