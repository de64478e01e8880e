"""The critical path of the plans of `tests/benches/critical_path.rs`, by networkx and rustworkx.

python3 tests/peers/critical_path.py [TASKS]     (a million by default)

Both give one longest path; they have no slack. Printed is processor time: making the graph, then the path.
"""

import sys
import time

import networkx
import rustworkx

MASK = (1 << 64) - 1


class Random:
    """SplitMix64, as in the benchmark."""

    def __init__(self, state):
        self.state = state

    def below(self, end):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % end

    def shuffle(self, items):
        for at in range(len(items) - 1, 0, -1):
            other = self.below(at + 1)
            items[at], items[other] = items[other], items[at]


def plan(tasks, window):
    random = Random(1)
    number = list(range(tasks))
    random.shuffle(number)
    edges = []
    for task in range(1, tasks):
        for _ in range(2):
            before = task - 1 - random.below(min(window, task))
            edges.append((number[before], number[task]))
    random.shuffle(edges)
    return edges, [random.below(1000) + 1 for _ in range(tasks)]


def by_networkx(tasks, edges, durations):
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(tasks))
    graph.add_weighted_edges_from((a, b, durations[a]) for a, b in edges)
    return graph, lambda: networkx.dag_longest_path(graph)


def by_rustworkx(tasks, edges, durations):
    graph = rustworkx.PyDiGraph(multigraph=True)
    graph.add_nodes_from(range(tasks))
    graph.add_edges_from([(a, b, durations[a]) for a, b in edges])
    return graph, lambda: rustworkx.dag_longest_path(graph, lambda a, b, weight: weight)


def main():
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for name, window in [("deep", 1000), ("flat", 1 << 32)]:
        edges, durations = plan(tasks, window)
        for peer in (by_networkx, by_rustworkx):
            start = time.process_time()
            _, path = peer(tasks, edges, durations)
            built = time.process_time()
            length = sum(durations[node] for node in path())
            done = time.process_time()
            print(
                f"{name}: {peer.__name__[3:]:10} graph {1000 * (built - start):.0f} ms, "
                f"path {1000 * (done - built):.0f} ms, makespan {length}"
            )


main()
