#!/usr/bin/env bash
# The program on the README's first screen is examples/hello_scope, word for word (which the tests run), but for the
# comment that opens the file.
set -u
root=$1

shown() { awk '/^```cpp$/ { on = 1; next } /^```$/ { if (on) exit } on' "$1"; }
kept() { awk '/^#include/ { on = 1 } on' "$1"; }
same() { [ "$(shown "$1")" = "$(kept "$2")" ]; }

# The check can fail: a README that shows another program is found out.
planted=$(mktemp) || exit 1
trap 'rm -f "$planted"' EXIT
sed 's/1200/1201/' "$root/README.md" >"$planted"
if same "$planted" "$root/examples/hello_scope/main.cpp"; then
  echo "this check does not see a difference that is there"
  exit 1
fi

if ! same "$root/README.md" "$root/examples/hello_scope/main.cpp"; then
  echo "README.md shows another program than examples/hello_scope/main.cpp:"
  diff <(shown "$root/README.md") <(kept "$root/examples/hello_scope/main.cpp")
  exit 1
fi
