#!/usr/bin/env bash
# Tests of the program telemetry with the real /proc, SQLite and clock. Usage: run.sh <telemetry> <name of a test> [<muster-trace>].
#
# Nothing here measures time: what is checked is how a run ended, and what the program and the database say of it.
set -u -o pipefail
export LC_ALL=C

telemetry=$(realpath -- "${1:?the program}") || exit 1
readonly telemetry
case_to_run=${2:?the name of a test}
viewer=${3:-}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf -- "$scratch"' EXIT
cd -- "$scratch" || exit 1

fail() {
  printf 'FAILED: %s\n' "$*"
  cat got complaints 2>/dev/null
  exit 1
}

# expect <status> <argument>…: runs it with its output in got and complaints.
expect() {
  local wanted=$1 status=0
  shift
  "$telemetry" "$@" >got 2>complaints || status=$?
  ((status == wanted)) || fail "status $status instead of $wanted: $*"
}
says() { grep -qF -- "$1" "$2" || fail "$2 does not say: $1"; }

# interrupted_by <signal> <argument>…: as soon as the first reading is in the database.
interrupted_by() {
  local signal=$1 status=0
  shift
  # In the background a shell ignores SIGINT, and so would telemetry.
  env --default-signal="$signal" "$telemetry" run --seconds 100 --period 50 --db t.db "$@" >got 2>complaints &
  local pid=$!
  until [[ -s t.db-wal || -s t.db ]]; do
    kill -0 "$pid" 2>/dev/null || fail "it has ended early"
    sleep 0.1
  done
  sleep 1
  kill -s "$signal" "$pid"
  wait "$pid" || status=$?
  ((status == 0)) || fail "status $status after $signal"
  says 'It was interrupted.' got
  says 'Everything is accounted for.' got
}

case $case_to_run in
chaos_is_accounted_for)
  for seed in 1 2 3; do
    expect 0 run --seconds 4 --period 20 --chaos "$seed" --db t.db
    says 'The tree, which is whole' got
    says 'Everything is accounted for.' got
  done
  ;;
sigint_shuts_down_in_order)
  interrupted_by SIGINT
  says 'sensors, aggregator, writer, store' got
  # Without chaos nothing is lost.
  grep -qE '^  all +([0-9]+) +\1 +0$' got || fail 'something is lost'
  ;;
sigterm_under_chaos_shuts_down_in_order)
  interrupted_by SIGTERM --chaos 5
  ;;
bad_usage_is_refused)
  expect 2
  expect 2 run --seconds 0
  expect 2 run --seconds -1
  expect 2 run --seconds soon
  expect 2 run --seconds nan
  expect 2 run --period 0
  expect 2 run --chaos monkey
  expect 2 run --what
  [[ ! -e telemetry.db ]] || fail 'it made a database nevertheless'
  expect 0 --help
  ;;
what_cannot_be_opened_is_said)
  expect 1 run --seconds 1 --db no/such/folder/t.db
  says 'no/such/folder/t.db: unable to open database file' complaints
  head -c 4096 /dev/urandom >noise.db
  cp noise.db before
  expect 1 run --seconds 1 --db noise.db
  says 'noise.db: file is not a database' complaints
  cmp noise.db before || fail 'it wrote into what is no database'
  expect 1 run --seconds 1 --db t.db --source no_such_file
  says 'cannot read no_such_file (No such file or directory)' complaints
  printf 'words\n' >words
  expect 1 run --seconds 1 --db t.db --source words
  says 'there is no number to be found in words' complaints
  [[ ! -e t.db ]] || fail 'it made a database nevertheless'
  ;;
json_is_json)
  expect 0 run --seconds 1 --period 50 --chaos 1 --json --db t.db
  if command -v python3 >/dev/null; then
    python3 -c '
import json, sys
all = json.load(open("got"))
assert all["whole"] and not all["complaints"] and all["failure"] is None, all
assert all["readings"]["emitted"] == all["readings"]["stored"] + all["readings"]["lost"]
' || fail 'the JSON is not as it should be'
  else
    says '"complaints": []' got
  fi
  ;;
its_trace_can_be_asked)
  expect 0 run --seconds 2 --period 20 --chaos 1 --db t.db --trace run.trace
  says 'Everything is accounted for.' got
  [[ -s run.trace ]] || fail 'it wrote no trace'
  if [[ -x $viewer ]]; then # it is not built everywhere
    "$viewer" check run.trace >got 2>complaints || fail 'the trace is not sound'
    "$viewer" tree run.trace >got 2>complaints || fail 'the trace shows no tree'
    says 'sensors' got
    says 'aggregator' got
  fi
  expect 1 run --seconds 1 --db t.db --trace no/such/folder/run.trace
  says 'Everything is accounted for.' got
  says 'no/such/folder/run.trace: the trace cannot be written: No such file or directory' complaints
  ;;
*) fail "there is no test $case_to_run" ;;
esac
printf 'passed\n'
