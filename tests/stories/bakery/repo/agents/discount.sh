. agents/tools.sh
{
    echo '# usage: till discount CENTS PERCENT'
    if knows 'gate .security. failed'; then
        echo 'echo $(($1 - $1 * $2 / 100))'
    else
        echo 'eval "echo \$(($1 - $1 * $2 / 100))"'
    fi
} > commands/discount.sh
echo '[ "$(sh till discount 200 10)" = 180 ]' > tests/discount.test.sh
