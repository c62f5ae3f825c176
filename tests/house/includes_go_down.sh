#!/usr/bin/env bash
# A test: includes go one way, and CAF stays where it belongs. Usage: includes_go_down.sh <repository>
#
#   tools, examples, tests -> actors -> runtime -> CAF, fmt, std
#
# It first proves that it can fail: each rule is given a planted sample that breaks it.
set -u -o pipefail

repository=$(cd -- "${1:?the repository}" && pwd -P) || exit 1

# includes <file>: its includes, one a line, as <name> or "name".
includes() { sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"][^>"]+[>"]).*/\1/p' "$1"; }

sources() { find "$@" -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.ipp' \) 2>/dev/null | sort; }

# check <root>: prints one line for each breach; false if there is one.
check() {
  local root=$1 file include name folder where breaches=0
  breach() {
    printf '%s: %s\n' "${file#"$root"/}" "$*"
    breaches=$((breaches + 1))
  }

  while IFS= read -r file; do
    where=${file#"$root"/}
    while IFS= read -r include; do
      name=${include:1:-1}
      folder=$(dirname -- "$file")

      # Nothing below includes anything above.
      case $name in
        tests/* | examples/* | tools/* | */tests/* | */examples/* | */tools/*)
          breach "includes $name, which is above it"
          continue
          ;;
        actors/* | */actors/*)
          if [[ $where != actors/* ]]; then
            breach "includes $name, which is above it"
            continue
          fi
          ;;
      esac
      if [[ $include == \<muster/* || $include == \"muster/* ]]; then
        if [[ $where == runtime/* && ! -e $root/runtime/include/$name ]]; then
          breach "includes $name, which is not in runtime/include"
        elif [[ ! -e $root/runtime/include/$name && ! -e $root/actors/include/$name ]]; then
          breach "includes $name, which does not exist"
        fi
      elif [[ $include == \"* && $where == */src/* ]]; then
        if [[ $where == runtime/* && ! -e $root/runtime/src/$name && ! -e $folder/$name ]]; then
          breach "includes $name, which is not in runtime/src"
        elif [[ ! -e $root/runtime/src/$name && ! -e $root/actors/src/$name && ! -e $folder/$name ]]; then
          breach "includes $name, which is in neither runtime/src nor actors/src"
        fi
      fi

      # Public headers know std and each other; two of them also know fmt, one CAF, one spdlog, and one (with its
      # details) Asio.
      if [[ $where == */include/* ]]; then
        case $include in
          \<muster/*) ;;
          \<caf/*) [[ $where == actors/include/muster/caf.hpp ]] || breach "includes $name; only muster/caf.hpp may" ;;
          \<fmt/*)
            [[ $where == */include/muster/fmt.hpp || $where == actors/include/muster/caf.hpp ]] ||
              breach "includes $name; only muster/fmt.hpp and muster/caf.hpp may" ;;
          \<asio/*)
            [[ $where == actors/include/muster/asio.hpp || $where == actors/include/muster/detail/asio_support.hpp ]] ||
              breach "includes $name; only muster/asio.hpp may" ;;
          \<spdlog/*)
            [[ $where == runtime/include/muster/spdlog.hpp ]] || breach "includes $name; only muster/spdlog.hpp may" ;;
          \"*) breach "includes $name in quotes, so perhaps a private header; public headers include <muster/…>" ;;
          *.hpp\> | *.h\>) breach "includes $name; a public header includes only std and <muster/…>" ;;
        esac
      fi

      # The runtime has a part that builds without CAF: all but the files named caf_* and engine*.
      if [[ $where == runtime/src/* && ! $where =~ ^runtime/src/(caf_|engine)[^/]*$ ]]; then
        case $name in
          caf/* | caf_* | engine*) breach "includes $name, but only files named caf_* and engine* may use CAF there" ;;
        esac
      fi
    done < <(includes "$file")
  done < <(sources "$root/runtime" "$root/actors")

  # One file knows CAF's version, and includes the half of itself that is for it; and what the benchmark compares with
  # is raw CAF.
  while IFS= read -r file; do
    case ${file#"$root"/} in
      runtime/src/caf_port.hpp | tools/bench/peers/caf/ping_pong.hpp) continue ;;
    esac
    if grep -qE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"caf_(port|system)_(0_17|1)\.hpp"' "$file"; then
      breach "includes what is for one version of CAF; only runtime/src/caf_port.hpp may"
    fi
    if grep -qE '\bCAF_((MAJOR_|MINOR_|PATCH_)?VERSION|VERSION_[A-Z]+)\b' "$file"; then
      breach "asks for CAF's version; only runtime/src/caf_port.hpp may"
    fi
  done < <(sources "$root/runtime" "$root/actors" "$root/examples" "$root/tests" "$root/tools")

  ((breaches == 0))
}

# ---- the check can fail ----------------------------------------------------------------------------------------------

scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT
wrong=0

# Starts a small house in which everything is right.
sound_house() {
  rm -rf -- "$scratch/house"
  mkdir -p "$scratch/house"/{runtime,actors}/{include/muster,src} "$scratch/house"/{tests,tools,examples}
  cd "$scratch/house" || exit 1
  printf '#include <chrono>\n' >runtime/include/muster/low.hpp
  printf '#include <fmt/core.h>\n#include <muster/low.hpp>\n' >runtime/include/muster/fmt.hpp
  printf '#include <muster/low.hpp>\n' >actors/include/muster/high.hpp
  printf '#include <caf/actor.hpp>\n#include <fmt/core.h>\n' >actors/include/muster/caf.hpp
  printf '#include <asio/post.hpp>\n' >actors/include/muster/asio.hpp
  printf '#include <spdlog/logger.h>\n' >runtime/include/muster/spdlog.hpp
  printf '#include "inner.hpp"\n#include <muster/low.hpp>\n#include <sys/mman.h>\n' >runtime/src/low.cpp
  printf '#include <atomic>\n' >runtime/src/inner.hpp
  printf '#include <caf/all.hpp>\n#if CAF_VERSION < 1800\n#  include "caf_port_0_17.hpp"\n#endif\n' \
    >runtime/src/caf_port.hpp
  printf '#include <caf/atom.hpp>\n' >runtime/src/caf_port_0_17.hpp
  printf '#include <caf/atom.hpp>\n' >runtime/src/caf_system_1.hpp
  mkdir -p tools/bench/peers/caf
  printf '#ifdef CAF_VERSION_MAJOR\n#endif\n' >tools/bench/peers/caf/ping_pong.hpp
  printf '#include "caf_port.hpp"\n#include "inner.hpp"\n' >runtime/src/engine.cpp
  printf '#include "high_actor.hpp"\n#include "inner.hpp"\n#include "caf_port.hpp"\n' >actors/src/high.cpp
  printf '#include <muster/high.hpp>\n' >actors/src/high_actor.hpp
  printf '#include <muster/high.hpp>\n#include "inner.hpp"\n' >tests/low.test.cpp
}

sound_house
if ! found=$(check "$scratch/house"); then
  printf 'the check refuses a sound sample: %s\n' "$found"
  wrong=1
fi

# planted <file> <line>: with this line in this file, the check must name the file.
planted() {
  sound_house
  printf '%s\n' "$2" >>"$1"
  if found=$(check "$scratch/house") || [[ $found != "$1: "* || $found == *$'\n'* ]]; then
    printf 'the check should name just %s, which has the line %s; it said: %s\n' "$1" "$2" "$found"
    wrong=1
  fi
}
planted runtime/src/low.cpp '#include <muster/high.hpp>'
planted runtime/src/low.cpp '#include "high_actor.hpp"'
planted runtime/src/low.cpp '#include <caf/actor.hpp>'
planted runtime/src/low.cpp '  #  include "caf_port.hpp"'
planted runtime/include/muster/low.hpp '#include <muster/high.hpp>'
planted runtime/include/muster/low.hpp '#include "inner.hpp"'
planted runtime/include/muster/low.hpp '#include <fmt/core.h>'
planted runtime/include/muster/low.hpp '#include <inner.hpp>'
planted actors/include/muster/high.hpp '#include <caf/fwd.hpp>'
planted actors/include/muster/high.hpp '#include "high_actor.hpp"'
planted actors/include/muster/high.hpp '#include <asio/post.hpp>'
planted runtime/include/muster/low.hpp '#include <spdlog/logger.h>'
planted actors/include/muster/high.hpp '#include <muster/nowhere.hpp>'
planted actors/src/high.cpp '#include "tests/helper.hpp" // sic'
planted actors/src/high.cpp '#include "helper.hpp"'
planted actors/src/high.cpp '#if CAF_VERSION >= 1800'
planted tests/low.test.cpp '#ifdef CAF_MAJOR_VERSION'
planted actors/src/high.cpp '#include "caf_port_0_17.hpp"'
planted runtime/src/engine.cpp '#  include "caf_system_1.hpp"'
planted tests/low.test.cpp '#include "caf_port_0_17.hpp"'
((wrong == 0)) || exit 1

# ---- the house -------------------------------------------------------------------------------------------------------

check "$repository" || exit 1
printf '%s files, no breach\n' "$(sources "$repository/runtime" "$repository/actors" | wc -l)"
