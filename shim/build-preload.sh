#!/bin/sh
# Builds the preload library alone, from the generated trampolines and the glue: build-preload.sh FILE [gcc options].
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$1
shift
gcc -std=gnu11 -O2 -g "-ffile-prefix-map=$root=/freeflow" \
  -Wall -Wextra -Wconversion -Werror -fPIC -ftls-model=initial-exec -shared -fvisibility=hidden -fno-builtin -fno-plt -Wno-missing-attributes -Wl,-z,now -Wl,-z,relro -Wl,-z,noseparate-code -Wl,-z,nodelete \
  -I"$root/shim/native" -I"$root/artifacts/obj/exports" "$@" -o "$out" "$root/artifacts/obj/exports/trampolines.c" "$root/artifacts/obj/exports/verbs_calls.c" "$root"/shim/native/*.c "$root"/shim/native/*.S -ldl
