# What every agent here needs. A command agent says what it has to say in the file that $DIRECTOR_REPORT names.

# blocked TYPE SEVERITY TEXT: cannot go on.
blocked() {
    printf '{"blocker":{"type":"%s","severity":"%s","text":"%s"}}\n' "$1" "$2" "$3" > "$DIRECTOR_REPORT"
    exit 1
}

# knows WORDS: whether they are in what the agent was given: hand-off, guidance, findings.
knows() {
    grep -q "$1" "$DIRECTOR_HANDOFF"
}
