. agents/tools.sh
work "saying hello"
cat > lib/greet.sh <<'END'
# greet: says hello to everybody named
for name in "${@:-world}"; do
    echo "Hello, $name!"
done
END
cat > tests/greet.test.sh <<'END'
check "hello to nobody in particular" "Hello, world!" "$(sh bin/tally greet)"
check "hello to somebody" "Hello, Ada!" "$(sh bin/tally greet Ada)"
END
report "The command greet, with tests."
