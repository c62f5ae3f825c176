# What tools/demo and tools/test have in common: a calm voice, the Debian packages, configuring and building.
#
# Sourced by bash scripts that have set `me` (their name in messages) and `root` (the repository). Works on a bare
# Debian 12: only bash, coreutils and dpkg are taken for granted. Each function either does its work or ends the script
# with one sentence on stderr.

verbose=no
install=yes
launcher=() # what goes before commands that run programs of ours

say() { printf '%s: %s\n' "$me" "$*"; }
die() {
  printf '%s: %s\n' "$me" "$*" >&2
  exit 1
}

# True if somebody is looking.
on_terminal() { [[ -t 1 ]]; }

# usage_error <sentence>: for a command line that makes no sense.
usage_error() {
  printf '%s: %s (try %s --help)\n' "$me" "$*" "$me" >&2
  exit 2
}

# common_option <option>: takes the options that all commands share; false if it is none of them.
common_option() {
  case $1 in
    --verbose) verbose=yes ;;
    --no-install) install=no ;;
    *) return 1 ;;
  esac
}

# logged <file> <command...>: runs it with its output in the file, or in plain sight with --verbose.
logged() {
  local log=$1
  shift
  if [[ $verbose == yes ]]; then
    "$@" 2>&1 </dev/null | tee -- "$log"
    return "${PIPESTATUS[0]}"
  fi
  "$@" >"$log" 2>&1 </dev/null
}

# ---- packages --------------------------------------------------------------------------------------------------------

# as_root <command...>
as_root() {
  if ((EUID == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo "${sudo_options[@]}" env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

apt_settings=(-o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
  -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=120)

apt_install() {
  logged "$root/build/apt.log" as_root apt-get "${apt_settings[@]}" install -y --no-install-recommends "${missing[@]}"
}

apt_update() { logged "$root/build/apt-update.log" as_root apt-get "${apt_settings[@]}" update; }

# apt_complaint <log>: the first thing apt-get called an error, on one line.
apt_complaint() {
  local line
  while IFS= read -r line; do
    if [[ $line == E:* ]]; then
      printf '%s' "${line#E: }"
      return
    fi
  done <"$1"
  printf 'it gave no reason'
}

# Installs whatever of packages.txt is missing; what is marked `strict:` only if `strict` is ON, and what is marked
# `clang:` only if `preset` is clang. Does nothing, and quickly, if nothing is missing.
ensure_packages() {
  mkdir -p "$root/build" 2>/dev/null && [[ -w $root/build ]] || die "the folder $root/build cannot be written to."
  [[ $install == yes ]] || return 0

  local name purpose installed purposes=
  local -a wanted=()
  while IFS='#' read -r name purpose; do
    name=${name//[[:space:]]/}
    [[ -n $name ]] || continue
    if [[ $name == strict:* ]]; then
      [[ ${strict-OFF} == ON ]] || continue
      name=${name#strict:}
    elif [[ $name == clang:* ]]; then
      [[ ${preset-} == clang ]] || continue
      name=${name#clang:}
    fi
    wanted+=("$name")
    purposes+="${purposes:+; }${purpose# }"
  done <"$root/tools/lib/packages.txt"

  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "this system has no apt-get, so please install these yourself and run $me --no-install: $purposes."
  fi

  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null)
  missing=()
  for name in "${wanted[@]}"; do
    [[ $'\n'$installed$'\n' == *$'\n'"installed $name"$'\n'* ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0

  sudo_options=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "installing the missing Debian packages needs root or sudo: ${missing[*]}"
    if ! sudo -n true 2>/dev/null; then
      [[ -t 0 ]] || die "installing the missing Debian packages needs sudo, which wants a password: ${missing[*]}"
    else
      sudo_options=(-n)
    fi
  fi

  say "installing Debian packages: ${missing[*]}"
  # Ask sudo's question, if there is one, before the output goes to a file.
  ((EUID == 0)) || sudo "${sudo_options[@]}" true || die "sudo was refused, and these are missing: ${missing[*]}"
  apt_install && return 0
  # The package lists may be absent or too old.
  apt_update || die "apt-get update failed: $(apt_complaint "$root/build/apt-update.log") (see build/apt-update.log)"
  apt_install || die "apt-get install failed: $(apt_complaint "$root/build/apt.log") (see build/apt.log)"
}

# ---- building --------------------------------------------------------------------------------------------------------

# How many compilers at once: one a core, but each with a gigabyte and a half of memory to itself.
parallel_jobs() {
  local cores key value rest by_memory
  cores=$(nproc)
  by_memory=$cores
  while read -r key value rest; do
    [[ $key == MemAvailable: ]] && by_memory=$((value / 1500000))
  done </proc/meminfo
  ((by_memory >= 1)) || by_memory=1
  echo $((by_memory < cores ? by_memory : cores))
}

# show_failure <log>: the log without its progress lines.
show_failure() {
  [[ $verbose == yes ]] && return
  local line
  while IFS= read -r line; do
    [[ $line =~ ^\[[0-9]+/[0-9]+\]\  ]] || printf '%s\n' "$line"
  done <"$1" >&2
}

# configure <preset> [cmake arguments...]
configure() {
  local preset=$1 line fresh=
  shift
  local folder=$root/build/$preset
  mkdir -p "$folder" || die "the folder $folder cannot be written to."
  # A build folder that came here with a moved or copied repository is of no use.
  if [[ -f $folder/CMakeCache.txt ]]; then
    while IFS= read -r line; do
      [[ $line == CMAKE_HOME_DIRECTORY:INTERNAL=* && ${line#*=} != "$root" ]] && fresh=--fresh
    done <"$folder/CMakeCache.txt"
  fi
  say "configuring build/$preset"
  command -v cmake >/dev/null || die "there is no cmake."
  if ! (cd "$root" && logged "$folder/configure.log" cmake $fresh --preset "$preset" "$@"); then
    show_failure "$folder/configure.log"
    die "configuring build/$preset failed."
  fi
}

# build <preset> [target...]
build() {
  local preset=$1 target
  shift
  local folder=$root/build/$preset
  local -a command=("${launcher[@]}" cmake --build "$folder" --parallel "$(parallel_jobs)")
  for target in "$@"; do command+=(--target "$target"); done
  say "building build/$preset"
  if [[ $verbose == yes ]]; then
    "${command[@]}" --verbose || die "building build/$preset failed."
  elif on_terminal; then
    # Ninja keeps to one line there, and shows what fails.
    "${command[@]}" || die "building build/$preset failed."
  elif ! logged "$folder/build.log" "${command[@]}"; then
    show_failure "$folder/build.log"
    die "building build/$preset failed."
  elif grep -q ' warning: ' "$folder/build.log"; then
    say "$(grep -c ' warning: ' "$folder/build.log") compiler warnings, see build/$preset/build.log"
  fi
}
