#!/bin/sh
# One task's work: work.sh HOW FEATURE PAUSE DIARY, in the task's worktree.
#
# Everything it does is written down in the diary outside, so that a test can tell what a killed attempt had done. The
# note in `unfinished/` is there from the beginning and gone at the end: who finds it, finds an interrupted attempt.
set -eu
how=$1 feature=$2 pause=$3 diary=$4
task=$DIRECTOR_TASK attempt=$DIRECTOR_ATTEMPT

mkdir -p unfinished ledger work
echo "$task $attempt" > "unfinished/$task"
echo "$task $attempt began" >> "$diary"

case $how in
    *children*)
        sleep 300 &
        setsid sleep 300 > /dev/null 2>&1 < /dev/null &
        ;;
esac
sleep "$pause"

# In the order of names, so that the result does not depend on who came first.
echo "$task" >> "ledger/$feature"
sort -o "ledger/$feature" "ledger/$feature"
echo "what $task makes" > "work/$task"
case $how in
    *commits*)
        git add ledger work
        git -c user.name=agent -c user.email=agent@localhost -c commit.gpgsign=false \
            commit --quiet --no-verify --message "$task by itself"
        echo "more of $task" >> "work/$task"
        ;;
esac
case $how in
    *stumbles*)
        if ! grep -q "^$task [0-9]* stumbled$" "$diary"; then
            echo "$task $attempt stumbled" >> "$diary"
            exit 1
        fi
        ;;
esac
sleep "$pause"

echo "$task $attempt tidied" >> "$diary"
rm "unfinished/$task"
rmdir unfinished 2> /dev/null || :
