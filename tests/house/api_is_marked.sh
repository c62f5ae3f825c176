#!/usr/bin/env bash
# A test: every public header that declares something has MUSTER_API_BEGIN after its last #include and MUSTER_API_END as
# its last line, once each, so that the shared library exports what it declares; and a class that no public header
# defines is declared with MUSTER_INSIDE, so that the inside of the library stays there. Usage: api_is_marked.sh <repository>
#
# It first proves that it can fail, on planted samples.
set -u -o pipefail

repository=$(cd -- "${1:?the repository}" && pwd -P) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT

# check <root>: prints "header: what is wrong" for each that is; false if there is one.
check() {
  local root=$1 file name breaches=0 headers=()
  breach() {
    printf '%s: %s\n' "${file#"$root"/}" "$*"
    breaches=$((breaches + 1))
  }
  mapfile -t headers < <(find "$root/runtime/include" "$root/actors/include" -type f -name '*.hpp' | sort)
  for file in "${headers[@]}"; do
    [[ $file == */muster/api.hpp ]] && continue
    # Nothing but macros and #includes: nothing to mark.
    if ! grep -qE '^(namespace|class|struct|template|inline|void)\b' "$file"; then
      continue
    fi
    awk '
      /^MUSTER_API_BEGIN$/ { begins++; if (ended || begun) bad = 1; begun = 1; last = $0; next }
      /^MUSTER_API_END$/   { ends++; if (!begun) bad = 1; ended = 1; last = $0; next }
      /^ *# *include/      { if (begun) late = 1 }
      NF                   { last = $0; if (!begun && /^(namespace|class|struct|template|inline|void)/) early = 1 }
      END {
        if (begins != 1 || ends != 1 || bad) { print "has no pair of MUSTER_API_BEGIN and MUSTER_API_END"; exit }
        if (late) print "has an #include behind MUSTER_API_BEGIN: what others declare would be exported"
        if (early) print "declares something before MUSTER_API_BEGIN"
        if (last != "MUSTER_API_END") print "has something behind MUSTER_API_END"
      }' "$file" >"$scratch/said"
    while IFS= read -r name; do breach "$name"; done <"$scratch/said"

    # Classes that are only named: no template, and no header has their inside.
    while IFS= read -r name; do
      grep -qE "\b(class|struct) +(MUSTER_[A-Z]+ +)?([a-z_]+::)*$name( final)? *(:[^:]|\{|<)" "${headers[@]}" ||
        breach "names $name without MUSTER_INSIDE, but no public header defines it"
    done < <(awk '
      /^ *template/ { generic = 1; next }
      !generic && match($0, /^ *(friend +)?(class|struct) +[a-z_:]+;/) { print }
      { generic = 0 }' "$file" |
      sed -E 's/^ *(friend +)?(class|struct) +//; s/;.*//; s/.*:://' | sort -u |
      while IFS= read -r name; do
        grep -qE "^ *(class|struct) MUSTER_INSIDE $name;" "${headers[@]}" || printf '%s\n' "$name"
      done)
  done
  ((breaches == 0))
}

# ---- the check can fail ----------------------------------------------------------------------------------------------

wrong=0
house=$scratch/house
# sample <text>: the check of a house whose only header has this text says, in $said.
sample() {
  rm -rf -- "$house"
  mkdir -p "$house"/{runtime,actors}/include/muster
  printf '%b' "$1" >"$house/runtime/include/muster/low.hpp"
  said=$(check "$house")
}
refused() { # <text> <part of what must be said>
  sample "$1"
  if [[ $said != *"$2"* ]]; then
    printf 'the check should say "%s" of a planted header; it said: %s\n' "$2" "$said"
    wrong=1
  fi
}
sound='#pragma once\n#include <a>\n\nMUSTER_API_BEGIN\n\nnamespace muster {\nclass a {\n  friend class b;\n};\nclass b {};\n'
sound+='class MUSTER_INSIDE c;\ntemplate <class T>\nclass d;\n}\n'
sample "$sound\nMUSTER_API_END\n"
if [[ -n $said ]]; then
  printf 'the check refuses a sound header: %s\n' "$said"
  wrong=1
fi
refused "$sound" "has no pair"
refused "${sound/MUSTER_API_BEGIN/}MUSTER_API_END\n" "has no pair"
refused "${sound}MUSTER_API_END\nMUSTER_API_END\n" "has no pair"
refused "${sound}#include <b>\nMUSTER_API_END\n" "behind MUSTER_API_BEGIN"
refused "namespace early {}\n${sound}MUSTER_API_END\n" "before MUSTER_API_BEGIN"
refused "${sound}MUSTER_API_END\nint late;\n" "behind MUSTER_API_END"
refused "${sound}class task_actor;\nMUSTER_API_END\n" "names task_actor"
refused "${sound}struct x {\n  friend struct x_access;\n};\nMUSTER_API_END\n" "names x_access"
((wrong == 0)) || exit 1

# ---- the house -------------------------------------------------------------------------------------------------------

check "$repository" || exit 1
echo "every public header is marked"
