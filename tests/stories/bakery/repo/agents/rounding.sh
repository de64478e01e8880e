# To the nearest five cents, not up.
sed -i 's/(sum + 4) \/ 5/(sum + 2) \/ 5/' commands/total.sh
echo '[ "$(printf "11\n" | sh till total)" = 10 ]' >> tests/total.test.sh
