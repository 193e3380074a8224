#!/usr/bin/env bash
# Tests and measures a GPU with the binaries beside this file: prints one table, and writes it as JSON as well.
#
#   ./run.sh [FOLDER]        FOLDER takes result.json, table.txt and the output of each step; ./result where left out
#
# OPNORM_ADAPTER     another adapter than the first GPU: part of its name, or its backend
# OPNORM_TESTS       only tests whose names contain one of these words
# OPNORM_QUICK       not empty: small sizes for `opnorm bench`, as a software adapter needs
# A step that fails or takes too long leaves the others alone, and makes the exit status 1.

set -uo pipefail

export PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-result}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
export OPNORM_ADAPTER=${OPNORM_ADAPTER:-hardware}
export CARGO_MANIFEST_DIR=$here/data # where the tests look for their data
export NODEVICE_SELECT=1             # Mesa's layer that sorts devices asks the window system
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$out}
export XDG_CACHE_HOME=$out/cache CRITERION_HOME=$out/criterion
failed=0
: >"$out/table.txt"

row() { printf '%-10s %-34s %s\n' "$1" "$2" "$3" | tee -a "$out/table.txt"; }

# step NAME SECONDS COMMAND...: runs it, keeps its output in NAME.txt, and sets `status`, `seconds` and `ending`.
step() {
  local name=$1 limit=$2 start
  start=$(date +%s%N)
  shift 2
  timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>"$out/$name.errors.txt" </dev/null
  status=$?
  seconds=$(awk -v from="$start" -v to="$(date +%s%N)" 'BEGIN { printf "%.2f", (to - from) / 1e9 }')
  case $status in
    0) ending="ok, $seconds s" ;;
    124 | 137) ending="FAILED: stopped after $limit s" ;;
    *) ending="FAILED: exit status $status, $seconds s" ;;
  esac
  [[ $status -eq 0 ]] || failed=1
}

# The lines of standard input as strings of a JSON array.
strings() {
  tr -d '\000-\010\013-\037' |
    awk '{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 }'
}

# The field of the chosen adapter: `opnorm adapters --json` writes a field a line, and `chosen` after the others.
adapter() {
  awk -v field="\"$1\":" '$1 == field { sub(/^[^:]*: /, ""); sub(/,$/, ""); value = $0 }
    /"chosen": true/ { print value; exit }' "$out/adapters.txt"
}

began=$SECONDS
step adapters 60 "$here/bin/opnorm" adapters --json
device=$(adapter name) backend=$(adapter backend) driver=$(adapter driver)
row device "${device//\"/}" "${backend//\"/}, ${driver//\"/}"
[[ $status -eq 0 && -n $device ]] || { failed=1; row "" "" "FAILED: no adapter; see adapters.errors.txt"; }

# tests NAME SECONDS ARGUMENTS...: runs tests of devices, and adds to `tests` what passed, failed, or had no end.
tests=
tests() {
  local name=$1 limit=$2 wanted passed broken hung
  shift 2
  wanted=$("$here/bin/device" --list --format terse "$@" 2>/dev/null | sed -n 's/: test$//p')
  # A test that hangs keeps what others found from being told at the end.
  step "$name" "$limit" env OPNORM_CACHE=0 "$here/bin/device" --nocapture "$@"
  passed=$(sed -n 's/^test \(.*\) \.\.\. ok$/\1/p' "$out/$name.txt")
  broken=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$out/$name.txt")
  hung=$(grep -vxF -e "$passed" -e "$broken" <<<"$wanted" || true)
  row "$name" "$(grep -c . <<<"$passed") passed, $(grep -c . <<<"$broken") failed, $(grep -c . <<<"$hung") no end" "$ending"
  tests+="${tests:+, }{\"name\": \"$name\", \"passed\": $(grep -c . <<<"$passed"), \"status\": $status"
  tests+=", \"seconds\": $seconds, \"failures\": [$([[ -z $broken ]] || strings <<<"$broken")]"
  tests+=", \"without_end\": [$([[ -z $hung ]] || strings <<<"$hung")]}"
}

# `shaders::` reads the texts of shaders, which need no device. Devices that are lost and made anew have a process of
# their own, one after the other, so that what a driver makes of them harms no other test.
read -ra words <<<"${OPNORM_TESTS:-}"
if [[ ${#words[@]} -gt 0 ]]; then
  tests tests 270 --skip shaders:: "${words[@]}"
else
  tests tests 200 --skip shaders:: --skip driver::
  tests devices 70 --test-threads=1 driver::
fi
[[ $tests == *'"passed": '[1-9]* ]] || failed=1

# The time to a first result: pipelines are compiled, then taken from the cache folder; drivers have caches of their own.
first=
for name in first again; do
  step "$name" 60 env __GL_SHADER_DISK_CACHE=0 MESA_SHADER_CACHE_DISABLE=true \
    "$here/bin/opnorm" audit "$here/data/models/digits.safetensors"
  row "$name" "audit of a small model" "$ending"
  first+="${first:+, }{\"name\": \"$name\", \"status\": $status, \"seconds\": $seconds}"
done

step bench 90 "$here/bin/opnorm" bench --json ${OPNORM_QUICK:+--quick}
row bench "opnorm bench" "$ending"
bench=null
if [[ $status -eq 0 ]]; then
  bench=$(cat "$out/bench.txt")
  # A field a line: the name, the seconds, and GB/s where the work has a speed.
  while IFS=$'\t' read -r name time speed; do row "" "$name" "$time ms${speed:+, $speed GB/s}"; done < <(
    awk '{ value = $0; sub(/^[^:]*: /, "", value); sub(/,$/, "", value) }
      /"name":/ { gsub(/"/, "", value); name = value }
      /"seconds":/ { time = sprintf("%.3f", 1000 * value) }
      /"gb_per_second":/ { printf "%s\t%s\t%s\n", name, time, (value == "null" ? "" : sprintf("%.1f", value)) }' \
      "$out/bench.txt")
fi

benches=
while read -r name; do
  # A word that selects no benchmark of criterion's leaves the table alone.
  step "$name" 40 "$here/bin/$name" --bench table
  row bench "$name" "$ending"
  sed 's/^/    /' "$out/$name.txt" | tee -a "$out/table.txt"
  benches+="${benches:+, }{\"name\": \"$name\", \"status\": $status, \"seconds\": $seconds"
  benches+=", \"lines\": [$(strings <"$out/$name.txt")]}"
done <"$here/benches"

# torch solves the same matrices on the same GPU, in rounds that alternate.
if python3 -c 'import numpy, scipy, torch; assert torch.cuda.is_available()' 2>/dev/null; then
  mkdir -p "$out/peers"
  peers() {
    [[ -e $out/peers/exact.json ]] || python3 "$here/peers.py" make "$out/peers" || return
    rm -f "$out/peers/lines.txt"
    for _ in 1 2 3; do
      "$here/bin/peers" "$out/peers" && python3 "$here/peers.py" cuda "$out/peers" || return
    done >>"$out/peers/lines.txt"
    python3 "$here/peers.py" table "$out/peers" <"$out/peers/lines.txt"
  }
  export -f peers
  export here out
  step peers 150 bash -c peers
  row bench "beside torch" "$ending"
  sed 's/^/    /' "$out/peers.txt" | tee -a "$out/table.txt"
  benches+=", {\"name\": \"peers\", \"status\": $status, \"seconds\": $seconds"
  benches+=", \"lines\": [$(strings <"$out/peers.txt")]}"
  rm -f "$out"/peers/*.np?
fi

word=ok
[[ $failed -eq 0 ]] || word=FAILED
row all "$((SECONDS - began)) s" "$word"
cat >"$out/result.json" <<END
{
"bundle": "$(cat "$here/version")",
"device": ${device:-null}, "backend": ${backend:-null}, "driver": ${driver:-null},
"ok": $([[ $failed -eq 0 ]] && echo true || echo false), "seconds": $((SECONDS - began)),
"tests": [$tests],
"first_result": [$first],
"bench": $bench,
"benches": [$benches]
}
END
exit "$failed"
