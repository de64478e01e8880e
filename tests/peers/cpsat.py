"""CP-SAT on the instances that `--bin psplib` reads, with the same columns.

python3 tests/peers/cpsat.py DIR [--seconds 1] [--workers 2] [--every 12] [--imopse] [--list] [--json]

DIR holds `.sm` files of PSPLIB with the table of best known makespans in it or beside it, or with --imopse `.def` files. The limit is processor
time, workers times seconds, so that a busy machine changes little; CP-SAT runs with its defaults and without a hint. The model
is the plain one: an interval a job, a cumulative constraint a resource, and with --imopse an optional interval for each able agent. Every schedule is
checked by adding up each tick. `just peers` runs both programs and lays their answers side by side.
"""

import argparse
import collections
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


class Solution:
    """What came of one instance: starts and, where agents do jobs, agents; none of either if nothing was found."""

    def __init__(self, starts, agents, proven, spent):
        self.starts, self.agents, self.proven, self.spent = starts, agents, proven, spent


def solve(model, starts, choices, seconds, workers):
    """The best schedule found and the bound proven within the processor time. A choice is an agent by literal, for each job."""
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
        return Solution(None, None, 0, spent)
    agents = [
        next(agent for agent, literal in choice if solver.boolean_value(literal)) for choice in choices
    ]
    proven = round(solver.best_objective_bound)
    return Solution([solver.value(start) for start in starts], agents, proven, spent)


def shortest(model, starts, durations, edges, horizon):
    for a, b in edges:
        model.add(starts[a] + durations[a] <= starts[b])
    makespan = model.new_int_var(0, horizon, "")
    model.add_max_equality(makespan, [s + d for s, d in zip(starts, durations)])
    model.minimize(makespan)


def project(instance, seconds, workers):
    capacity, durations, demands, edges = instance
    model, horizon = cp_model.CpModel(), sum(durations)
    starts = [model.new_int_var(0, horizon, "") for _ in durations]
    intervals = [
        model.new_fixed_size_interval_var(start, duration, "")
        for start, duration in zip(starts, durations)
    ]
    for resource, units in enumerate(capacity):
        model.add_cumulative(intervals, [demand[resource] for demand in demands], units)
    shortest(model, starts, durations, edges, horizon)
    return solve(model, starts, [], seconds, workers)


def skills(instance, seconds, workers):
    agents, durations, able, edges = instance
    model, horizon = cp_model.CpModel(), sum(durations)
    starts = [model.new_int_var(0, horizon, "") for _ in durations]
    of_agent, choices = [[] for _ in range(agents)], []
    for start, duration, who in zip(starts, durations, able):
        chosen = [model.new_bool_var("") for _ in who]
        model.add_exactly_one(chosen)
        choices.append(list(zip(who, chosen)))
        for agent, choice in choices[-1]:
            of_agent[agent].append(
                model.new_optional_fixed_size_interval_var(start, duration, choice, "")
            )
    for intervals in of_agent:
        model.add_no_overlap(intervals)
    shortest(model, starts, durations, edges, horizon)
    return solve(model, starts, choices, seconds, workers)


def check(capacity, demands, durations, edges, starts):
    """The length of a schedule, every tick of every resource added up; raises where it breaks a rule."""
    if any(start < 0 for start in starts):
        raise ValueError("a job begins before time")
    for a, b in edges:
        if starts[a] + durations[a] > starts[b]:
            raise ValueError(f"job {b + 1} begins before job {a + 1} is done")
    used = collections.Counter()
    for start, duration, demand in zip(starts, durations, demands):
        for tick in range(start, start + duration):
            used.update({(tick, resource): units for resource, units in enumerate(demand) if units})
    for (tick, resource), units in used.items():
        if units > capacity[resource]:
            raise ValueError(f"{units} of {capacity[resource]} units in use at {tick}")
    return max(start + duration for start, duration in zip(starts, durations))


def check_skills(instance, starts, agents):
    """The same where each job has one agent: a resource of one unit."""
    count, durations, able, edges = instance
    for job, agent in enumerate(agents):
        if agent not in able[job]:
            raise ValueError(f"agent {agent} cannot do job {job + 1}")
    demands = [[int(agent == own) for agent in range(count)] for own in agents]
    return check([1] * count, demands, durations, edges, starts)


def in_order(path):
    """By parameters, then instance: j60_2_1 before j60_10_1, whose names are j602_1 and j6010_1."""
    found = re.match(r"j(?:30|60|90|120)(\d+)_(\d+)$", path.stem)
    return tuple(map(int, found.groups())) if found else path.stem


def best_known(folder):
    for table in [*folder.glob("*hrs.sm"), *folder.parent.glob(f"{folder.name}hrs.sm")]:
        rows = (line.split() for line in table.read_text().splitlines())
        return {(int(r[0]), int(r[1])): int(r[2]) for r in rows if r and r[0].isdigit()}
    return {}


def row(path, options, table):
    if options.imopse:
        instance = read_def(path)
        bound = skill_bound(*instance)
        found = skills(instance, options.seconds, options.workers)
    else:
        instance = capacity, durations, demands, edges = read_sm(path)
        bound = longest_path(durations, edges)
        found = project(instance, options.seconds, options.workers)
    makespan = None
    if found.starts is not None:
        if options.imopse:
            makespan = check_skills(instance, found.starts, found.agents)
        else:
            makespan = check(capacity, demands, durations, edges, found.starts)
    return {
        "name": path.stem,
        "makespan": makespan,
        "bound": max(found.proven, bound),
        "path": bound,
        "known": table.get(in_order(path)),
        "processor_seconds": round(found.spent, 2),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--imopse", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ending = "*.def" if options.imopse else "*.sm"
    paths = [p for p in options.folder.glob(ending) if not p.stem.endswith("hrs")]
    paths = sorted(paths, key=in_order)[:: options.every]
    table = {} if options.imopse else best_known(options.folder)
    rows = []
    for path in paths:
        rows.append(row(path, options, table))
        if options.list and not options.json:
            print(" ".join(f"{key} {value}" for key, value in rows[-1].items()).removeprefix("name "))
    solved = [row for row in rows if row["makespan"] is not None]
    if not solved:
        raise SystemExit(f"nothing solved in {options.folder}")

    def above(reference):
        return 100 * sum(row["makespan"] / max(reference(row), 1) - 1 for row in solved) / len(solved)

    def known(row):
        return row["path"] if row["known"] is None else row["known"]

    report = {
        "instances": len(rows),
        "solved": len(solved),
        "above_known_percent": above(known),
        "above_path_percent": above(lambda row: row["path"]),
        "above_bound_percent": above(lambda row: row["bound"]),
        "proven_optimal": sum(row["makespan"] == row["bound"] for row in solved),
        "equal_to_known": sum(row["makespan"] == known(row) for row in solved),
        "better_than_known": sum(row["makespan"] < known(row) for row in solved),
        "processor_seconds": round(sum(row["processor_seconds"] for row in rows), 2),
        "threads": options.workers,
        "seconds": options.seconds,
    }
    if options.json:
        print(json.dumps(report | ({"rows": rows} if options.list else {})))
    else:
        print(json.dumps(report, indent=1))


main()
