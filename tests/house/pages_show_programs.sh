#!/usr/bin/env bash
# A test: the C++ on the pages is compiled and run. Usage: pages_show_programs.sh <repository>
#
# Whole programs are shown word for word, but for the comment that opens each file. Every other block that is fenced as
# ```cpp stands in some file below examples/, indented or not. (Code of others is fenced as ```c++.)
set -u -o pipefail
root=$1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# blocks <page>: its blocks of C++, each in a file of its own in $scratch/blocks.
blocks() {
  rm -rf "$scratch/blocks"
  mkdir "$scratch/blocks"
  awk -v to="$scratch/blocks/" '/^```cpp$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > (to n) }' "$1"
}

# same <page> <file>: one of the page's blocks is the file from its first #include on.
same() {
  local block
  blocks "$1"
  awk '/^#include/ { on = 1 } on' "$2" >"$scratch/whole"
  for block in "$scratch"/blocks/*; do
    cmp -s "$block" "$scratch/whole" && return 0
  done
  return 1
}

# Everything below examples/, taken two, four and six columns to the left as well.
while IFS= read -r file; do
  echo
  cat "$root/$file"
done < <(cd -- "$root" && find examples -name '*.cpp' -o -name '*.hpp' | sort) >"$scratch/0"
for columns in 2 4 6; do
  sed -E "s/^ {$columns}//" "$scratch/0" >"$scratch/$columns"
done
compiled=()
for columns in 0 2 4 6; do
  compiled+=("$(cat "$scratch/$columns")"$'\n')
done

# shown <page>: prints the first line of each block that stands in no file; false if there is one.
shown() {
  local block text all found wrong=0
  blocks "$1"
  for block in "$scratch"/blocks/*; do
    [ -e "$block" ] || continue
    text=$(cat "$block") # but for blank lines at its end
    found=no
    for all in "${compiled[@]}"; do
      if [[ $all == *$'\n'"$text"$'\n'* ]]; then
        found=yes
        break
      fi
    done
    if [ $found = no ]; then
      printf '%s shows what is compiled nowhere below examples/: %s …\n' "${1#"$root"/}" "$(head -1 "$block")"
      wrong=1
    fi
  done
  return $wrong
}

failed=0
for each in "README.md|hello_scope/main.cpp|1200|1201" "examples/testing/README.md|testing/with_catch2.cpp|1'000|1'001" \
  "examples/testing/README.md|testing/with_googletest.cpp|30|31"; do
  IFS='|' read -r page file from to <<<"$each"
  # The check can fail: a page that shows another program is found out.
  sed "s/$from/$to/" "$root/$page" >"$scratch/planted.md"
  if same "$scratch/planted.md" "$root/examples/$file" || shown "$scratch/planted.md" >/dev/null; then
    echo "this check does not see a difference that is there, in $file"
    failed=1
  fi
  if ! same "$root/$page" "$root/examples/$file"; then
    echo "$page does not show examples/$file as it is"
    failed=1
  fi
done

while IFS= read -r page; do
  shown "$root/$page" || failed=1
done < <(cd -- "$root" && ls README.md CONTRIBUTING.md actors/*.md examples/*/README.md)
exit $failed
