"""CP-SAT on the instances that `--bin psplib` reads, with the same columns.

python3 tests/peers/cpsat.py DIR [--seconds 1] [--workers 2] [--every 12] [--imopse] [--list]

DIR holds `.sm` files of PSPLIB with the table of best known makespans in it or beside it, or with --imopse `.def` files. The limit is processor
time, workers times seconds, so that a busy machine changes little; CP-SAT runs with its defaults and without a hint. The model
is the plain one: an interval a job, a cumulative constraint a resource, and with --imopse an optional interval for each able agent.
"""

import argparse
import json
import pathlib
import re
import threading
import time

from ortools.sat.python import cp_model


def read_sm(path):
    """Capacities, durations, demands and successors; jobs from 0, source and sink included."""
    successors, durations, demands, capacity, section = {}, {}, {}, [], ""
    for line in path.read_text().splitlines():
        words = line.split()
        if line.startswith(("PRECEDENCE", "REQUESTS", "RESOURCEAVAIL")):
            section = line[0:3]
        elif words and words[0].isdigit():
            numbers = [int(word) for word in words]
            if section == "PRE":
                successors[numbers[0]] = numbers[3:]
            elif section == "REQ":
                durations[numbers[0]] = numbers[2]
                demands[numbers[0]] = numbers[3:]
            elif section == "RES":
                capacity = numbers
    ids = sorted(durations)
    edges = [(a - 1, b - 1) for a in ids for b in successors.get(a, [])]
    return capacity, [durations[job] for job in ids], [demands[job] for job in ids], edges


def read_def(path):
    """Durations, the able agents of each job, and edges; agents and jobs from 0."""
    agents, durations, able, edges, section = [], [], [], [], ""
    skill = re.compile(r"(Q\d+):\s*(\d+)")
    for line in path.read_text(errors="replace").splitlines():
        words = line.split()
        if line.startswith(("ResourceID", "TaskID")):
            section = words[0]
        elif words and words[0].isdigit() and section == "ResourceID":
            agents.append({name: int(level) for name, level in skill.findall(line)})
        elif words and words[0].isdigit() and section == "TaskID":
            (name, level), job = skill.findall(line)[0], len(durations)
            durations.append(int(words[1]))
            able.append(
                [at for at, has in enumerate(agents) if has.get(name, -1) >= int(level)]
            )
            after = skill.sub("", line).split()[2:]
            edges += [(int(before) - 1, job) for before in after]
    return len(agents), durations, able, edges


def longest_path(durations, edges):
    after = [[] for _ in durations]
    waits = [0] * len(durations)
    for a, b in edges:
        after[a].append(b)
        waits[b] += 1
    start = [0] * len(durations)
    ready = [job for job, count in enumerate(waits) if count == 0]
    for job in ready:
        for other in after[job]:
            start[other] = max(start[other], start[job] + durations[job])
            waits[other] -= 1
            if waits[other] == 0:
                ready.append(other)
    return max(start[job] + durations[job] for job in range(len(durations)))


def skill_bound(agents, durations, able, edges):
    """The critical path, and for every union of two sets of able agents the work that only they can do, shared evenly."""
    sets = sorted({frozenset(who) for who in able}, key=sorted)
    best = longest_path(durations, edges)
    for one in sets:
        for other in sets:
            union = one | other
            work = sum(d for d, who in zip(durations, able) if union.issuperset(who))
            best = max(best, -(-work // len(union)))
    return best


def solve(model, makespan, seconds, workers):
    """The best makespan found and the bound proven within the processor time, and what was spent."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.max_time_in_seconds = 100 * seconds
    begin, done = time.process_time(), threading.Event()

    def watch():
        while not done.wait(0.005):
            if time.process_time() - begin >= seconds * workers:
                solver.stop_search()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = solver.solve(model)
    done.set()
    watcher.join()
    spent = time.process_time() - begin
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, None, spent
    return solver.value(makespan), round(solver.best_objective_bound), spent


def project(capacity, durations, demands, edges, seconds, workers):
    model, horizon = cp_model.CpModel(), sum(durations)
    starts = [model.new_int_var(0, horizon, "") for _ in durations]
    intervals = [
        model.new_fixed_size_interval_var(start, duration, "")
        for start, duration in zip(starts, durations)
    ]
    for a, b in edges:
        model.add(starts[a] + durations[a] <= starts[b])
    for resource, units in enumerate(capacity):
        model.add_cumulative(intervals, [demand[resource] for demand in demands], units)
    makespan = model.new_int_var(0, horizon, "")
    model.add_max_equality(makespan, [s + d for s, d in zip(starts, durations)])
    model.minimize(makespan)
    return solve(model, makespan, seconds, workers)


def skills(agents, durations, able, edges, seconds, workers):
    model, horizon = cp_model.CpModel(), sum(durations)
    starts = [model.new_int_var(0, horizon, "") for _ in durations]
    of_agent = [[] for _ in range(agents)]
    for start, duration, who in zip(starts, durations, able):
        chosen = [model.new_bool_var("") for _ in who]
        model.add_exactly_one(chosen)
        for agent, choice in zip(who, chosen):
            of_agent[agent].append(
                model.new_optional_fixed_size_interval_var(start, duration, choice, "")
            )
    for intervals in of_agent:
        model.add_no_overlap(intervals)
    for a, b in edges:
        model.add(starts[a] + durations[a] <= starts[b])
    makespan = model.new_int_var(0, horizon, "")
    model.add_max_equality(makespan, [s + d for s, d in zip(starts, durations)])
    model.minimize(makespan)
    return solve(model, makespan, seconds, workers)


def in_order(path):
    """By parameters, then instance: j60_2_1 before j60_10_1, whose names are j602_1 and j6010_1."""
    found = re.match(r"j(?:30|60|90|120)(\d+)_(\d+)$", path.stem)
    return tuple(map(int, found.groups())) if found else path.stem


def best_known(folder):
    for table in [*folder.glob("*hrs.sm"), *folder.parent.glob(f"{folder.name}hrs.sm")]:
        rows = (line.split() for line in table.read_text().splitlines())
        return {(int(r[0]), int(r[1])): int(r[2]) for r in rows if r and r[0].isdigit()}
    return {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--imopse", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    ending = "*.def" if options.imopse else "*.sm"
    paths = [p for p in options.folder.glob(ending) if not p.stem.endswith("hrs")]
    paths = sorted(paths, key=in_order)[:: options.every]
    table = {} if options.imopse else best_known(options.folder)
    rows, spent = [], 0.0
    for path in paths:
        if options.imopse:
            instance = read_def(path)
            bound = skill_bound(*instance)
            found, proven, used = skills(*instance, options.seconds, options.workers)
            known = bound
        else:
            instance = read_sm(path)
            bound = longest_path(instance[1], instance[3])
            found, proven, used = project(*instance, options.seconds, options.workers)
            known = table.get(in_order(path), bound)
        spent += used
        if found is None:
            print(f"{path.stem}: nothing found")
            continue
        rows.append((found, bound, known, found == max(proven, bound)))
        if options.list:
            print(f"{path.stem} {found} bound {max(proven, bound)} known {known} {used:.2f} s")
    if not rows:
        raise SystemExit(f"nothing solved in {options.folder}")

    def above(place):
        return 100 * sum(row[0] / row[place] - 1 for row in rows) / len(rows)

    print(
        json.dumps(
            {
                "instances": len(paths),
                "solved": len(rows),
                "above_known_percent": round(above(2), 3),
                "above_path_percent": round(above(1), 3),
                "proven_optimal": sum(row[3] for row in rows),
                "equal_to_known": sum(row[0] == row[2] for row in rows),
                "processor_seconds": round(spent, 1),
            },
            indent=1,
        )
    )


main()
