#!/usr/bin/env bash
# SIGTERM in the midst of work, with charges in flight that would take for ever: the shop closes in order.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
{
  echo order,user,card,product,quantity,fault
  for i in {1..120}; do
    if ((i % 10 == 0)); then card=card-slow; elif ((i % 10 == 5)); then card=card-mute; else card=card-good; fi
    echo "order-$i,ada,$card,rope,2,"
  done
} >"$folder/orders.csv"
open_shop --drain 300ms
"$checkout" drive --csv "$folder/orders.csv" --port "$port" --at-a-time 24 >"$folder/answers" &
driver=$!
await_lines 30 'order-*'
close_shop
wait "$driver" || fail "the customers ended badly"
check_books
echo "$(grep -c ' 200$' "$folder/answers") were confirmed, $(grep -c ' -1$' "$folder/answers") found the door closed"
