#!/usr/bin/env bash
# Tests of checksum against sha256sum, find and sort. Usage: test.sh <checksum> <name of a test>; 77: cannot be run here.
#
# No test sleeps or measures time: what has to be stopped is a file of 1 TiB, which nobody hashes before a signal comes.
set -u -o pipefail
export LC_ALL=C

checksum=$(realpath -- "${1:?the program}") || exit 1
readonly checksum
case_to_run=${2:?the name of a test}

scratch=$(mktemp -d) || exit 1
trap 'chmod -f 700 "$scratch/tree/closed"; rm -rf -- "$scratch"' EXIT
cd -- "$scratch" || exit 1

fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}

# What checksum should print for these folders.
reference() { find "$@" -type f -print0 | sort -z | xargs -0 -r sha256sum --; }

# same <folder>…: checksum prints what it should, byte for byte, with nothing on stderr and status 0, whatever --jobs.
same() {
  reference "$@" >expected || fail "sha256sum itself failed on $*"
  local jobs
  for jobs in 1 2 7; do
    "$checksum" --jobs "$jobs" -- "$@" >got 2>complaints || fail "status $? for --jobs $jobs $*: $(<complaints)"
    [[ ! -s complaints ]] || fail "it complained about $*: $(<complaints)"
    cmp expected got || fail "--jobs $jobs $* differs from sha256sum"
  done
}

# expect <status> <command>…: runs it with its output in got and complaints.
expect() {
  local wanted=$1 status=0
  shift
  "$@" >got 2>complaints || status=$?
  ((status == wanted)) || fail "status $status instead of $wanted: $*: $(<complaints)"
}

# A file that cannot be hashed to its end, after one that can: the line of that one tells that checksum is at work.
endless_tree() {
  mkdir endless
  printf 'small' >endless/1-small
  truncate -s 1T endless/2-huge 2>/dev/null || skip "no file of 1 TiB can be made here"
}

# stops_on <signal>: reads the first line, sends the signal, and expects 128 + its number.
stops_on() {
  endless_tree
  mkfifo lines
  # In the background a shell ignores SIGINT, and so would checksum.
  env --default-signal="$1" "$checksum" --trace trace endless >lines 2>complaints &
  local pid=$! line status=0
  exec 3<lines
  read -r line <&3 || fail "no line came: $(<complaints)"
  [[ $line == *"  endless/1-small" ]] || fail "unexpected line: $line"
  kill -s "$1" "$pid"
  wait "$pid" || status=$?
  ((status == 128 + $(kill -l "$1"))) || fail "status $status after SIG$1: $(<complaints)"
  read -r line <&3 && fail "a line for a file that was not finished: $line"
  # On a busy machine it may first have named a body that had no time to stop.
  [[ $(tail -n 1 complaints) == "checksum: interrupted (1 file hashed, 1 printed, "*" read)" ]] ||
    fail "it said: $(<complaints)"
  [[ -s trace ]] || fail "no trace was written"
}

# ---- the tests -------------------------------------------------------------------------------------------------------

matches_sha256sum() {
  mkdir -p tree/{empty-folder,sub/deeper,sub-b,sub.d,a,a0}
  : >tree/empty
  printf 'x' >tree/one-byte
  printf 'y' >tree/sub.txt
  printf 'z' >tree/sub/file
  cp tree/sub/file tree/sub-b/file
  cp tree/sub/file tree/sub.d/file
  cp tree/sub/file tree/a/file
  cp tree/sub/file tree/a0/file
  cp tree/sub/file tree/a.txt
  head -c 5M /dev/urandom >tree/sub/deeper/five-mebibytes
  # Around the size of a block, where reading once becomes reading twice.
  for size in 131071 131072 131073 262144; do head -c "$size" /dev/urandom >"tree/size-$size"; done
  for ((i = 0; i < 100; ++i)); do printf '%s' "$i" >"tree/sub/deeper/$i"; done
  ln -s sub tree/link-to-folder
  ln -s sub/file tree/link-to-file
  ln -s nowhere tree/link-to-nothing
  mkfifo tree/fifo
  same tree
  same tree/
  same ./tree//
  same tree/sub/.
  same tree/sub/file
  same tree/link-to-folder
  same tree/link-to-folder/
  same tree/empty-folder
  same "$scratch/tree"
}

writes_odd_names_as_sha256sum() {
  mkdir -p tree/$'new\nfolder' tree/'back\slash' 'tree/ ' tree/-n tree/'[a,b]'
  local name
  for name in $'new\nline' 'back\slash' $'carriage\rreturn' $'\n' '\' '\n' $'tab\tbell\a' $'not-utf8-\xff\xfe' ' leading' \
    'trailing ' -dash -- --help '*' '?' "quote'" 'quote"' '$HOME' '{}' '%s' '[a,b]' "$(printf 'n%.0s' {1..255})"; do
    printf '%s' "$name" >"tree/$name"
    printf '%s' "$name" >tree/$'new\nfolder'/"$name"
    printf '%s' "$name" >tree/'back\slash'/"$name"
    printf '%s' "$name" >"tree/ /$name"
  done
  same tree
  cd tree || fail "no tree"
  cp -r . "$scratch/-tree"
  cd "$scratch" || fail "no scratch"
  cp -r tree/'[a,b]' '[a,b]'
  printf 'x' >'[a,b]/file'
  same '[a,b]' $'tree/new\nfolder'
  # find would take -tree for an option; checksum takes everything after -- for a folder.
  (cd -- -tree && reference .) | sed 's|  \./|  -tree/|' >expected
  expect 0 "$checksum" -- -tree
  sort expected >expected.sorted
  sort got >got.sorted
  cmp expected.sorted got.sorted || fail "a folder with a leading dash differs"
}

sorts_several_folders_together() {
  mkdir -p tree/{b/c,a,b.d}
  local name
  for name in tree/{a,b,b.d,b/c}/{1,2,3} tree/{0,b-,z}; do printf '%s' "$name" >"$name"; done
  same tree/b tree/a
  same tree tree
  same tree tree/b tree/b/c
  same tree/b/c tree tree/b
  same tree/b/1 tree/a tree/b/1 tree
  same tree ./tree tree/ tree/.
  same tree/z tree/b.d tree/b tree/b- tree/0
}

matches_sha256sum_on_usr_include() {
  [[ -d /usr/include ]] || skip "there is no /usr/include"
  reference /usr/include >expected 2>/dev/null || skip "something in /usr/include cannot be read"
  expect 0 "$checksum" /usr/include
  cmp expected got || fail "/usr/include differs"
}

hashes_the_rest_when_something_cannot_be_read() {
  mkdir tree
  printf 'x' >tree/file
  expect 1 "$checksum" nowhere tree $'no\nwhere'
  reference tree | cmp - got || fail "the rest differs"
  printf '%s: No such file or directory\n' 'checksum: nowhere' 'checksum: no\nwhere' | sort >expected
  sort complaints | cmp expected - || fail "it said: $(<complaints)"

  # Root may read everything, so this needs somebody else.
  local -a as_nobody=()
  if ((EUID == 0)); then
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 .
    "${as_nobody[@]}" "$checksum" --help >/dev/null 2>&1 || skip "nobody else can run the program here"
  fi
  mkdir tree/{closed,open}
  for name in tree/{closed,open}/{1,2,3}; do printf '%s' "$name" >"$name"; done
  reference tree/file tree/open/1 tree/open/3 >expected
  chmod 000 tree/closed tree/open/2
  expect 1 "${as_nobody[@]}" "$checksum" tree
  cmp expected got || fail "the rest differs"
  printf 'checksum: tree/%s: Permission denied\n' closed open/2 | cmp - complaints || fail "it said: $(<complaints)"
}

refuses_bad_arguments() {
  local arguments
  for arguments in '' '--bogus .' '--jobs 0 .' '--jobs -1 .' '--jobs two .' '--jobs' '--timeout 5parsecs .' \
    '--timeout 0s .' '--timeout -1s .' '--timeout inf .' '--timeout 1e300h .' '--timeout s .' '--trace'; do
    # shellcheck disable=SC2086 # words are wanted
    expect 2 "$checksum" $arguments
    [[ ! -s got && -s complaints ]] || fail "what '$arguments' printed: $(<got) $(<complaints)"
  done
  expect 0 "$checksum" --help
  [[ $(<got) == *--jobs*--timeout*--trace* ]] || fail "--help says: $(<got)"
}

stops_when_the_time_is_up() {
  endless_tree
  expect 124 "$checksum" --timeout 200ms endless
  [[ $(tail -n 1 complaints) == "checksum: out of time ("*" read)" ]] || fail "it said: $(<complaints)"
  # Whether the first line came in time depends on the machine; nothing else can be there.
  reference endless/1-small | head -c "$(stat -c %s got)" | cmp - got || fail "it printed: $(<got)"
  mkdir tree
  same tree
  expect 0 "$checksum" --timeout 1h tree
}

stops_on_sigint() { stops_on INT; }
stops_on_sigterm() { stops_on TERM; }

reports_that_stdout_cannot_be_written() {
  [[ -c /dev/full ]] || skip "there is no /dev/full"
  mkdir tree
  printf 'x' >tree/file
  local status=0
  "$checksum" tree >/dev/full 2>complaints || status=$?
  ((status == 1)) || fail "status $status with a full device"
  [[ $(tail -n 1 complaints) == "checksum: standard output: No space left on device ("* ]] || fail "it said: $(<complaints)"

  "$checksum" tree >&- 2>complaints && fail "success without a standard output"
  [[ $(<complaints) == *"Bad file descriptor"* ]] || fail "it said: $(<complaints)"

  # A reader that leaves: the pipe's only reading end is closed before checksum begins.
  mkfifo pipe
  exec 4<>pipe 5>pipe
  exec 4<&-
  status=0
  "$checksum" tree >&5 2>complaints || status=$?
  ((status == 1)) || fail "status $status with a broken pipe"
  [[ $(<complaints) == *"Broken pipe"* ]] || fail "it said: $(<complaints)"

  # Even an endless file is given up then.
  endless_tree
  expect 1 "$checksum" --trace /nowhere/trace tree
  [[ $(<complaints) == "checksum: /nowhere/trace: No such file or directory" ]] || fail "it said: $(<complaints)"
  status=0
  "$checksum" endless >/dev/full 2>complaints || status=$?
  ((status == 1)) || fail "status $status with a full device and an endless file"
}

writes_a_trace() {
  mkdir -p tree/sub
  printf 'x' >tree/sub/file
  expect 0 "$checksum" --trace trace tree
  local name
  for name in tree sub file; do
    grep -qa -- "$name" trace || fail "the trace does not mention $name"
  done
}

takes_deep_and_wide_trees() {
  mkdir wide
  (
    cd wide || exit 1
    mkdir {0..999}
    for ((i = 0; i < 1000; ++i)); do printf '%s' "$i" >"$i/file"; done
    for ((i = 0; i < 2000; ++i)); do printf '%s' "$i" >"file-$i"; done
  ) || fail "cannot make the tree"
  same wide

  # Deeper than the descriptors that it may have, and than the 4,096 bytes that the system takes for a path.
  local hop
  hop=$(printf 'folder/%.0s' {1..500})
  mkdir deep
  (
    cd deep || exit 1
    for ((i = 0; i < 3; ++i)); do
      mkdir -p "$hop" && cd -P "$hop" 2>/dev/null && printf '%s' "$i" >file || exit 1
    done
    printf 'bottom' >file
  ) || skip "no deep tree can be made here"
  find deep -type f -printf '%p\n' | sort >expected.paths
  (ulimit -n 64 && exec "$checksum" deep) >got 2>complaints || fail "status $?: $(<complaints)"
  cut -d ' ' -f 3- got | cmp expected.paths - || fail "the files of a deep tree differ"
  tail -n 1 got | grep -q "^$(printf 'bottom' | sha256sum | cut -d ' ' -f 1) " || fail "the file at the bottom differs"
}

[[ $(type -t "$case_to_run") == function ]] || fail "there is no test $case_to_run"
"$case_to_run"
