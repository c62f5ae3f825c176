#!/usr/bin/env bash
# The programs that the README shows are files that the tests run, word for word, but for the comment that opens each file.
set -u
root=$1

# same <readme> <file>: one of the readme's blocks of C++ is the file from its first #include on.
same() {
  local want block="" line
  want=$(awk '/^#include/ { on = 1 } on' "$2")
  while IFS= read -r line; do
    case $line in
      '```cpp') block="" ;;
      '```') [ "$block" = "$want"$'\n' ] && return 0 ;;
      *) block+=$line$'\n' ;;
    esac
  done <"$1"
  return 1
}

# The check can fail: a README that shows another program is found out.
planted=$(mktemp) || exit 1
trap 'rm -f "$planted"' EXIT

failed=0
for shown in "examples/hello_scope/main.cpp|1200|1201" "examples/testing/with_catch2.cpp|1'000|1'001" \
  "examples/testing/with_googletest.cpp|30|31"; do
  IFS='|' read -r file from to <<<"$shown"
  sed "s/$from/$to/" "$root/README.md" >"$planted"
  if same "$planted" "$root/$file"; then
    echo "this check does not see a difference that is there, in $file"
    failed=1
  fi
  if ! same "$root/README.md" "$root/$file"; then
    echo "README.md does not show $file as it is"
    failed=1
  fi
done
exit $failed
