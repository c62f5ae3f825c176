#!/usr/bin/env bash
# Doxygen finds nothing in the public headers that has no sentence about it, and no sentence that it does not understand.
# names_documented.sh <Doxyfile> <doxygen>
set -u
doxyfile=$1
doxygen=$2

if [ ! -x "$doxygen" ]; then
  echo "skipped: Doxygen is not there (Debian's package doxygen)"
  exit 77
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# write <input…>: runs Doxygen as the Doxyfile says, on this input, without its pages.
write() {
  { cat "$doxyfile"; echo "OUTPUT_DIRECTORY = \"$scratch\""; echo "GENERATE_HTML = NO"; echo "GENERATE_XML = YES"
    [ $# -eq 0 ] || echo "INPUT = $*"; } >"$scratch/Doxyfile"
  "$doxygen" "$scratch/Doxyfile"
}

# The check can fail: a member that nobody wrote about is found out, and one with a sentence is not.
printf '%s\n' '/// A file.' '#pragma once' '' '/// A thing.' 'struct thing {' '  /// A member.' '  int told = 0;' '};' \
  >"$scratch/planted.hpp"
if ! write "\"$scratch/planted.hpp\""; then
  echo "this check finds fault with a header that is documented"
  exit 1
fi
sed -i '/A member/d' "$scratch/planted.hpp"
if write "\"$scratch/planted.hpp\"" 2>/dev/null; then
  echo "this check does not see a member that nobody wrote about"
  exit 1
fi

write
