. agents/tools.sh
work "preparing the release"
echo 1.0.0 > VERSION
{
    echo '# Changes in 1.0.0'
    echo
    sh bin/tally help | while IFS='	' read -r name what; do
        echo "- $name: $what"
    done
} > CHANGES.md
report "Version 1.0.0 with its list of changes."
