#!/usr/bin/env bash
# A test: every test that actors/SEMANTICS.md names is there, and every row of its tables names one.
# Usage: pages_name_tests.sh <repository>
set -u -o pipefail
root=$1

# check <page>: prints each row without a test, and each name that no test has; false if there is one.
check() {
  local row name wrong=0
  while IFS= read -r row; do
    case $row in '|---'* | *'| test |') continue ;; esac
    name=$(sed -nE 's/.*\| "(.+)" \|$/\1/p' <<<"$row")
    if [ -z "$name" ]; then
      printf 'this row names no test: %s\n' "$row"
      wrong=1
    elif ! grep -rqF "TEST_CASE(\"$name\"" "$root/tests"; then
      printf 'no test has this name: %s\n' "$name"
      wrong=1
    fi
  done < <(grep '^|' "$1")
  return $wrong
}

# The check can fail: a name that no test has is found out, and so is a row without one.
planted=$(mktemp) || exit 1
trap 'rm -f "$planted"' EXIT
for row in '| it | never | "a test that nobody has written" |' '| it | never | |'; do
  printf '%s\n' '| what | then | test |' '|---|---|---|' "$row" >"$planted"
  if found=$(check "$planted"); then
    printf 'this check does not see what is wrong with: %s\n' "$row"
    exit 1
  fi
done

check "$root/actors/SEMANTICS.md"
