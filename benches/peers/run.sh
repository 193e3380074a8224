#!/usr/bin/env bash
# Spectral norms beside numpy, scipy, torch, faer and nalgebra, on the same matrices, in rounds that alternate; prints the
# table of medians, with the error of each peer.
#
#   benches/peers/run.sh [ROUNDS]     5 rounds by default; OPNORM_ADAPTER chooses the device
#
# Needs Python 3 with venv, and the network for the packages of requirements.txt and of `rust/`. Files go to target/peers,
# or to PEERS_DIR. torch is a peer where PEERS_DIR/venv has it.

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
if [[ ! -e "$folder/mat3.npy" ]]; then "$python" benches/peers/peers.py make "$folder"; fi
rust() {
  local command=$1
  shift
  cargo "$command" -q --release --locked --manifest-path benches/peers/rust/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-$root/target}" "$@"
}
cargo bench --bench peers --no-run
rust build
lines="$folder/lines.txt"
: >"$lines"
for ((round = 1; round <= ${1:-5}; round++)); do
  printf 'round %d\n' "$round" >&2
  cargo bench -q --bench peers -- "$folder" >>"$lines"
  "$python" benches/peers/peers.py run "$folder" >>"$lines"
  rust run -- "$folder" >>"$lines"
done
"$python" benches/peers/peers.py table "$folder" <"$lines"
