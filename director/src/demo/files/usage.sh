. agents/tools.sh
work "writing the manual"
{
    echo '# tally'
    echo
    echo 'Counts what is in a text, and says hello.'
    echo
    sh bin/tally help | while IFS='	' read -r name what; do
        echo "- \`tally $name\` $what"
    done
} > README.md
report "A manual that lists every command."
