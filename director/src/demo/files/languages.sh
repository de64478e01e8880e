. agents/tools.sh
work "saying hello in more languages"
cat > lib/greet.sh <<'END'
# greet: says hello to everybody named, in the language of TALLY_LANG
case ${TALLY_LANG:-en} in
de) hello=Hallo ;;
fr) hello=Bonjour ;;
*) hello=Hello ;;
esac
for name in "${@:-world}"; do
    echo "$hello, $name!"
done
END
cat > tests/languages.test.sh <<'END'
check "hello in German" "Hallo, Ada!" "$(TALLY_LANG=de sh bin/tally greet Ada)"
check "hello in French" "Bonjour, Ada!" "$(TALLY_LANG=fr sh bin/tally greet Ada)"
END
report "greet knows German and French."
