# Looks at the till in the shop. The first time it is not switched on yet.
echo looked >> "$1"
test "$(wc -l < "$1")" -gt 1 || { echo "the till in the shop is dark"; exit 1; }
