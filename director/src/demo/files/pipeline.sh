. agents/tools.sh
work "testing commands together"
cat > tests/together.test.sh <<'END'
check "greetings are counted" 2 "$(sh bin/tally greet Ada Grace | sh bin/tally lines)"
check "the longest in a greeting" "Hello," "$(sh bin/tally greet Ada | sh bin/tally longest)"
END
report "Two tests of commands that work together."
