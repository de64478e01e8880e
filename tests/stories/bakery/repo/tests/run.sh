# Every test, and which lines of the commands have one.
for test in tests/*.test.sh; do
    sh "$test" || { echo "$test failed"; exit 1; }
done
for command in commands/*.sh; do
    name=$(basename "$command" .sh)
    lines=$(grep -c '' "$command")
    hit=0
    [ -e "tests/$name.test.sh" ] && hit=$lines
    printf 'SF:%s\nLF:%s\nLH:%s\nend_of_record\n' "$command" "$lines" "$hit"
done > lcov.info
