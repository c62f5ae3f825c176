#!/usr/bin/env bash
# The tests of fetch: run.sh <program> <test>. Each runs it against its own server on a port of the kernel's choice;
# nothing leaves the loopback, and nothing is timed: what is slow is slow for ever, or until all others are there.
set -u -o pipefail

fetch=${1:?the program}
name=${2:?the test}
scratch=$(mktemp -d) || exit 1
server=
stop_server() {
  [[ -n $server ]] || return 0
  kill -TERM "$server"
  wait "$server"
  local status=$?
  server=
  ((status == 0)) || die "the server ended with status $status"
}
trap 'trap - EXIT; [[ -n $server ]] && kill -KILL "$server" 2>/dev/null; rm -rf -- "$scratch"' EXIT

die() {
  printf '%s: %s\n' "$name" "$*" >&2
  for file in "$scratch"/out "$scratch"/err; do
    [[ -s $file ]] && { printf -- '--- %s\n' "${file##*/}"; head -n 20 -- "$file"; } >&2
  done
  exit 1
}

start_server() {
  mkfifo "$scratch/at"
  "$fetch" --serve >"$scratch/at" &
  server=$!
  read -r at <"$scratch/at" || die "the server does not say where it is"
}

# run <expected status> <arguments...>
run() {
  local expected=$1 status
  shift
  "$fetch" "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  ((status == expected)) || die "status $status instead of $expected: fetch $*"
}
says() { grep -qF -- "$1" "$scratch/err" || die "it should say: $1"; }
lines_are() { printf '%s\n' "$@" | cmp -s - "$scratch/out" || die "the output should be: $*"; }

fetches_what_the_list_says() {
  start_server
  run 0 "$at/bytes/5" "$at/bytes/0" "$at/open/7" "$at/bytes/3000000" "$at/open/70000?x=1#part"
  lines_are "5 $at/bytes/5" "0 $at/bytes/0" "7 $at/open/7" "3000000 $at/bytes/3000000" "70000 $at/open/70000?x=1#part"
  [[ ! -s $scratch/err ]] || die "it should say nothing"
  printf '# a comment\n%s\r\n\n%s\n' "$at/bytes/1" "$at/bytes/2" >"$scratch/list"
  run 0 --from "$scratch/list"
  lines_are "1 $at/bytes/1" "2 $at/bytes/2"
  run 0 --from - <"$scratch/list"
  lines_are "1 $at/bytes/1" "2 $at/bytes/2"
  # By name too, on a machine that knows its own (a bare one has no /etc/hosts).
  ! getent ahosts localhost >/dev/null || run 0 "${at/127.0.0.1/localhost}/bytes/4"
}

holds_a_thousand_downloads_at_once() {
  run 0 --demo 1000 --timeout 240s
  [[ $(wc -l <"$scratch/out") == 1000 ]] || die "1000 lines"
  # With fewer at a time than have to be there together nobody would ever be answered.
  start_server
  for ((i = 0; i < 300; ++i)); do printf '%s/together/300\n' "$at"; done >"$scratch/list"
  run 0 --from "$scratch/list" --timeout 240s
  run 1 --from "$scratch/list" --timeout 2s --at-once 299
}

keeps_to_at_once() {
  start_server
  for ((i = 0; i < 200; ++i)); do printf '%s/slow/3\n' "$at"; done >"$scratch/list"
  run 0 --from "$scratch/list" --at-once 5
  run 0 --into "$scratch/most" "$at/most"
  (($(<"$scratch/most/1") <= 5)) || die "there were $(<"$scratch/most/1") requests at one time"
}

gives_up_slow_pages_and_fetches_the_rest() {
  start_server
  run 1 --timeout 3s "$at/bytes/1" "$at/silent" "$at/bytes/2" "$at/silent"
  lines_are "1 $at/bytes/1" "2 $at/bytes/2"
  says "fetch: $at/silent: not there within 3000 ms"
  says "fetch: 2 of 4 fetched"
}

says_what_went_wrong() {
  start_server
  run 1 "$at/status/503" "$at/nowhere" "$at/cut/1000" "$at/garbage" "$at/status/304"
  says "$at/status/503: the server answered 503 As You Wish"
  says "$at/nowhere: the server answered 404 Not Found"
  says "$at/cut/1000: the answer is cut off: 500 of 1000 bytes came"
  says "$at/garbage: what it answers is not HTTP"
  says "$at/status/304: the server answered 304"
  local gone=$at
  stop_server
  run 1 "$gone/bytes/1"
  says "connecting to ${gone#http://}: Connection refused"
  run 1 --into "$fetch/no-folder" "$gone/"
  says "Not a directory"
}

refuses_bad_urls() {
  run 2
  says "nothing to fetch"
  run 2 "http://127.0.0.1/fine" "https://127.0.0.1/" "127.0.0.1/x" "http:///x" "http://h:0/" "http://h:99999/" "http://me@h/" \
    "http://[::1/" "http://h/a b"
  says "https://127.0.0.1/: https is not spoken here"
  says "127.0.0.1/x: it does not begin with http://"
  says "http:///x: it names no host"
  says "http://h:0/: its port is no number from 1 to 65535"
  says "http://h:99999/: its port is no number"
  says "http://me@h/: it names a user"
  says "http://[::1/: the bracket of its address does not close"
  says "http://h/a b: it has a character that no URL has"
  run 2 --from "$scratch/nothing"
  says "cannot be read"
  run 2 --timeout soon http://h/
}

# Interrupted while every page keeps it waiting: it ends in order, with the signal's status, and so does the server.
stops_on_sigint() {
  start_server
  for ((i = 0; i < 100; ++i)); do printf '%s/silent\n' "$at"; done >"$scratch/list"
  printf '%s/bytes/6\n' "$at" >>"$scratch/list"
  # A shell without job control makes what runs in the background ignore SIGINT.
  set -m
  "$fetch" --from "$scratch/list" --timeout 1h --into "$scratch/bodies" >"$scratch/out" 2>"$scratch/err" &
  local child=$!
  set +m
  until [[ -s $scratch/bodies/101 ]]; do
    kill -0 "$child" 2>/dev/null || die "it ended by itself"
  done
  kill -INT "$child"
  wait "$child"
  local status=$?
  ((status == 130)) || die "status $status instead of 130"
  says "fetch: interrupted: 1 of 101 fetched"
  lines_are "6 $at/bytes/6"
  stop_server
}

stops_when_the_time_is_up() {
  start_server
  run 124 --total 2s "$at/silent" "$at/silent"
  says "out of time: 0 of 2 fetched"
}

writes_bodies_into_a_folder() {
  start_server
  run 0 --into "$scratch/new/bodies" "$at/bytes/12" "$at/open/3"
  [[ $(<"$scratch/new/bodies/1") == 012345678901 && $(<"$scratch/new/bodies/2") == 012 ]] || die "the bodies differ"
}

[[ $(type -t "$name") == function ]] || die "there is no such test"
"$name"
stop_server
printf '%s: ok\n' "$name"
