# What the scripts in here share.

# A moment of work, so that there is something to see.
work() {
    echo "$DIRECTOR_TASK, attempt $DIRECTOR_ATTEMPT: $1"
    sleep 1
}

# The last thing a task does: says what it did.
report() {
    echo "$1"
    printf '{"summary": "%s", "progress": 100}\n' "$1" > "$DIRECTOR_REPORT"
}
