#!/usr/bin/env bash
# The width of comments: no line of a Rust or WGSL comment, and no line of Rust within docs/, is wider than 120 columns.
#
#   scripts/width.sh            the whole tree
#   scripts/width.sh PATH...    these files and folders
#
# rustfmt wraps code and leaves comments alone, so that this looks at lines that begin with `//`. Exit status: 0 all
# lines fit, 1 some do not (each is listed as FILE:LINE: WIDTH), 2 usage.

set -euo pipefail

limit=120
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

paths=("$@")
if [[ ${#paths[@]} -eq 0 ]]; then paths=(src tests examples benches shaders docs README.md); fi
for path in "${paths[@]}"; do
  if [[ ! -e "$path" ]]; then
    printf 'width: there is no %s\n' "$path" >&2
    exit 2
  fi
done

# Widths are counted in characters, whatever the locale of the caller.
LC_ALL=C.UTF-8 find "${paths[@]}" -type f \( -name '*.rs' -o -name '*.wgsl' -o -name '*.md' \) -print0 | sort -z |
  LC_ALL=C.UTF-8 xargs -0 perl -CSD -Mutf8 -ne '
    BEGIN { $limit = '"$limit"'; $wide = 0 }
    if ($. == 1) { $rust = $ARGV !~ /\.md$/ }
    if ($ARGV =~ /\.md$/ && /^```(\S*)/) { $rust = !$rust && $1 =~ /^rust/ }
    chomp;
    if ($rust && ($ARGV =~ /\.md$/ || m{^\s*//}) && length > $limit) {
      printf "%s:%d: %d\n", $ARGV, $., length;
      $wide++;
    }
    close ARGV if eof;
    END { printf "%d lines are wider than %d columns\n", $wide, $limit if $wide; $? = $wide ? 1 : 0 }
  ' || exit 1
