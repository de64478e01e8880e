//! A sprint as it would go if nothing but the durations were uncertain: the engine's rule for handing out work, and no engine.
//!
//! The rule is the one the director dispatches by: whenever something is finished, each role in its order gives its free agents the first ready
//! tasks of the list; where worktrees take one task at a time, a task whose feature is taken is passed over. So a list of tasks is a
//! policy (a resource-based one: Möhring, Radermacher, Weiss, ZOR 28, 1984), and one run of it costs some microseconds.
//!
//! Everything is by task, and sets of ready tasks are bits by place in the list of their role, so that "the first ready one" is a count of
//! trailing zeros. Agents of a role are alike. Attempts do not fail here, gates and merges take no time.
//!
//! Invariant: with the same durations, tasks start and finish when they do in the full engine; a test holds the two together.
//! Elsewhere: what many runs come to is [`super::outlook`]; failures, blockers and merges are the simulation's.

use super::graph::Graph;
use super::schedule::Resources;

/// No task.
const NONE: u32 = u32::MAX;

/// What is to be done and by whom, with a list that says what goes first.
#[derive(Clone, Debug)]
pub struct Policy<'a> {
    graph: &'a Graph,
    resources: &'a Resources,
    /// Whether a feature has one task at a time.
    exclusive: bool,
    /// By role: where its part of `task_at` begins, in words of 64; one more entry than roles.
    words: Vec<u32>,
    /// Tasks by role and then by place in the list; a role begins at a multiple of 64.
    task_at: Vec<u32>,
    /// By task: its place in `task_at`, or [`NONE`] for a task that is not on the list.
    place_of: Vec<u32>,
    /// By task: what it waits for of the list.
    waits_for: Vec<u32>,
    /// By task: whether another task of the list has the same feature.
    shares: Vec<bool>,
    /// By feature: the roles of its tasks, as bits of `dirty`.
    roles_of: Vec<Vec<u32>>,
    listed: u32,
    /// Bits that a task's number takes in an entry of the queue.
    shift: u32,
}

impl<'a> Policy<'a> {
    /// The policy of a list. Tasks that are not on it count as done.
    ///
    /// # Panics
    /// When the list names a task twice, or one that does not exist.
    pub fn new(graph: &'a Graph, resources: &'a Resources, exclusive: bool, list: &[u32]) -> Self {
        let len = graph.len();
        let mut of_role = vec![0_u32; resources.agents.len()];
        let mut of_feature = vec![0_u32; resources.features as usize];
        let mut roles_of = vec![Vec::new(); resources.features as usize];
        let mut is_listed = vec![false; len];
        for &task in list {
            let at = task as usize;
            assert!(!is_listed[at], "task {task} is on the list twice");
            is_listed[at] = true;
            of_role[resources.role_of[at] as usize] += 1;
            let feature = resources.feature_of[at] as usize;
            of_feature[feature] += 1;
            if !roles_of[feature].contains(&resources.role_of[at]) {
                roles_of[feature].push(resources.role_of[at]);
            }
        }
        let mut words = vec![0];
        for count in of_role {
            words.push(words[words.len() - 1] + count.div_ceil(64));
        }
        let waits_for = (0..len as u32).map(|task| {
            let before = graph.predecessors(task).iter();
            before.filter(|&&task| is_listed[task as usize]).count() as u32
        });
        let mut policy = Self {
            graph,
            resources,
            exclusive,
            task_at: vec![NONE; 64 * words[words.len() - 1] as usize],
            place_of: vec![NONE; len],
            waits_for: waits_for.collect(),
            shares: resources.feature_of[..len]
                .iter()
                .map(|&feature| of_feature[feature as usize] > 1)
                .collect(),
            roles_of,
            words,
            listed: list.len() as u32,
            shift: u32::BITS - (len as u32).leading_zeros(),
        };
        policy.reorder(list);
        policy
    }

    /// Puts the same tasks into another order.
    ///
    /// # Panics
    /// When the list has other tasks.
    pub fn reorder(&mut self, list: &[u32]) {
        assert_eq!(
            list.len() as u32,
            self.listed,
            "the same tasks in another order"
        );
        let roles = self.words.len() - 1;
        let mut next: Vec<u32> = self.words[..roles].iter().map(|word| 64 * word).collect();
        for &task in list {
            let place = &mut next[self.resources.role_of[task as usize] as usize];
            self.task_at[*place as usize] = task;
            self.place_of[task as usize] = *place;
            *place += 1;
        }
    }

    /// The role of a task.
    pub fn role_of(&self, task: u32) -> u32 {
        self.resources.role_of[task as usize]
    }

    /// How many tasks there are, those that are not on the list included.
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.graph.is_empty()
    }

    /// The latest time that a run can tell from others, in milliseconds. With a hundred thousand tasks that is 4,000 years.
    fn latest(&self) -> u64 {
        u64::MAX >> self.shift
    }
}

/// One run of a policy, and the room it needs; kept from run to run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// By task: when it is finished, in milliseconds from the start; nothing for a task that never starts.
    finish: Vec<u64>,
    /// By task: the one whose end let it start.
    cause: Vec<u32>,
    waits_for: Vec<u32>,
    /// By task: which of those it waited for was the last.
    unlocked_by: Vec<u32>,
    /// Ready tasks, as bits by place.
    ready: Vec<u64>,
    /// By role.
    free: Vec<u32>,
    freed_by: Vec<u32>,
    /// Roles that may have something to hand out, as bits.
    dirty: Vec<u64>,
    /// By feature: the task that has it, and the last that had it.
    held: Vec<bool>,
    left_by: Vec<u32>,
    /// Work in hand, the next to be finished last: time and task in one number.
    queue: Vec<u64>,
    makespan: u64,
}

impl Run {
    /// Runs the sprint with the durations that `duration` gives for each task, in milliseconds. Says when the last is finished.
    pub fn go(&mut self, policy: &Policy, mut duration: impl FnMut(u32) -> u64) -> u64 {
        self.reset(policy);
        let (shift, latest) = (policy.shift, policy.latest());
        let mask = (1 << shift) - 1;
        let mut now = 0;
        loop {
            self.hand_out(policy, now, |task| duration(task).min(latest - now));
            let Some(next) = self.queue.pop() else {
                return self.makespan;
            };
            now = next >> shift;
            self.complete(policy, (next & mask) as u32);
            while let Some(&next) = self.queue.last()
                && next >> shift == now
            {
                self.queue.pop();
                self.complete(policy, (next & mask) as u32);
            }
        }
    }

    fn reset(&mut self, policy: &Policy) {
        let len = policy.len();
        self.finish.clear();
        self.finish.resize(len, 0);
        self.cause.clear();
        self.cause.resize(len, NONE);
        self.unlocked_by.clear();
        self.unlocked_by.resize(len, NONE);
        self.waits_for.clone_from(&policy.waits_for);
        self.ready.clear();
        self.ready.resize(policy.task_at.len() / 64, 0);
        self.free.clone_from(&policy.resources.agents);
        let roles = self.free.len();
        self.freed_by.clear();
        self.freed_by.resize(roles, NONE);
        self.dirty.clear();
        self.dirty.resize(roles.div_ceil(64), u64::MAX);
        if let Some(last) = self.dirty.last_mut()
            && !roles.is_multiple_of(64)
        {
            *last = (1 << (roles % 64)) - 1;
        }
        if policy.exclusive {
            let features = policy.resources.features as usize;
            self.held.clear();
            self.held.resize(features, false);
            self.left_by.clear();
            self.left_by.resize(features, NONE);
        }
        self.queue.clear();
        self.makespan = 0;
        for (&task, place) in policy.task_at.iter().zip(0_usize..) {
            if task != NONE && self.waits_for[task as usize] == 0 {
                self.ready[place / 64] |= 1 << (place % 64);
            }
        }
    }

    /// Each role that something has changed for gives its free agents their next tasks.
    fn hand_out(&mut self, policy: &Policy, now: u64, mut duration: impl FnMut(u32) -> u64) {
        for word in 0..self.dirty.len() {
            while self.dirty[word] != 0 {
                let role = 64 * word + self.dirty[word].trailing_zeros() as usize;
                self.dirty[word] &= self.dirty[word] - 1;
                let words = policy.words[role] as usize..policy.words[role + 1] as usize;
                for at in words {
                    let mut bits = self.ready[at];
                    while bits != 0 && self.free[role] > 0 {
                        let bit = bits & bits.wrapping_neg();
                        bits ^= bit;
                        let task = policy.task_at[64 * at + bit.trailing_zeros() as usize];
                        if self.start(policy, role, task, now, &mut duration) {
                            self.ready[at] ^= bit;
                        }
                    }
                }
            }
        }
    }

    /// Starts the task unless its feature is taken.
    #[inline]
    fn start(
        &mut self,
        policy: &Policy,
        role: usize,
        task: u32,
        now: u64,
        duration: &mut impl FnMut(u32) -> u64,
    ) -> bool {
        let at = task as usize;
        let ended_now = |by: u32, finish: &[u64]| by != NONE && finish[by as usize] == now;
        let mut cause = self.unlocked_by[at];
        if !ended_now(cause, &self.finish) {
            cause = self.freed_by[role];
        }
        if policy.exclusive && policy.shares[at] {
            let feature = policy.resources.feature_of[at] as usize;
            if self.held[feature] {
                return false;
            }
            self.held[feature] = true;
            let left_by = self.left_by[feature];
            if ended_now(left_by, &self.finish) && cause != self.unlocked_by[at] {
                cause = left_by;
            }
        }
        self.cause[at] = if ended_now(cause, &self.finish) {
            cause
        } else {
            NONE
        };
        self.free[role] -= 1;
        let finish = now + duration(task);
        self.finish[at] = finish;
        self.makespan = self.makespan.max(finish);
        self.enqueue(finish << policy.shift | u64::from(task));
        true
    }

    /// Keeps the queue falling. Few are in hand at a time, and the new one mostly belongs near the far end.
    #[inline]
    fn enqueue(&mut self, entry: u64) {
        const SHORT: usize = 24;
        if self.queue.len() > SHORT {
            let place = self.queue.partition_point(|&other| other > entry);
            self.queue.insert(place, entry);
            return;
        }
        self.queue.push(entry);
        let mut at = self.queue.len() - 1;
        while at > 0 && self.queue[at - 1] < entry {
            self.queue[at] = self.queue[at - 1];
            at -= 1;
        }
        self.queue[at] = entry;
    }

    fn complete(&mut self, policy: &Policy, task: u32) {
        let at = task as usize;
        let role = policy.resources.role_of[at] as usize;
        self.free[role] += 1;
        self.freed_by[role] = task;
        self.dirty[role / 64] |= 1 << (role % 64);
        if policy.exclusive && policy.shares[at] {
            let feature = policy.resources.feature_of[at] as usize;
            self.held[feature] = false;
            self.left_by[feature] = task;
            for &role in &policy.roles_of[feature] {
                self.dirty[role as usize / 64] |= 1 << (role % 64);
            }
        }
        for &next in policy.graph.successors(task) {
            let place = policy.place_of[next as usize];
            if place == NONE {
                continue;
            }
            let waits = &mut self.waits_for[next as usize];
            *waits -= 1;
            if *waits == 0 {
                self.unlocked_by[next as usize] = task;
                self.ready[place as usize / 64] |= 1 << (place % 64);
                let role = policy.resources.role_of[next as usize];
                self.dirty[role as usize / 64] |= 1 << (role % 64);
            }
        }
    }

    /// When each task was finished, in milliseconds from the start; nothing for one that never started.
    pub fn finishes(&self) -> &[u64] {
        &self.finish
    }

    /// The chain that decided when the run was over, from its last task back to its first: each could not start before the next on it had ended,
    /// because it waited for it, for its agent or for its worktree.
    pub fn chain(&self) -> impl Iterator<Item = u32> {
        let last = (0..)
            .zip(&self.finish)
            .find(|(_, finish)| **finish == self.makespan && self.makespan > 0)
            .map(|(task, _)| task);
        std::iter::successors(last, |&task| {
            let cause = self.cause[task as usize];
            (cause != NONE).then_some(cause)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(role_of: &[u32], feature_of: &[u32], agents: &[u32]) -> Resources {
        Resources {
            role_of: role_of.to_vec(),
            feature_of: feature_of.to_vec(),
            agents: agents.to_vec(),
            features: feature_of.iter().max().map_or(0, |most| most + 1),
        }
    }

    #[test]
    fn the_list_decides_and_nobody_waits_while_work_is_ready() {
        let apart = [0, 1, 2, 3];
        for (case, roles, features, exclusive, agents, list, expected, chain) in [
            (
                "one agent, by the list",
                [0; 4],
                apart,
                false,
                vec![1],
                vec![2, 0, 3, 1],
                [7, 14, 4, 8],
                vec![1, 3, 0, 2],
            ),
            (
                "two agents: who is free first has the next",
                [0; 4],
                apart,
                false,
                vec![2],
                vec![0, 1, 2, 3],
                [3, 6, 7, 7],
                vec![2, 0],
            ),
            (
                "two roles do not wait for each other",
                [0, 1, 0, 1],
                apart,
                false,
                vec![1, 1],
                vec![0, 1, 2, 3],
                [3, 6, 7, 7],
                vec![2, 0],
            ),
            (
                "a worktree is passed over while it is taken",
                [0; 4],
                [0, 0, 1, 1],
                true,
                vec![2],
                vec![0, 1, 2, 3],
                [3, 9, 4, 5],
                vec![1, 0],
            ),
            (
                "not on the list, not in the way",
                [0; 4],
                apart,
                false,
                vec![1],
                vec![3, 0],
                [4, 0, 0, 1],
                vec![0, 3],
            ),
        ] {
            let graph = Graph::unconnected(4);
            let resources = resources(&roles, &features, &agents);
            let policy = Policy::new(&graph, &resources, exclusive, &list);
            let mut run = Run::default();
            let makespan = run.go(&policy, |task| [3, 6, 4, 1][task as usize]);
            assert_eq!(run.finishes(), expected, "case: {case}");
            assert_eq!(Some(&makespan), expected.iter().max(), "case: {case}");
            assert_eq!(run.chain().collect::<Vec<_>>(), chain, "case: {case}");
        }
    }

    #[test]
    fn dependencies_hold_and_no_time_is_no_trouble() {
        let graph = Graph::new(5, &[(0, 2), (1, 2), (2, 3)]).unwrap();
        let resources = resources(&[0; 5], &[0, 1, 2, 3, 4], &[2]);
        let mut policy = Policy::new(&graph, &resources, false, &[0, 1, 2, 3, 4]);
        let mut run = Run::default();
        let durations = [2, 3, 0, 4, 9];
        for (list, expected) in [
            ([0, 1, 2, 3, 4], [2, 3, 3, 7, 11]),
            ([4, 3, 2, 1, 0], [5, 3, 5, 9, 9]),
        ] {
            policy.reorder(&list);
            run.go(&policy, |task| durations[task as usize]);
            assert_eq!(run.finishes(), expected, "{list:?}");
        }
        assert_eq!(run.chain().collect::<Vec<_>>(), [3, 2, 0, 1]);
        let nothing = Graph::unconnected(0);
        let none = Resources::default();
        let policy = Policy::new(&nothing, &none, true, &[]);
        assert_eq!(run.go(&policy, |_| 1), 0);
        assert_eq!(run.chain().count(), 0);
    }

    #[test]
    fn durations_beyond_all_reason_end_at_the_latest_time() {
        let graph = Graph::new(3, &[(0, 1)]).unwrap();
        let resources = resources(&[0; 3], &[0, 1, 2], &[1]);
        let policy = Policy::new(&graph, &resources, false, &[0, 1, 2]);
        let makespan = Run::default().go(&policy, |_| u64::MAX);
        assert_eq!(makespan, policy.latest());
    }

    /// More tasks, roles and agents than one word of bits has.
    #[test]
    fn large_sprints_lose_nothing() {
        let len = 5000_u32;
        let roles = 70;
        let edges: Vec<(u32, u32)> = (100..len)
            .map(|task| (task - 1 - task * 7 % 97, task))
            .collect();
        let graph = Graph::new(len, &edges).unwrap();
        let role_of: Vec<u32> = (0..len).map(|task| task * 31 % roles).collect();
        let feature_of: Vec<u32> = (0..len).map(|task| task / 3).collect();
        let resources = resources(&role_of, &feature_of, &vec![3; roles as usize]);
        let list: Vec<u32> = (0..len).map(|place| place * 1999 % len).collect();
        for exclusive in [false, true] {
            let policy = Policy::new(&graph, &resources, exclusive, &list);
            let mut run = Run::default();
            let duration = |task: u32| u64::from(1 + task * 17 % 23);
            run.go(&policy, duration);
            let mut busy = vec![Vec::new(); roles as usize];
            for task in 0..len {
                let finish = run.finishes()[task as usize];
                let start = finish - duration(task);
                for &before in graph.predecessors(task) {
                    assert!(
                        run.finishes()[before as usize] <= start,
                        "{before} before {task}"
                    );
                }
                busy[role_of[task as usize] as usize].extend([(start, 1), (finish, -1)]);
            }
            for mut steps in busy {
                steps.sort_unstable();
                let mut at_once = 0;
                for (_, step) in steps {
                    at_once += step;
                    assert!((0..=3).contains(&at_once));
                }
            }
            let chain: Vec<u32> = run.chain().collect();
            for pair in chain.windows(2) {
                let start = run.finishes()[pair[0] as usize] - duration(pair[0]);
                assert_eq!(run.finishes()[pair[1] as usize], start);
            }
        }
    }
}
