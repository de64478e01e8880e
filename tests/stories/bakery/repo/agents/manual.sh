. agents/tools.sh
mkdir -p docs
{
    echo '# Manual'
    sh till help
    knows 'coins' && echo 'There are no coins of one and two cents in the drawer.'
    true
} > docs/MANUAL.md
