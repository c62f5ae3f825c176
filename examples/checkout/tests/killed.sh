#!/usr/bin/env bash
# SIGKILL in the midst of work: when the shop is opened again it settles what was left, and the books agree.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
"$checkout" generate --orders 200 --seed 3 -o "$folder/orders.csv"
open_shop
"$checkout" drive --csv "$folder/orders.csv" --port "$port" --at-a-time 16 >"$folder/answers" &
driver=$!
await_lines 50 'order-*'
kill -KILL "$shop_pid"
wait "$shop_pid" 2>/dev/null
wait "$driver" || fail "the customers ended badly"
open_shop
close_shop
check_books
