#!/usr/bin/env bash
# The whole test run: format, lints, documentation, and the tests on the host and on three software adapters.
#
#   scripts/test.sh                 everything but full
#   scripts/test.sh STEP...         some of it: lint, host, lavapipe, swiftshader, gl, checked, full
#
# host runs every test and doctest on the processor, without a driver. It skips `driver::`, because these tests are of
# handles of wgpu, and the steps of adapters run them. lavapipe, swiftshader and gl (llvmpipe through EGL) run the tests
# that touch a device, with the table of kernels at a fifth of its sizes. checked (lavapipe with the shaders' bounds
# checks on, OPNORM_CHECKED=1, and matrices in textures, OPNORM_TEXTURES=1) runs these tests without the table. full
# runs the table at every size on lavapipe. An adapter that is missing fails the run.
# `scripts/setup.sh all` installs the adapters.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# A caller's own choices must not decide what is tested.
unset OPNORM_ADAPTER OPNORM_CHECKED OPNORM_FULL OPNORM_THREADS
unset WGPU_BACKEND WGPU_ADAPTER_NAME WGPU_POWER_PREF VK_ADD_DRIVER_FILES
# Mesa's layer that sorts devices asks the window system, and complains where there is none; opnorm sorts for itself.
export NODEVICE_SELECT=1
# Nor must compiled pipelines of an earlier run, nor a measurement.
export OPNORM_CACHE=0 OPNORM_TEXTURES=0
# The same random cases each time: whether a change is good must not depend on the draw. PROPTEST_RNG_SEED draws others.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}

device_tests=(--test device --test program)
summary=()
current=""
log=$(mktemp "${TMPDIR:-/tmp}/opnorm-test.XXXXXX")

finish() {
  local status=$? line
  rm -f "$log"
  if [[ $status -ne 0 && -n "$current" ]]; then
    summary+=("$(printf '%-38s FAILED' "$current")")
  fi
  if [[ ${#summary[@]} -gt 0 ]]; then
    printf '\n==== summary (%d s)\n' "$SECONDS"
    for line in "${summary[@]}"; do printf '%s\n' "$line"; done
  fi
  exit "$status"
}
trap finish EXIT

heading() {
  current=$1
  printf '\n==== %s\n' "$1"
}

missing() {
  printf 'test: %s; run scripts/setup.sh all\n' "$*" >&2
  exit 1
}

# step HEADING COMMAND...: a step without tests to count.
step() {
  local start=$SECONDS
  heading "$1"
  shift
  "$@"
  summary+=("$(printf '%-38s ok %25s %5d s' "$current" '' $((SECONDS - start)))")
  current=""
}

# tests HEADING COMMAND...: a step of cargo test; its passes are added up, and none at all is a failure.
tests() {
  local start=$SECONDS passed ignored
  heading "$1"
  shift
  "$@" 2>&1 | tee "$log"
  # test result: ok. 12 passed; 0 failed; 1 ignored; ...
  read -r passed ignored < <(awk '/^test result: / { passed += $4; ignored += $8 }
    END { print passed + 0, ignored + 0 }' "$log")
  if [[ $passed -eq 0 ]]; then
    printf 'test: no test ran\n' >&2
    exit 1
  fi
  summary+=("$(printf '%-38s ok %5d passed, %3d ignored %5d s' "$current" "$passed" "$ignored" $((SECONDS - start)))")
  current=""
}

lavapipe_icd() {
  local file
  for file in {/usr/share,/etc,/usr/local/share}/vulkan/icd.d/lvp_icd{".$(uname -m)",,.*}.json; do
    if [[ -e "$file" ]]; then
      printf '%s\n' "$file"
      return 0
    fi
  done
  return 1
}

# on_vulkan ICD COMMAND...: the Vulkan loader sees this driver alone (its variable has an old and a new name).
on_vulkan() {
  local icd=$1
  shift
  env VK_DRIVER_FILES="$icd" VK_ICD_FILENAMES="$icd" "$@"
}

lint() {
  step "cargo fmt" cargo fmt --check
  step "width of comments" bash scripts/width.sh
  step "cargo clippy" cargo clippy --all-targets --all-features -- -D warnings
  step "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
}

# The loaders of Vulkan and EGL are given files that are not there, so that no test finds a driver.
host() {
  tests "host: all tests" on_vulkan /nonexistent.json env OPNORM_ADAPTER=host \
    __EGL_VENDOR_LIBRARY_FILENAMES=/nonexistent.json cargo test --all-features -- --skip driver::
}

lavapipe() {
  local icd
  icd=$(lavapipe_icd) || missing "no lavapipe: no lvp_icd*.json in /usr/share/vulkan/icd.d or /etc/vulkan/icd.d"
  tests "lavapipe: device tests" on_vulkan "$icd" env OPNORM_ADAPTER=llvmpipe \
    cargo test --all-features "${device_tests[@]}"
}

swiftshader() {
  local icd="${OPNORM_SWIFTSHADER_ICD:-$root/.adapters/swiftshader/usr/lib/chromium/vk_swiftshader_icd.json}"
  [[ -e "$icd" ]] || missing "no SwiftShader: there is no $icd"
  tests "SwiftShader: device tests" on_vulkan "$icd" env OPNORM_ADAPTER=swiftshader \
    cargo test --all-features "${device_tests[@]}"
}

# No window system and no other vendor's EGL: Mesa, surfaceless, drawing with llvmpipe. The Vulkan loader is given a
# file that is not there, so that GL is all there is.
gl() {
  local vendor=/usr/share/glvnd/egl_vendor.d/50_mesa.json
  [[ -e "$vendor" ]] || missing "no Mesa EGL: there is no $vendor"
  tests "GL on llvmpipe: device tests" on_vulkan /nonexistent.json env -u DISPLAY -u WAYLAND_DISPLAY \
    OPNORM_ADAPTER=gl EGL_PLATFORM=surfaceless LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe \
    __EGL_VENDOR_LIBRARY_FILENAMES="$vendor" cargo test --all-features "${device_tests[@]}"
}

checked() {
  local icd
  icd=$(lavapipe_icd) || missing "no lavapipe: no lvp_icd*.json in /usr/share/vulkan/icd.d or /etc/vulkan/icd.d"
  # The table of kernels sets the checks for itself: lavapipe's own step has run it both ways.
  tests "lavapipe, checked: device tests" on_vulkan "$icd" env OPNORM_ADAPTER=llvmpipe OPNORM_CHECKED=1 OPNORM_TEXTURES=1 \
    cargo test --all-features "${device_tests[@]}" -- --skip kernels::table::
}

full() {
  local icd
  icd=$(lavapipe_icd) || missing "no lavapipe: no lvp_icd*.json in /usr/share/vulkan/icd.d or /etc/vulkan/icd.d"
  tests "lavapipe: kernels at every size" on_vulkan "$icd" env OPNORM_ADAPTER=llvmpipe OPNORM_FULL=1 \
    cargo test --all-features --test device kernels::table::
}

steps=("$@")
if [[ ${#steps[@]} -eq 0 ]]; then steps=(lint host lavapipe swiftshader gl checked); fi
for name in "${steps[@]}"; do
  case $name in
    lint | host | lavapipe | swiftshader | gl | checked | full) ;;
    *)
      sed -n '4,5s/^# *//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
done
for name in "${steps[@]}"; do "$name"; done
