#!/usr/bin/env bash
# The same seed gives the same orders, another one others; a file that makes no sense is refused by its line.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
"$checkout" generate --orders 200 --seed 5 -o "$folder/a.csv" || fail "generate"
"$checkout" generate --orders 200 --seed 5 -o "$folder/b.csv" || fail "generate"
"$checkout" generate --orders 200 --seed 6 -o "$folder/c.csv" || fail "generate"
cmp "$folder/a.csv" "$folder/b.csv" || fail "the same seed gave other orders"
cmp -s "$folder/a.csv" "$folder/c.csv" && fail "another seed gave the same orders"
[[ $(wc -l <"$folder/a.csv") == 201 ]] || fail "not 200 orders"

refused() { # <line number> <what> <text>
  printf 'order,user,card,product,quantity,fault\n%b' "$3" >"$folder/bad.csv"
  "$checkout" demo --csv "$folder/bad.csv" >/dev/null 2>"$folder/why" && fail "$2 was taken"
  grep -q "bad.csv:$1:" "$folder/why" || fail "$2: $(cat "$folder/why")"
  cat "$folder/why"
}
refused 2 "a short line" 'a,b,c\n'
refused 3 "a quantity in words" 'a,ada,card-good,rope,1,none\nb,ada,card-good,rope,many,none\n'
refused 2 "an unknown fault" 'a,ada,card-good,rope,1,bad_luck\n'
refused 3 "an order twice" 'a,ada,card-good,rope,1,none\na,ada,card-good,rope,1,none\n'
refused 2 "a quantity beyond all numbers" 'a,ada,card-good,rope,99999999999999999999,none\n'
