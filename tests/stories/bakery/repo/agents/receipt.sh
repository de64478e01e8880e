. agents/tools.sh
knows '32 columns' || blocked unclear medium 'How wide is the paper?'
cat > commands/receipt.sh <<'END'
# usage: till receipt < LINES
# Each line is a name and its price in cents; the paper has 32 columns, of which 28 are printed on.
awk '
    { printf "  %-20s %7.2f\n", $1, $2 / 100; sum += $2 }
    END {
        printf "  %-20s %7s\n", "", "-------"
        printf "  %-20s %7.2f\n", "total", sum / 100
    }
'
END
# Without a test at first; too little is covered then.
knows 'lines are covered' && echo 'printf "roll 35\n" | sh till receipt | grep -q "total.*0.35"' > tests/receipt.test.sh
true
