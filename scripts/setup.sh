#!/usr/bin/env bash
# Install software adapters: programs that stand in for a GPU. opnorm runs on the processor without any; its tests do not.
#
#   scripts/setup.sh adapter   one that works: nothing to do where a Vulkan driver is there, else Mesa's lavapipe
#   scripts/setup.sh all       what the tests run on: lavapipe (Vulkan), llvmpipe (GL through EGL), SwiftShader (Vulkan)
#
# On Debian and Ubuntu, as root or with a sudo that asks nothing, missing packages are installed; elsewhere the command
# that installs them is printed. SwiftShader is taken out of Debian's chromium-common into .adapters/swiftshader (in the
# repository, ignored by git; nothing of it is installed); any other copy serves if OPNORM_SWIFTSHADER_ICD names its
# vk_swiftshader_icd.json. What is there is left alone: run it as often as you like.
#
# Exit status: 0 what was asked for is there, 1 it is not (the reason is printed), 2 usage.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
swiftshader="$root/.adapters/swiftshader"
swiftshader_icd="$swiftshader/usr/lib/chromium/vk_swiftshader_icd.json"

vulkan_packages=(libvulkan1 mesa-vulkan-drivers)
gl_packages=(libegl1 libegl-mesa0 libgles2 libgl1-mesa-dri)

say() { printf 'setup: %s\n' "$*"; }
warn() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  warn "$@"
  exit 1
}

# ---------------------------------------------------------------------------------------------- what is there already

# Is the shared library $1 where the dynamic loader looks?
has_library() {
  local cache directory
  cache=$({ command -v ldconfig >/dev/null && ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null || true)
  if grep -qF "$1 " <<<"$cache"; then return 0; fi
  for directory in ${LD_LIBRARY_PATH:+${LD_LIBRARY_PATH//:/ }} /usr/lib /usr/lib64 /usr/lib/*-linux-gnu* \
    /run/opengl-driver/lib; do
    if [[ -e "$directory/$1" ]]; then return 0; fi
  done
  return 1
}

# The Vulkan drivers' manifests (ICD files) in the standard folders, one a line.
icd_files() {
  local folder file
  for folder in /etc/vulkan/icd.d /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /usr/local/etc/vulkan/icd.d \
    "${XDG_CONFIG_HOME:-${HOME:-/nonexistent}/.config}/vulkan/icd.d" \
    "${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/vulkan/icd.d" /run/opengl-driver/share/vulkan/icd.d; do
    for file in "$folder"/*.json; do
      if [[ -e "$file" ]]; then printf '%s\n' "$file"; fi
    done
  done
}

# Does the manifest $1 name a library that exists? (A container may hold a manifest whose driver stayed on its host.)
icd_resolves() {
  local library
  [[ -e "$1" ]] || return 1
  library=$(sed -n 's/.*"library_path"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$1" | head -n 1)
  case $library in
    '') return 1 ;;
    /*) [[ -e "$library" ]] ;;
    */*) [[ -e "$(dirname "$1")/$library" ]] ;;
    *) has_library "$library" ;;
  esac
}

has_vulkan() {
  local file
  has_library libvulkan.so.1 || return 1
  while IFS= read -r file; do
    if icd_resolves "$file"; then return 0; fi
  done < <(icd_files)
  return 1
}

has_lavapipe() {
  local file
  has_library libvulkan.so.1 || return 1
  while IFS= read -r file; do
    if [[ "$(basename "$file")" == lvp_icd*.json ]] && icd_resolves "$file"; then return 0; fi
  done < <(icd_files)
  return 1
}

# llvmpipe through EGL: the dispatch library, Mesa's EGL behind it, GLES, and Mesa's software driver.
has_gl() {
  local driver
  has_library libEGL.so.1 && has_library libEGL_mesa.so.0 && has_library libGLESv2.so.2 || return 1
  for driver in /usr/lib/*/dri/swrast_dri.so /usr/lib/dri/swrast_dri.so /usr/lib64/dri/swrast_dri.so \
    /usr/lib/*/libgallium-*.so /usr/lib/libgallium-*.so /usr/lib64/libgallium-*.so; do
    if [[ -e "$driver" ]]; then return 0; fi
  done
  return 1
}

has_swiftshader() {
  if [[ -n "${OPNORM_SWIFTSHADER_ICD:-}" ]]; then icd_resolves "$OPNORM_SWIFTSHADER_ICD"; else
    [[ -e "$swiftshader_icd" ]] && icd_resolves "$swiftshader_icd"
  fi
}

# ------------------------------------------------------------------------------------------------------ how to get it

is_debian() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

may_install() { [[ $EUID -eq 0 ]] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

as_root() { if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi; }

apt_update() {
  if [[ -n "${apt_is_fresh:-}" ]]; then return 0; fi
  say "apt-get update"
  as_root apt-get update -q -o Acquire::Retries=3 </dev/null || fail "apt-get update failed"
  apt_is_fresh=yes
}

apt_install() {
  apt_update
  say "apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 "$@" \
    </dev/null || fail "apt-get install $* failed"
}

print_commands() {
  local debian="${vulkan_packages[*]}" fedora="vulkan-loader mesa-vulkan-drivers" arch="vulkan-icd-loader vulkan-swrast"
  if [[ $1 == all ]]; then
    debian+=" ${gl_packages[*]}"
    fedora+=" libglvnd-egl libglvnd-gles mesa-libEGL mesa-dri-drivers"
    arch+=" libglvnd mesa"
  fi
  cat >&2 <<TEXT
setup: install these, then run this again:
  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y $debian
  Fedora:          sudo dnf install -y $fedora
  Arch:            sudo pacman -S --needed $arch
TEXT
}

setup_adapter() {
  if has_vulkan; then
    say "a Vulkan driver is there: nothing to install"
  elif is_debian && may_install; then
    apt_install "${vulkan_packages[@]}"
    has_vulkan || fail "the packages are installed, but no Vulkan driver can be found"
    say "lavapipe is installed"
  elif [[ -n "$(icd_files)" ]]; then
    warn "there is a Vulkan driver's manifest, but not its library or libvulkan.so.1: opnorm may find no adapter"
    print_commands adapter
  else
    warn "no Vulkan driver was found, and installing one here takes Debian or Ubuntu, and root"
    print_commands adapter
    exit 1
  fi
}

setup_packages() {
  local missing=()
  if has_lavapipe; then say "lavapipe (Vulkan) is there"; else missing+=("${vulkan_packages[@]}"); fi
  if has_gl; then say "llvmpipe (GL through EGL) is there"; else missing+=("${gl_packages[@]}"); fi
  if [[ ${#missing[@]} -eq 0 ]]; then return 0; fi
  if ! { is_debian && may_install; }; then
    warn "missing: $(has_lavapipe || printf 'lavapipe (Vulkan) ')$(has_gl || printf 'llvmpipe (GL through EGL)')"
    print_commands all
    return 1
  fi
  apt_install "${missing[@]}"
  has_lavapipe || fail "the packages are installed, but lavapipe's manifest (lvp_icd*.json) or library is not found"
  has_gl || fail "the packages are installed, but Mesa's EGL and its software driver are not found"
  say "lavapipe and llvmpipe are installed"
}

# apt checks the package against the distribution's signed lists; three of its files are kept.
setup_swiftshader() {
  if has_swiftshader; then
    say "SwiftShader (Vulkan) is there"
    return 0
  fi
  if [[ -n "${OPNORM_SWIFTSHADER_ICD:-}" ]]; then
    warn "OPNORM_SWIFTSHADER_ICD is $OPNORM_SWIFTSHADER_ICD: no such file, or it names a library that does not exist"
    return 1
  fi
  local help="set OPNORM_SWIFTSHADER_ICD to the vk_swiftshader_icd.json of any Chromium or SwiftShader build"
  if ! is_debian; then
    warn "SwiftShader is missing, and is fetched on Debian only; $help"
    return 1
  fi
  local work
  work=$(mktemp -d "${TMPDIR:-/tmp}/opnorm-setup.XXXXXX")
  chmod 755 "$work"
  # shellcheck disable=SC2064 # the folder of now, not of then
  trap "rm -rf '$work'" EXIT
  mkdir "$work/download" "$work/package"
  # root's apt-get downloads as the user _apt, who must be able to write here.
  if [[ $EUID -eq 0 ]] && id _apt >/dev/null 2>&1; then chown _apt "$work/download"; fi
  say "apt-get download chromium-common (about 32 MB), for SwiftShader"
  # Without lists, or with old ones, the download fails: fetch them and try once more.
  if ! (cd "$work/download" && apt-get download -q -o Acquire::Retries=3 chromium-common </dev/null); then
    if ! may_install; then
      warn "the package chromium-common could not be downloaded; 'sudo apt-get update' may help, or $help"
      return 1
    fi
    apt_update
    if ! (cd "$work/download" && apt-get download -q -o Acquire::Retries=3 chromium-common </dev/null); then
      warn "the package chromium-common could not be downloaded (Ubuntu has none); $help"
      return 1
    fi
  fi
  dpkg-deb -x "$work"/download/chromium-common_*.deb "$work/package" || fail "the downloaded package cannot be unpacked"

  local from="$work/package/usr/lib/chromium" fresh="$root/.adapters/swiftshader.$$.tmp" file
  for file in vk_swiftshader_icd.json libvk_swiftshader.so; do
    if [[ ! -e "$from/$file" ]]; then
      warn "the package chromium-common holds no $file any more; $help"
      return 1
    fi
  done
  if ! { mkdir -p "$fresh/usr/lib/chromium" "$fresh/usr/share/doc/chromium-common" &&
    cp "$from/vk_swiftshader_icd.json" "$from/libvk_swiftshader.so" "$fresh/usr/lib/chromium/"; }; then
    fail "cannot write to $root/.adapters"
  fi
  file="$work/package/usr/share/doc/chromium-common/copyright"
  if [[ -e "$file" ]]; then cp "$file" "$fresh/usr/share/doc/chromium-common/"; fi
  rm -rf "$swiftshader"
  mv "$fresh" "$swiftshader" || fail "cannot write to $root/.adapters"
  icd_resolves "$swiftshader_icd" || fail "$swiftshader_icd names a library that is not beside it"
  say "SwiftShader is in .adapters/swiftshader"
}

# ----------------------------------------------------------------------------------------------------------------------

usage() {
  sed -n '4,5s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

[[ $# -eq 1 ]] || usage
case $1 in
  adapter | all) ;;
  *) usage ;;
esac

if [[ "$(uname -s)" != Linux ]]; then
  if [[ $1 == adapter ]]; then
    say "$(uname -s) brings its own adapter (Metal, Direct3D 12): nothing to install"
    exit 0
  fi
  fail "the software adapters of the full test run are for Linux; here, run 'cargo test --all-features' on your adapter"
fi

if [[ $1 == adapter ]]; then
  setup_adapter
else
  status=0
  setup_packages || status=1
  setup_swiftshader || status=1
  exit "$status"
fi
