#!/bin/sh
# Passes when every line of every ledger is there once and has its file, and nothing is unfinished.
set -eu
[ ! -e unfinished ]
for ledger in ledger/*; do
    [ -e "$ledger" ] || continue
    [ -z "$(sort "$ledger" | uniq -d)" ]
    while read -r task; do
        [ -s "work/$task" ]
    done < "$ledger"
done
