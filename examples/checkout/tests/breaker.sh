#!/usr/bin/env bash
# While the payment service is stopped its circuit breaker opens and refuses at once; when the service is back it closes
# by itself, orders are filled again, and the books agree.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
{
  echo order,user,card,product,quantity,fault
  for i in {1..20}; do echo "before-$i,ada,card-good,rope,1,none"; done
  echo "dying-1,bob,card-mute,rope,1,payment_dies"
  for i in {1..20}; do echo "down-$i,cleo,card-good,rope,1,payment_down"; done
  for i in {1..10}; do echo "after-$i,dan,card-good,rope,1,none"; done
} >"$folder/orders.csv"
"$checkout" demo --csv "$folder/orders.csv" --keep "$folder/kept" >"$folder/out" 2>&1
code=$?
cat "$folder/out"
((code == 0)) || fail "the demo ended with $code"

# line <pattern>: the number of the first line that has it.
line() { grep -n -m 1 -- "$1" "$folder/out" | cut -d : -f 1; }
killed=$(line 'is killed\.$')
opened=$(line 'circuit breaker is open')
back=$(line 'is started again')
closed=$(line 'circuit breaker is closed')
moments="killed: $killed, opened: $opened, back: $back, closed: $closed"
[[ -n $killed && -n $opened && -n $back && -n $closed ]] || fail "something is missing: $moments"
((killed < opened && opened < back && back < closed)) || fail "not in order: $moments"

refused=$(sed -n 's/^\([0-9]*\) calls refused at once while it was open.*/\1/p' "$folder/out")
((refused > 0)) || fail "nothing was refused at once"
grep -q '^payment_down .* 20 x 503$' "$folder/out" || fail "not all orders were refused while the service was stopped"
grep -q '^none .* 30 x 200$' "$folder/out" || fail "not all orders before and after were filled"
"$checkout" check --db "$folder/kept/orders.db" || fail "the books, looked at again, do not agree"
