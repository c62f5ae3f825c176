#!/usr/bin/env bash
# The tests of embedded_server: run.sh <program> <test>. Each runs it as a process on a port of the system's choice.
# Nothing is timed: the test goes on when the server has said, or answered, what it waits for.
set -u -o pipefail

program=${1:?the program}
name=${2:?the test}
scratch=$(mktemp -d) || exit 1
server=
trap 'trap - EXIT; [[ -n $server ]] && kill -KILL "$server" 2>/dev/null; rm -rf -- "$scratch"' EXIT

die() {
  printf '%s: %s\n' "$name" "$*" >&2
  for file in "$scratch"/said "$scratch"/err; do
    [[ -s $file ]] && { printf -- '--- %s\n' "${file##*/}"; head -n 20 -- "$file"; } >&2
  done
  exit 1
}

# start <option...>: the server runs; what it says can be read from descriptor 3, and its port is $port.
start() {
  mkfifo "$scratch/out"
  "$program" "$@" >"$scratch/out" 2>"$scratch/err" &
  server=$!
  exec 3<"$scratch/out"
  says "listening on 127.0.0.1:*"
  port=${said##*:}
}

# says <pattern>: the next line that the server says; it is waited for.
says() {
  IFS= read -r said <&3 || die "it ended before it said: $1"
  printf '%s\n' "$said" >>"$scratch/said"
  # shellcheck disable=SC2053
  [[ $said == $1 ]] || die "it should say: $1"
}

# ended <status>: it says nothing more and ends so.
ended() {
  local rest status
  rest=$(cat <&3)
  wait "$server"
  status=$?
  server=
  [[ -z $rest ]] || die "it said more: $rest"
  ((status == $1)) || die "status $status instead of $1"
  [[ ! -s $scratch/err ]] || die "it should write nothing to stderr"
}

# client <descriptor> <line>: connects and sends a request.
client() {
  eval "exec $1<>/dev/tcp/127.0.0.1/$port" || die "no connection"
  printf '%s\n' "$2" >&"$1"
}
answer_is() { # <descriptor> <line>
  local answer
  IFS= read -r answer <&"$1" || die "there was no answer"
  [[ $answer == "$2" ]] || die "the answer was: $answer"
}
no_more_clients() {
  if (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "it still accepts"
  fi
}

stops_at_once_when_nobody_is_there() {
  start --drain 3600000
  kill -TERM "$server"
  says "stopping: 0 requests may finish"
  says "everybody has left"
  ended 0
}

lets_a_request_finish_that_ends_in_time() {
  start --drain 3600000 --limit 3600000
  client 4 hold
  says "request 1 begins: hold"
  kill -TERM "$server"
  says "stopping: 1 requests may finish"
  no_more_clients
  printf 'done\n' >&4
  answer_is 4 "done"
  says "request 1 ends: done"
  says "everybody has left"
  ended 0
}

calls_off_a_request_that_does_not() {
  start --drain 20 --limit 3600000
  client 4 hold
  says "request 1 begins: hold"
  kill -INT "$server"
  says "stopping: 1 requests may finish"
  says "the time is up"
  says "request 1 ends: called off: the server stops"
  answer_is 4 "called off: the server stops"
  says "everybody has left"
  ended 0
}

calls_off_at_once_at_the_second_signal() {
  start --drain 3600000 --limit 3600000
  client 4 hold
  says "request 1 begins: hold"
  kill -TERM "$server"
  says "stopping: 1 requests may finish"
  kill -TERM "$server"
  says "request 1 ends: called off: the server stops"
  answer_is 4 "called off: the server stops"
  says "everybody has left"
  ended 0
}

calls_off_a_request_that_takes_too_long() {
  start --limit 2000
  client 4 hold
  says "request 1 begins: hold"
  says "request 1 ends: called off: it took too long"
  answer_is 4 "called off: it took too long"
  kill -TERM "$server"
  says "stopping: * requests may finish"
  says "everybody has left"
  ended 0
}

answers_each_request() {
  start --limit 3600000
  client 4 "echo a word"
  says "request 1 begins: echo a word"
  says "request 1 ends: a word"
  answer_is 4 "a word"
  client 5 "sum 1 20 300"
  says "request 2 begins: *"
  says "request 2 ends: 321"
  answer_is 5 321
  client 6 "sum 1 two"
  says "request 3 begins: *"
  says "request 3 ends: error: two is no number"
  answer_is 6 "error: two is no number"
  client 7 "sing"
  says "request 4 begins: sing"
  says "request 4 ends: error: there is no such request"
  answer_is 7 "error: there is no such request"
  kill -TERM "$server"
  says "stopping: * requests may finish"
  says "everybody has left"
  ended 0
}

refuses_bad_options() {
  local bad
  for bad in "--port 70000" "--threads 0" "--limit soon" "--drain" "--what 1"; do
    # shellcheck disable=SC2086
    "$program" $bad >"$scratch/said" 2>"$scratch/err"
    [[ $? == 2 && ! -s $scratch/said && -s $scratch/err ]] || die "it takes $bad"
  done
}

[[ $(type -t "$name") == function ]] || die "there is no such test"
"$name"
printf '%s: ok\n' "$name"
