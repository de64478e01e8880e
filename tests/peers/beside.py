"""Two reports on the same instances side by side: ours and a peer's.

python3 tests/peers/beside.py OURS.json THEIRS.json

Each is what `--bin psplib` or `cpsat.py` prints with `--list --json`. Printed is a table in Markdown, then the instances where ours is worse, the
worst first. A lower bound that one of the two has proven counts for both.
"""

import json
import pathlib
import sys


def read(name):
    report = json.loads(pathlib.Path(name).read_text())
    return report, {row["name"]: row for row in report["rows"]}


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    (ours, our_rows), (theirs, their_rows) = map(read, sys.argv[1:])
    if our_rows.keys() != their_rows.keys():
        raise SystemExit(f"not the same instances: {our_rows.keys() ^ their_rows.keys()}")
    names = list(our_rows)
    bound = {name: max(our_rows[name]["bound"], their_rows[name]["bound"]) for name in names}

    def reference(name):
        row = our_rows[name]
        return row["path"] if row["known"] is None else row["known"]

    def above(rows, of):
        found = [(rows[n]["makespan"], of(n)) for n in names if rows[n]["makespan"] is not None]
        mean = 100 * sum(makespan / max(base, 1) - 1 for makespan, base in found) / len(found)
        return f"{mean:.3f} %"

    def better(rows, others):
        """None found is worse than any."""
        length = lambda row: float("inf") if row["makespan"] is None else row["makespan"]
        return [name for name in names if length(rows[name]) < length(others[name])]

    worse = better(their_rows, our_rows)
    equal = len(names) - len(worse) - len(better(our_rows, their_rows))
    table = any(row["known"] is not None for row in our_rows.values())
    lines = [
        ("", "ours", "theirs"),
        ("instances solved", len(names), theirs.get("solved", len(names))),
        ("processor seconds", f"{ours['processor_seconds']:.0f}", f"{theirs['processor_seconds']:.0f}"),
        (
            "above best known" if table else "above the simple bound",
            above(our_rows, reference),
            above(their_rows, reference),
        ),
        ("above the best proven bound", above(our_rows, bound.get), above(their_rows, bound.get)),
        ("proven shortest by itself", ours["proven_optimal"], theirs["proven_optimal"]),
        ("shorter than the other", len(better(our_rows, their_rows)), len(worse)),
        ("equal", equal, equal),
    ]
    for at, line in enumerate(lines):
        print("| " + " | ".join(map(str, line)) + " |")
        if at == 0:
            print("| --- | --- | --- |")
    if worse:
        print(f"\nOurs is worse on {len(worse)}:\n")
        print("| instance | ours | theirs | bound |\n| --- | --- | --- | --- |")
        by = lambda name: our_rows[name]["makespan"] / their_rows[name]["makespan"]
        for name in sorted(worse, key=by, reverse=True):
            print(f"| {name} | {our_rows[name]['makespan']} | {their_rows[name]['makespan']} | {bound[name]} |")


main()
