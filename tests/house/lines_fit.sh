#!/usr/bin/env bash
# A test: no line of C++ is longer than 120 characters (characters, not bytes). Usage: lines_fit.sh <repository>
#
# It first proves that it can fail: a planted line that is one too long is found, and one that just fits is not.
set -u -o pipefail

repository=$(cd -- "${1:?the repository}" && pwd -P) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT

# check <root>: prints "file:line" for each line that is too long; false if there is one. A byte that goes on with a
# character of UTF-8 does not count, whatever the locale.
check() {
  local found
  found=$(cd -- "$1" && find actors runtime tests examples tools -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null |
    sort -z | LC_ALL=C xargs -0 -r awk '{ n = gsub(/[^\200-\277]/, "x"); if (n > 120) print FILENAME ":" FNR ": " n " characters" }')
  [ -z "$found" ] || printf '%s\n' "$found"
  [ -z "$found" ]
}

# ---- the check can fail ----------------------------------------------------------------------------------------------

mkdir -p "$scratch"/{actors,runtime,tests,examples,tools}/deep
fits=$(printf 'x%.0s' {1..119})é
wrong=0
for folder in actors runtime tests examples tools; do
  file=$folder/deep/sample.hpp
  printf '%s\n' "$fits" >"$scratch/$file"
  if ! found=$(check "$scratch"); then
    printf 'the check refuses a line that fits: %s\n' "$found"
    wrong=1
  fi
  printf '%s\n' "${fits}x" >"$scratch/$file"
  if found=$(check "$scratch") || [[ $found != "$file:1: 121 characters" ]]; then
    printf 'the check should name just %s; it said: %s\n' "$file:1" "$found"
    wrong=1
  fi
  rm -- "$scratch/$file"
done
((wrong == 0)) || exit 1

# ---- the house -------------------------------------------------------------------------------------------------------

check "$repository" || exit 1
echo "no line is too long"
