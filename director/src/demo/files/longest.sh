. agents/tools.sh
work "finding the longest word"
# The first attempt keeps the last of the longest words. The gate finds out: the test wants the first.
keep='>'
[ "$DIRECTOR_ATTEMPT" -eq 1 ] && keep='>='
cat > lib/longest.sh <<END
# longest: prints the longest word, the first of them
cat "\$@" | tr -s '[:space:]' '\n' | awk 'length(\$0) $keep length(best) { best = \$0 } END { print best }'
END
cat > tests/longest.test.sh <<'END'
check "the longest word" three "$(echo 'one two three' | sh bin/tally longest)"
check "the first of two" seven "$(echo 'seven eight' | sh bin/tally longest)"
END
report "The command longest, with tests."
