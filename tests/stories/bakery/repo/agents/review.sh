# The reviewer: every command says how it is used.
for command in commands/*.sh; do
    grep -q '^# usage: ' "$command" ||
        findings="$findings${findings:+,}\"$command:1 has no usage line\""
done
[ -z "$findings" ] || printf '{"findings":[%s]}\n' "$findings" > "$DIRECTOR_REPORT"
