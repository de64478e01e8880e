# A purchase of two thousand rolls is added up at once.
[ -e commands/total.sh ] || exit 0
yes 35 | head -n 2000 | timeout 20 sh till total > /dev/null
