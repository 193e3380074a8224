#!/usr/bin/env bash
# Spectral norms beside numpy and scipy, on the same matrices, in rounds that alternate; prints the table of medians.
#
#   benches/peers/run.sh [ROUNDS]     5 rounds by default; OPNORM_ADAPTER chooses the device
#
# Needs Python 3 with venv, and the network for the two packages of requirements.txt. Files go to target/peers.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
folder=${PEERS_DIR:-$root/target/peers}
mkdir -p "$folder"
if [[ ! -x "$folder/venv/bin/python" ]]; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install -q -r benches/peers/requirements.txt
fi
python="$folder/venv/bin/python"
if [[ ! -e "$folder/exact.json" ]]; then "$python" benches/peers/peers.py make "$folder"; fi
cargo bench --bench peers --no-run
lines="$folder/lines.txt"
: >"$lines"
for ((round = 1; round <= ${1:-5}; round++)); do
  printf 'round %d\n' "$round" >&2
  cargo bench -q --bench peers -- "$folder" >>"$lines"
  "$python" benches/peers/peers.py run "$folder" >>"$lines"
done
"$python" benches/peers/peers.py table "$folder" <"$lines"
