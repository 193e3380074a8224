#!/usr/bin/env bash
# Builds the bundle: the program, the tests of devices and the benchmarks, to run on a machine with a GPU.
#
#   scripts/bundle.sh [FILE]        FILE is target/opnorm-bundle.tar.xz where it is left out
#
# The other machine needs a Vulkan driver and a Debian of the same age or later; docs/bundle.md says how to use it.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
file=$(realpath -m "${1:-target/opnorm-bundle.tar.xz}")
benches=(norm gram matmul jacobian roofline profiles)
most=$((60 << 20)) # bytes of the file

work=$(mktemp -d "${TMPDIR:-/tmp}/opnorm-bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
stage=$work/opnorm-bundle
mkdir -p "$stage/bin" "$stage/data/tests/data" "$stage/data/models"

targets=(--bin opnorm --test device)
for bench in "${benches[@]}" peers; do targets+=(--bench "$bench"); done
"${CARGO:-cargo}" build --release "${targets[@]}" --message-format=json-render-diagnostics >"$work/messages"

# {"reason":"compiler-artifact",...,"target":{"kind":["bin"],...,"name":"opnorm",...},...,"executable":"/..."}
sed -n 's/.*"target":{[^}]*"name":"\([^"]*\)".*"executable":"\([^"]*\)".*/\1 \2/p' "$work/messages" |
  while read -r name executable; do strip -o "$stage/bin/$name" "$executable"; done
for name in opnorm device peers "${benches[@]}"; do
  [[ -x $stage/bin/$name ]] || { printf 'bundle: cargo built no %s\n' "$name" >&2; exit 1; }
done

cp scripts/bundle/run.sh "$stage/run.sh"
cp benches/peers/peers.py "$stage"
cp -r tests/data/unchanged "$stage/data/tests/data/unchanged"
cp models/digits.safetensors "$stage/data/models"
printf '%s\n' "${benches[@]}" >"$stage/benches"
printf 'opnorm %s\n' "$(git describe --always --dirty 2>/dev/null || echo 'without a commit')" >"$stage/version"

mkdir -p "$(dirname "$file")"
# The binaries share most of their code, which a large dictionary finds again.
tar -C "$work" --sort=name --owner=0 --group=0 -cf - opnorm-bundle | xz --lzma2=preset=6,dict=128MiB >"$file"
bytes=$(stat -c %s "$file")
printf '%s: %d.%d MiB\n' "$file" $((bytes >> 20)) $(((bytes & 0xfffff) * 10 >> 20))
[[ $bytes -le $most ]] || { printf 'bundle: more than %d MiB\n' $((most >> 20)) >&2; exit 1; }
