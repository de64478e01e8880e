. agents/tools.sh
knows 'flour' || blocked outage critical 'The key of the drawer is gone.'
printf '# usage: till closing\necho closed\n' > commands/closing.sh
echo '[ "$(sh till closing)" = closed ]' > tests/closing.test.sh
