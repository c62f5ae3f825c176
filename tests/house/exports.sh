#!/usr/bin/env bash
# A test: the shared library exports what the public headers declare and nothing of its inside, nor anything of CAF's; and
# it has the name that says with which programs it works.
# Usage: exports.sh <repository> <libmuster.so> <libmuster.a> <soname>
#
# It first proves that it can fail: on planted names, and on the static library, in which everything is visible.
set -u -o pipefail
export LC_ALL=C # sort and comm agree

repository=$(cd -- "${1:?the repository}" && pwd -P) || exit 1
shared=${2:?the shared library}
static=${3:?the static library}
soname=${4:?its soname}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT

# The words of the public headers, but for comments and for the classes that they only name.
find "$repository/runtime/include" "$repository/actors/include" -name '*.hpp' -exec cat {} + | sed -E 's,//.*,,' >"$scratch/text"
grep -oE 'MUSTER_INSIDE [a-z_]+' "$scratch/text" | sed 's/.* //' | sort -u >"$scratch/only_named"
grep -oE '[A-Za-z_][A-Za-z_0-9]*' "$scratch/text" | sort -u | comm -23 - "$scratch/only_named" >"$scratch/words"

# check: reads names as `nm -C` prints them, without address and kind; prints those that are no business of a user. With
# "weak " before it, what is neither Muster's nor hidden by the compiler is nobody's business either: each library and
# program that uses CAF or std has its own copy of their inline functions.
check() {
  sed -E 's/^(weak )?((vtable|typeinfo( name)?|VTT|guard variable|reference temporary #[0-9]+|(non-)?virtual thunk|construction vtable) (for|to) )+/\1/' |
    awk -v words="$scratch/words" '
      BEGIN { while ((getline word < words) > 0) known[word] = 1 }
      {
        name = $0
        weak = sub(/^weak /, "", name)
        # Only its own name counts: neither template arguments nor parameters, nor what it returns.
        plain = ""
        depth = 0
        for (i = 1; i <= length(name); ++i) {
          c = substr(name, i, 1)
          if (c == "<") ++depth
          else if (c == ">") --depth
          else if (depth == 0 && c == "(" && substr(name, i, 21) != "(anonymous namespace)") break
          else if (depth == 0) plain = plain c
        }
        sub(/.* /, "", plain)
        if (plain ~ /^(std|__gnu_cxx|fmt|__cxxabiv1)::/ || plain ~ /^operator/ || plain ~ /^std/) next
        if (weak && plain !~ /^muster::/) next
        if (plain !~ /^muster::/ || plain ~ /anonymous namespace/ || plain ~ /^muster::runtime::/) { print; next }
        n = split(plain, part, "::")
        for (i = 2; i <= n; ++i)
          if (part[i] != "" && part[i] !~ /^~|^operator|\[abi:/ && !(part[i] in known)) { print; next }
      }'
}

# ---- the check can fail ----------------------------------------------------------------------------------------------

wrong=0
while IFS='|' read -r verdict name; do
  said=$(check <<<"$name")
  if [[ ($verdict == ok && -n $said) || ($verdict == inside && -z $said) ]]; then
    printf 'the check should find that "%s" is %s\n' "$name" "$verdict"
    wrong=1
  fi
done <<'END'
ok|muster::scope::wait()
ok|muster::error::error(muster::errc, std::string)
ok|muster::scope::~scope()
ok|vtable for muster::detail::wait_point
ok|muster::detail::retain(muster::task_actor*)
ok|std::vector<muster::error, std::allocator<muster::error> >::~vector()
ok|weak typeinfo for caf::detail::stringification_inspector
ok|weak _ZN9__gnu_cxxeqIPKN6muster5errorEEEbRKNS_17__normal_iteratorIT_T0_EESE_QrqXeqcldtfp_4baseEE
inside|weak vtable for muster::task_actor
inside|weak muster::runtime::lane* muster::scope_actor::lanes<int>()
inside|muster::scope_actor::cancel(muster::cancel_reason)
inside|vtable for muster::task_actor
inside|muster::runtime::lane::push(muster::runtime::lane_item&)
inside|caf::make_message()
inside|muster::(anonymous namespace)::wait()
inside|muster::scope::machine_of(int)
END
if [[ $(nm -C --defined-only --extern-only "$static" 2>/dev/null | sed -nE 's/^[0-9a-f]+ [A-Zu] //p' | sort -u | check | wc -l) -lt 100 ]]; then
  echo "the check finds nothing in the static library, in which everything can be seen"
  wrong=1
fi
((wrong == 0)) || exit 1

# ---- the library -----------------------------------------------------------------------------------------------------

if ! readelf -d "$shared" | grep -qF "Library soname: [$soname]"; then
  echo "its soname is not $soname:"
  readelf -d "$shared" | grep -i soname
  exit 1
fi
nm -DC --defined-only "$shared" | sed -E 's/^[0-9a-f]+ [WVu] /weak /; s/^[0-9a-f]+ . //' | sort -u >"$scratch/exported"
# Something must be there.
for wanted in "muster::manager::manager(muster::manager_options)" "muster::scope::wait()" "vtable for muster::detail::wait_point"; do
  if ! grep -qF -- "$wanted" "$scratch/exported"; then
    echo "not exported: $wanted"
    wrong=1
  fi
done
check <"$scratch/exported" >"$scratch/inside"
if [[ -s $scratch/inside ]]; then
  echo "exported, but inside of the library:"
  cat "$scratch/inside"
  wrong=1
fi
((wrong == 0)) || exit 1
printf '%s symbols are exported\n' "$(wc -l <"$scratch/exported")"
