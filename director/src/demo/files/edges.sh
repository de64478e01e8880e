. agents/tools.sh
work "looking for the edges"
cat > tests/edges.test.sh <<'END'
check "no lines in nothing" 0 "$(sh bin/tally lines < /dev/null)"
check "no words in nothing" 0 "$(sh bin/tally words < /dev/null)"
check "no longest word in nothing" "" "$(sh bin/tally longest < /dev/null)"
END
report "Three tests at the edges."
