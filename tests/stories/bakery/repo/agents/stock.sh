. agents/tools.sh
mkdir -p docs
if [ "$DIRECTOR_ATTEMPT" = 1 ]; then
    echo 'half of the shelf' > docs/STOCK.md
    sleep 600                           # a long evening; the emergency ends it
fi
printf '# usage: till stock\necho 0\n' > commands/stock.sh
echo '[ "$(sh till stock)" = 0 ]' > tests/stock.test.sh
rm -f docs/STOCK.md
