#!/usr/bin/env bash
# Whatever is sent to the door: the right 4xx with the error as JSON, and the shop lives on.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
open_shop

body() { # <status> <body> [header…]
  local status=$1 text=$2
  shift 2
  printf '%b' "$text" >"$folder/body"
  expect "$status" "${text:0:60} $*" "$(post "$folder/body" "$@" | tr -d '\0')"
}
raw() { # <status> <what> <request>
  printf '%b' "$3" >"$folder/request"
  expect "$1" "$2" "$(send "$folder/request" | tr -d '\0')"
}
items() { printf '{"order":"%s","user":"ada","card":"card-good","items":%s}' "$1" "$2"; }

# not JSON
body 400 ''
body 400 '{'
body 400 '{"order":"a","items":['
body 400 'order=1&user=ada'
body 400 "$(items utf8 '[]')\\xff\\xfe"
body 400 '{"order":"\\xc3\\x28"}'
body 400 "$(items huge '[{"product":"rope","quantity":1e400}]')"
head -c 60000 /dev/zero | tr '\0' '[' >"$folder/deep"
expect 400 "60,000 brackets" "$(post "$folder/deep")"

# JSON, but no order
body 422 'null'
body 422 '[]'
body 422 '"order"'
body 422 '{}'
body 422 '{"order":"x"}'
body 422 '{"order":7,"user":"ada","card":"card-good","items":[]}'
body 422 '{"order":"../../x","user":"ada","card":"card-good","items":[]}'
body 422 "$(items '' '[]')"
body 422 "$(items shape-1 '{}')"
body 422 "$(items shape-2 '[1]')"
body 422 "$(items shape-3 '[{"product":"rope"}]')"
body 422 "$(items shape-4 '[{"product":"rope","quantity":"1"}]')"
body 422 "$(items shape-5 '[{"product":"rope","quantity":1.5}]')"
body 422 "$(items shape-6 '[{"product":"rope","quantity":99999999999999999999}]')"
body 422 "$(items shape-7 '[{"product":"rope","quantity":18446744073709551615}]')"

# an order, but none that can be filled
body 422 "$(items empty-cart '[]')"
body 422 "$(items negative '[{"product":"rope","quantity":-1}]')"
body 422 "$(items zero '[{"product":"rope","quantity":0}]')"
body 422 "$(items much '[{"product":"rope","quantity":9223372036854775807}]')"
body 422 "$(items no-such '[{"product":"elephant","quantity":1}]')"
body 422 '{"order":"nobody","user":"nobody","card":"card-good","items":[{"product":"rope","quantity":1}]}'
body 402 '{"order":"poor","user":"ada","card":"card-declined","items":[{"product":"rope","quantity":1}]}'
body 409 "$(items unicorn '[{"product":"unicorn","quantity":1}]')"

# too large: as it says, in chunks, and packed
head -c 2097152 /dev/zero | tr '\0' ' ' >"$folder/large"
expect 413 "2 MiB" "$(post "$folder/large")"
{
  printf 'POST /checkout HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n'
  cat "$folder/large"
  printf '\r\n0\r\n\r\n'
} >"$folder/chunked"
expect 413 "2 MiB in one chunk" "$(send "$folder/chunked")"
gzip -c "$folder/large" >"$folder/packed"
expect 413 "2 MiB packed" "$(post "$folder/packed" 'Content-Encoding: gzip')"
raw 413 "a length beyond all numbers" \
  'POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999999999999999999\r\n\r\n'

# not this door, not this way
raw 404 "an unknown route" 'GET /nowhere HTTP/1.1\r\nHost: shop\r\n\r\n'
raw 404 "a POST to an unknown route" 'POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}'
raw 404 "a path with NUL" 'GET /%00/../checkout HTTP/1.1\r\nHost: shop\r\n\r\n'
for method in GET PUT DELETE PATCH OPTIONS; do
  raw 405 "$method" "$method /checkout HTTP/1.1\\r\\nHost: shop\\r\\nContent-Length: 0\\r\\n\\r\\n"
done
raw 411 "no length" 'POST /checkout HTTP/1.1\r\nHost: shop\r\n\r\n'
raw 400 "a length that is none" 'POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Length: -5\r\n\r\n'
raw 400 "a chunk that is none" \
  'POST /checkout HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n'
body 415 '{}' 'Content-Type: text/plain'
body 415 '--b\r\n\r\n--b--\r\n' 'Content-Type: multipart/form-data; boundary=b'
body 400 '{}' 'Content-Type: application/json' 'Content-Encoding: gzip'

# not HTTP
raw 400 "another protocol" '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'
raw 400 "a method that there is not" 'BREW /checkout HTTP/1.1\r\n\r\n'
raw 414 "a long path" "GET /$(head -c 9000 /dev/zero | tr '\0' a) HTTP/1.1\\r\\n\\r\\n"
raw 400 "a long header" "GET /checkout HTTP/1.1\\r\\nX: $(head -c 9000 /dev/zero | tr '\0' a)\\r\\n\\r\\n"
raw 405 "many ranges" "GET /checkout HTTP/1.1\\r\\nRange: bytes=0-0$(printf ',0-0%.0s' {1..1900})\\r\\n\\r\\n"

# clients that hang up: without a word, and in the middle of one
exec 9<>"/dev/tcp/127.0.0.1/$port"
exec 9>&-
exec 9<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /checkout HTTP/1.1\r\nContent-Length: 100\r\n\r\n{' >&9
exec 9>&-

# and it still sells
body 200 "$(items good '[{"product":"rope","quantity":2},{"product":"lamp","quantity":1}]')"
body 200 "$(items good '[{"product":"rope","quantity":2},{"product":"lamp","quantity":1}]')"
close_shop
check_books | tee "$folder/check"
[[ $(head -n 1 "$folder/check") == "1 orders confirmed, "*", 6890 cents charged, 3 items sold" ]] ||
  fail "the one good order was not sold once"
