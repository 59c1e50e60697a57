#!/bin/sh
# Builds libfreeflow.so and libfreeflow-core.so into the folder given (default artifacts/bin).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/artifacts/bin}
generated=$root/artifacts/obj/exports
mkdir -p "$out"
dotnet run --project "$root/shim/FreeFlow.ExportGenerator" -c Release -v quiet -- "$root/shim/FreeFlow.Shim" "$generated"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -ftls-model=initial-exec -shared -fvisibility=hidden -fno-builtin -fno-plt -Wno-missing-attributes -Wl,-z,now -Wl,-z,norelro -Wl,-z,noseparate-code -Wl,-z,nodelete \
  -I"$root/shim/native" -o "$out/libfreeflow.so.new" "$generated/trampolines.c" "$root"/shim/native/*.c "$root"/shim/native/*.S -ldl
mv "$out/libfreeflow.so.new" "$out/libfreeflow.so"
dotnet publish "$root/shim/FreeFlow.Shim" -c Release -v quiet --nologo -o "$root/artifacts/obj/core"
cp "$root/artifacts/obj/core/FreeFlow.Shim.so" "$out/libfreeflow-core.so.new"
mv "$out/libfreeflow-core.so.new" "$out/libfreeflow-core.so"
