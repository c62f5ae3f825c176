#!/usr/bin/env bash
# However many orders come at the same time, the shop has no more connections to its books than it may have; and when it
# is closed, in the midst of work, every lease has been given back and every connection is closed.
# shellcheck source-path=SCRIPTDIR source=shop.sh
. "$(dirname "$0")/shop.sh"
connections=3
{
  echo order,user,card,product,quantity,fault
  for i in {1..300}; do
    if ((i % 20 == 0)); then card="card-mute"; elif ((i % 20 == 10)); then card="card-declined"; else card="card-good"; fi
    echo "order-$i,ada,$card,rope,2,"
  done
} >"$folder/orders.csv"
open_shop --connections $connections --drain 200ms
"$checkout" drive --csv "$folder/orders.csv" --port "$port" --at-a-time 40 >"$folder/answers" &
driver=$!

# As the kernel sees it, with every tenth order. SQLite keeps one descriptor of the file for each connection.
most=0
for _ in {1..20}; do
  await_lines 10 'order-*'
  open=$(find "/proc/$shop_pid/fd" -lname "$db" 2>/dev/null | wc -l)
  ((open <= connections)) || fail "$open connections are open"
  ((open > most)) && most=$open
done
((most > 0)) || fail "no connection was ever seen"
close_shop
wait "$driver" || fail "the customers ended badly"

numbers=$(grep '^connections to the books: ' "$folder/closing") || fail "the shop says nothing of its connections"
echo "$numbers; $most seen at the same time"
pattern='^connections to the books: ([0-9]+) at most, ([0-9]+) made, ([0-9]+) closed; '
pattern+='lent ([0-9]+) times, ([0-9]+) given back, ([0-9]+) taken back$'
[[ $numbers =~ $pattern ]] || fail "these numbers cannot be read"
read -r size made closed lent returned reclaimed <<<"${BASH_REMATCH[*]:1}"
((size == connections && made >= 1 && made <= size)) || fail "more connections than there may be"
((closed == made)) || fail "not every connection was closed"
# Each order that was answered took one to be entered and one to be decided.
((lent >= 400 && returned == lent && reclaimed == 0)) || fail "not every lease was given back"
check_books
