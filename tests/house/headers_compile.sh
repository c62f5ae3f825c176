#!/usr/bin/env bash
# A test: every public header compiles alone, and drags in neither CAF (all but muster/caf.hpp) nor fmt (all but
# muster/fmt.hpp, muster/spdlog.hpp and muster/caf.hpp) nor Asio (all but muster/asio.hpp and its details) nor spdlog (all
# but muster/spdlog.hpp), whatever it includes on the way: the compiler is asked for every file it read. Where Asio or
# spdlog is not installed the headers for it are left out, which is said. Usage: headers_compile.sh <repository> <compiler> <CAF's include folders> <fmt's include folders>  (a:b:c)
#
# It first proves that it can fail, on planted samples.
set -u -o pipefail

root=$(cd -- "${1:?the repository}" && pwd -P) || exit 1
compiler=${2:?a compiler}
IFS=: read -r -a libraries <<<"${3-}:${4-}"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT

# check <house> <header>: <header> as it is included, such as muster/error.hpp. Prints what is wrong, if anything is.
check() {
  local house=$1 header=$2 folder path
  local -a flags=(-std=c++23 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    -I "$house/runtime/include" -I "$house/actors/include")
  for folder in "${libraries[@]}"; do
    # Naming a folder that is searched anyway would change the order of the search.
    [[ -n $folder && $folder != /usr/include ]] && flags+=(-isystem "$folder")
  done
  local base=$scratch/${header//\//_}
  # Twice: it also must stand being included twice.
  printf '#include <%s>\n#include <%s>\nint main() {}\n' "$header" "$header" >"$base.cpp"
  if ! "$compiler" "${flags[@]}" -fsyntax-only -MD -MF "$base.d" -MT it "$base.cpp" 2>"$base.err"; then
    printf '%s does not compile alone:\n' "$header"
    head -n 20 -- "$base.err"
    return 1
  fi
  while IFS= read -r path; do
    # What lies in the house itself has muster in its path, and perhaps anything above that.
    [[ $path == "$house"/* || $path == "$scratch"/* ]] && path=/${path##*/}
    if [[ $path == */caf/* && $header != muster/caf.hpp ]]; then
      printf '%s pulls in CAF: %s\n' "$header" "$path"
      return 1
    fi
    if [[ $path == */fmt/* && $header != muster/caf.hpp && $header != muster/fmt.hpp &&
      $header != muster/spdlog.hpp ]]; then
      printf '%s pulls in fmt: %s\n' "$header" "$path"
      return 1
    fi
    if [[ $path == */asio/* && $header != muster/asio.hpp && $header != muster/detail/asio_support.hpp ]]; then
      printf '%s pulls in Asio: %s\n' "$header" "$path"
      return 1
    fi
    if [[ $path == */spdlog/* && $header != muster/spdlog.hpp ]]; then
      printf '%s pulls in spdlog: %s\n' "$header" "$path"
      return 1
    fi
  done < <(sed -e 's/\\$//' "$base.d" | tr -s ' ' '\n')
  return 0
}

# ---- the check can fail ----------------------------------------------------------------------------------------------

sample=$scratch/sample
mkdir -p "$sample"/{runtime,actors}/include/muster
printf '#pragma once\n#include <chrono>\ninline std::chrono::seconds s{1};\n' \
  >"$sample/runtime/include/muster/sound.hpp"
printf '#pragma once\ninline std::chrono::seconds s{1};\n' >"$sample/runtime/include/muster/incomplete.hpp"
printf 'struct twice {};\n' >"$sample/runtime/include/muster/unguarded.hpp"
printf '#pragma once\ninline int narrow(long l) { return l; }\n' >"$sample/runtime/include/muster/careless.hpp"
printf '#pragma once\n#include <caf/fwd.hpp>\n' >"$sample/runtime/include/muster/deep.hpp"
printf '#pragma once\n#include <muster/deep.hpp>\n' >"$sample/actors/include/muster/with_caf.hpp"
printf '#pragma once\n#include <fmt/core.h>\n' >"$sample/actors/include/muster/with_fmt.hpp"

wrong=0
expect() { # <header> <what the check must say; empty: nothing>
  local said
  said=$(check "$sample" "$1")
  if [[ (-n $2 && $said != *"$2"*) || (-z $2 && -n $said) ]]; then
    printf 'the check should say "%s" of the planted %s; it said: %s\n' "$2" "$1" "$said"
    wrong=1
  fi
}
expect muster/sound.hpp ""
expect muster/incomplete.hpp "does not compile alone"
expect muster/unguarded.hpp "does not compile alone"
expect muster/careless.hpp "does not compile alone"
expect muster/with_caf.hpp "pulls in CAF"
expect muster/with_fmt.hpp "pulls in fmt"
((wrong == 0)) || exit 1

# ---- the house -------------------------------------------------------------------------------------------------------

headers=()
# is_here <header>
is_here() {
  printf '#include <%s>\n' "$1" >"$scratch/is_here.cpp"
  "$compiler" -fsyntax-only "$scratch/is_here.cpp" 2>/dev/null
}
with_asio=yes
is_here asio/version.hpp || with_asio=no
with_spdlog=yes
is_here spdlog/version.h || with_spdlog=no
for house in runtime actors; do
  while IFS= read -r file; do
    if [[ $with_asio == no && $file == */asio*.hpp ]]; then
      printf 'left out, for Asio (libasio-dev) is not here: %s\n' "$file"
      continue
    fi
    if [[ $with_spdlog == no && $file == */spdlog.hpp ]]; then
      printf 'left out, for spdlog (libspdlog-dev) is not here: %s\n' "$file"
      continue
    fi
    headers+=("${file#"$root/$house/include/"}")
  done < <(find "$root/$house/include" -type f -name '*.hpp' 2>/dev/null | sort)
done

# Two at a time.
running=0
for header in "${headers[@]}"; do
  if ((running >= 2)); then
    wait -n || wrong=1
    running=$((running - 1))
  fi
  check "$root" "$header" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || wrong=1
  running=$((running - 1))
done
((wrong == 0)) || exit 1
printf '%s headers, all well\n' "${#headers[@]}"
