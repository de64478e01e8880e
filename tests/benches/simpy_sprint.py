"""The sprint of forecast.rs with SimPy, for the ratio; see there.

Reads a plan as JSON from standard input and writes what it found as JSON: sprints a second of processor time, the mean end
in hours and half of its 95 % interval. A role is one agent; ready tasks wait in the order of the longest work behind
them; an attempt in twenty fails at a moment of its own and is made again after a second.
"""

import json
import math
import random
import sys
import time

import simpy


def pert(rng, low, likely, high):
    width = high - low
    return low + width * rng.betavariate(1 + 4 * (likely - low) / width, 1 + 4 * (high - likely) / width)


def longest_behind(tasks):
    mean = [(t["hours"][0] + 4 * t["hours"][1] + t["hours"][2]) / 6 for t in tasks]
    behind = list(mean)
    for place in range(len(tasks) - 1, -1, -1):
        for before in tasks[place]["waits"]:
            behind[before] = max(behind[before], mean[before] + behind[place])
    return behind


def sprint(rng, tasks, behind, fail):
    env = simpy.Environment()
    agents = [simpy.PriorityResource(env) for _ in range(9)]
    done = [env.event() for _ in tasks]

    def work(place, task):
        yield env.all_of([done[before] for before in task["waits"]])
        length = pert(rng, *task["hours"])
        while True:
            with agents[task["role"]].request(priority=-behind[place]) as turn:
                yield turn
                if rng.random() >= fail:
                    yield env.timeout(length)
                    break
                yield env.timeout(length * rng.random())
            yield env.timeout(1 / 3600)
        done[place].succeed()

    for place, task in enumerate(tasks):
        env.process(work(place, task))
    env.run()
    return env.now


def main():
    plan = json.load(sys.stdin)
    rng = random.Random(plan["seed"])
    tasks = plan["tasks"]
    behind = longest_behind(tasks)
    begin = time.process_time()
    ends = [sprint(rng, tasks, behind, plan["fail"]) for _ in range(plan["runs"])]
    spent = time.process_time() - begin
    mean = sum(ends) / len(ends)
    deviation = math.sqrt(sum((end - mean) ** 2 for end in ends) / (len(ends) - 1))
    print(json.dumps({
        "rate": len(ends) / spent,
        "mean": mean,
        "error": 1.96 * deviation / math.sqrt(len(ends)),
    }))


main()
