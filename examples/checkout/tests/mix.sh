#!/usr/bin/env bash
# The demo with few orders: every kind of failure occurs as often as orders.csv says, and the books agree.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
"$checkout" demo --orders 60 --seed 7 --timeout 4s --keep "$folder/kept" >"$folder/out" 2>&1
code=$?
cat "$folder/out"
((code == 0)) || fail "the demo ended with $code"

declare -A status=([none]=200 [invalid_cart]=422 [unknown_user]=422 [declined_card]=402 [sold_out]=409
  [slow_payment]=504 [mute_payment]=504 [payment_dies]=502 [payment_down]=503 [client_gone]=499 [bad_json]=400
  [oversized]=413 [repeated]=200)
for fault in "${!status[@]}"; do
  count=$(grep -c ",$fault\$" "$folder/kept/orders.csv")
  ((count > 0)) || fail "no $fault occurs"
  grep -Eq "^$fault +$count orders:  $count x ${status[$fault]}\$" "$folder/out" ||
    fail "not all $count $fault as they should"
done
grep -q '^orders, charges and stock agree$' "$folder/out" || fail "the books do not agree"
grep -q 'service processes are gone$' "$folder/out" || fail "something is left running"
"$checkout" check --db "$folder/kept/orders.db" || fail "the books, looked at again, do not agree"
