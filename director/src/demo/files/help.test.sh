check "help lists itself" 1 "$(sh bin/tally help | grep -c '^help')"
sh bin/tally nonsense 2>/dev/null
check "an unknown command is refused" 2 $?
