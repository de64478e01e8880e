. agents/tools.sh
work "counting words"
cat > lib/words.sh <<'END'
# words: counts words
cat "$@" | wc -w | tr -d ' '
END
cat > tests/words.test.sh <<'END'
check "four words" 4 "$(echo 'one two  three four' | sh bin/tally words)"
END
report "The command words, with a test."
