#!/bin/sh
# Runs every tests/*.test.sh and says which checks fail.
cd "$(dirname "$0")/.." || exit 2
failed=0
total=0
check() { # check NAME EXPECTED ACTUAL
    total=$((total + 1))
    if [ "$2" != "$3" ]; then
        failed=$((failed + 1))
        echo "FAIL  $1: expected '$2', got '$3'"
    fi
}
for file in tests/*.test.sh; do
    . "./$file"
done
echo "$total checks, $failed failed"
[ "$failed" -eq 0 ]
