. agents/tools.sh
work "finding the most frequent word"
cat > lib/top.sh <<'END'
# top: prints the most frequent word
cat "$@" | tr -s '[:space:]' '\n' | sort | uniq -c | sort -k1,1nr -k2 | awk 'NR == 1 { print $2 }'
END
cat > tests/top.test.sh <<'END'
check "the most frequent word" b "$(echo 'a b c b' | sh bin/tally top)"
END
report "The command top, with a test."
