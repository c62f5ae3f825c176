# shellcheck shell=bash disable=SC2034
# For the tests of the checkout example: opens a shop, talks to it, closes it. Sourced; `$1` is the program.
# Needs bash and coreutils (and gzip). Nothing here waits for time to pass: only for lines, answers and processes.

set -u -o pipefail
checkout=$1
folder=$(mktemp -d)
db=$folder/orders.db
shop_pid=
trap 'if [[ -n $shop_pid ]]; then kill -KILL "$shop_pid" 2>/dev/null; fi; rm -rf "$folder"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# open_shop [options of serve]: sets port, shop_pid, service_pids; the shop's further lines come from file descriptor 8.
open_shop() {
  local pipe=$folder/lines line
  rm -f "$pipe"
  mkfifo "$pipe"
  "$checkout" serve --db "$db" "$@" >"$pipe" &
  shop_pid=$!
  exec 8<"$pipe"
  port=
  service_pids=()
  while IFS= read -r line <&8; do
    case $line in
      *" service: process "*) service_pids+=("${line##* }") ;;
      "listening on port "*) port=${line##* } && break ;;
    esac
  done
  [[ -n $port ]] || fail "the shop did not open"
}

# Reads the shop's lines until $1 of them have been read that match the pattern $2.
await_lines() {
  local count=$1 pattern=$2 line
  while ((count > 0)); do
    IFS= read -r line <&8 || fail "the shop said nothing more"
    # shellcheck disable=SC2053
    [[ $line == $pattern ]] && count=$((count - 1))
  done
}

# Sends SIGTERM; the shop must end with 0, say "closed", and leave no process behind. What it said is in
# "$folder/closing".
close_shop() {
  kill -TERM "$shop_pid"
  local last='' line
  while IFS= read -r line <&8; do
    last=$line
    echo "$line"
  done >"$folder/closing"
  wait "$shop_pid"
  local code=$?
  shop_pid=
  ((code == 0)) || fail "the shop ended with $code"
  [[ $last == closed ]] || fail "the shop's last words were: $last"
  local pid
  for pid in "${service_pids[@]}"; do
    kill -0 "$pid" 2>/dev/null && fail "process $pid is still there"
  done
  return 0
}

check_books() { "$checkout" check --db "$db" || fail "the books do not agree"; }

# send <file with a raw HTTP request>: prints the raw answer.
send() {
  exec 9<>"/dev/tcp/127.0.0.1/$port" || fail "cannot connect"
  cat "$1" >&9 2>/dev/null
  cat <&9
  exec 9>&-
}

# post <file with a body> [header…]: the same for a POST to /checkout.
post() {
  local body=$1 header
  shift
  {
    printf 'POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n' "$(stat -c %s "$body")"
    for header; do printf '%s\r\n' "$header"; done
    printf '\r\n'
    cat "$body"
  } >"$folder/request"
  send "$folder/request"
}

# expect <status> <what> <answer>: the answer must have that status, and say why as JSON.
expect() {
  local first=${3%%$'\r'*}
  [[ $first == "HTTP/1.1 $1 "* ]] || fail "$2: wanted $1, got: ${first:-nothing}"
  [[ $1 == 200 || $3 == *'"error":{"category":"'* ]] || fail "$2: no error as JSON in: $3"
  echo "$1 $2"
}
