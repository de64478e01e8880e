. agents/tools.sh
work "counting lines"
cat > lib/lines.sh <<'END'
# lines: counts lines
cat "$@" | wc -l | tr -d ' '
END
cat > tests/lines.test.sh <<'END'
check "three lines" 3 "$(printf 'a\nb\nc\n' | sh bin/tally lines)"
END
report "The command lines, with a test."
