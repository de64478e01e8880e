. agents/tools.sh
knows 'to five cents' || blocked specification high 'How is a total rounded?'
cat > commands/total.sh <<'END'
# usage: till total < CENTS
awk '{ sum += $1 } END { printf "%d\n", int((sum + 4) / 5) * 5 }'
END
echo '[ "$(printf "120\n35\n" | sh till total)" = 155 ]' > tests/total.test.sh
