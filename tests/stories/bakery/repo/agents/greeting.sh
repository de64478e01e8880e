. agents/tools.sh
knows 'say Moin' || blocked unclear low 'Are customers greeted polite or familiar?'
printf '# usage: till greeting\necho Moin\n' > commands/greeting.sh
echo '[ "$(sh till greeting)" = Moin ]' > tests/greeting.test.sh
