#!/bin/sh
# Builds libfreeflow.so and libfreeflow-core.so into the folder given (default artifacts/bin).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/artifacts/bin}
generated=$root/artifacts/obj/exports
mkdir -p "$out"
dotnet run --project "$root/shim/FreeFlow.ExportGenerator" -c Release -v quiet -- "$root/shim/FreeFlow.Shim" "$generated"
"$root/shim/build-preload.sh" "$out/libfreeflow.so.new"
mv "$out/libfreeflow.so.new" "$out/libfreeflow.so"
dotnet publish "$root/shim/FreeFlow.Shim" -c Release -v quiet --nologo -o "$root/artifacts/obj/core"
cp "$root/artifacts/obj/core/FreeFlow.Shim.so" "$out/libfreeflow-core.so.new"
mv "$out/libfreeflow-core.so.new" "$out/libfreeflow-core.so"
cp "$root/artifacts/obj/core/FreeFlow.Shim.so.dbg" "$out/libfreeflow-core.so.dbg"
