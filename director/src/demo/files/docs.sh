#!/bin/sh
# Every command says in its first line what it does.
cd "$(dirname "$0")/.." || exit 2
missing=0
for file in lib/*.sh; do
    name=$(basename "$file" .sh)
    if ! sed -n 1p "$file" | grep -q "^# $name: "; then
        echo "lib/$name.sh does not begin with '# $name: what it does'"
        missing=1
    fi
done
exit $missing
