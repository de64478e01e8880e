//! A referee for schedules of public instances: reads the instance itself and checks a schedule against it.
//!
//! Nothing here uses the planner, and nothing is shared with it, so that a mistake in reading, placing or bounding cannot hide
//! itself. Slow and simple on purpose: every tick of every resource is added up.

use std::collections::{BTreeMap, BTreeSet};

/// An instance as the referee reads it.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// By job: ticks.
    pub duration: Vec<u32>,
    /// From each job to one that waits for it.
    pub edges: Vec<(usize, usize)>,
    /// By job: units by resource. Empty where jobs are done by one agent each.
    pub demand: Vec<Vec<u32>>,
    /// Units by resource. Empty where jobs are done by one agent each.
    pub capacity: Vec<u32>,
    /// By job: the agents that can do it, from 0. Empty where resources have units.
    pub able: Vec<BTreeSet<usize>>,
}

impl Instance {
    /// Reads an `.sm` file of PSPLIB.
    ///
    /// # Panics
    /// When it is none.
    pub fn of_sm(text: &str) -> Self {
        let after = |heading: &'static str| {
            let lines = text
                .lines()
                .skip_while(move |line| !line.starts_with(heading));
            let lines = lines
                .skip(1)
                .skip_while(|line| !line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
            lines.map(|line| {
                line.split_whitespace()
                    .map_while(|word| word.parse::<u32>().ok())
                    .collect::<Vec<_>>()
            })
        };
        let mut read = Self::default();
        for line in after("PRECEDENCE").take_while(|line| line.len() > 2) {
            read.edges.extend(
                line[3..]
                    .iter()
                    .map(|&next| (line[0] as usize - 1, next as usize - 1)),
            );
        }
        for line in after("REQUESTS").take_while(|line| line.len() > 3) {
            read.duration.push(line[2]);
            read.demand.push(line[3..].to_vec());
        }
        read.capacity = after("RESOURCEAVAIL").next().expect("capacities");
        read
    }

    /// Reads a `.def` file of iMOPSE.
    ///
    /// # Panics
    /// When it is none.
    pub fn of_def(text: &str) -> Self {
        let mut read = Self::default();
        let mut agents: Vec<BTreeMap<String, u32>> = Vec::new();
        let mut jobs = false;
        for line in text.lines() {
            jobs |= line.starts_with("TaskID");
            if !line.starts_with(|c: char| c.is_ascii_digit()) || !text.contains("ResourceID") {
                continue;
            }
            let spaced = line.replace(':', " : ");
            let words: Vec<&str> = spaced.split_whitespace().collect();
            let skill = |at: usize| {
                (
                    words[at].to_owned(),
                    words[at + 2].parse::<u32>().expect("a level"),
                )
            };
            let colons: Vec<usize> = (0..words.len()).filter(|&at| words[at] == ":").collect();
            let skills: Vec<(String, u32)> = colons.iter().map(|&at| skill(at - 1)).collect();
            if !jobs {
                agents.push(skills.into_iter().collect());
                continue;
            }
            let job = read.duration.len();
            read.duration.push(words[1].parse().expect("a duration"));
            let enough = |agent: &BTreeMap<String, u32>| {
                skills
                    .iter()
                    .all(|(skill, level)| agent.get(skill).is_some_and(|own| own >= level))
            };
            read.able.push(
                (0..agents.len())
                    .filter(|&agent| enough(&agents[agent]))
                    .collect(),
            );
            let rest = colons.last().map_or(2, |at| at + 2);
            read.edges.extend(
                words[rest..]
                    .iter()
                    .map(|before| (before.parse::<usize>().expect("a job") - 1, job)),
            );
        }
        read
    }

    /// The longest chain of jobs.
    pub fn critical_path(&self) -> u32 {
        let mut start = vec![0; self.duration.len()];
        for _ in 0..self.duration.len() {
            for &(from, to) in &self.edges {
                start[to] = start[to].max(start[from] + self.duration[from]);
            }
        }
        start
            .iter()
            .zip(&self.duration)
            .map(|(start, duration)| start + duration)
            .max()
            .unwrap_or(0)
    }

    /// The longest chain, and for every union of two sets of able agents, the work only they can do by their number.
    pub fn skill_bound(&self) -> u32 {
        let sets: BTreeSet<&BTreeSet<usize>> = self.able.iter().collect();
        let mut best = self.critical_path();
        for one in &sets {
            for other in &sets {
                let union: BTreeSet<usize> = one.union(other).copied().collect();
                let only = self
                    .able
                    .iter()
                    .zip(&self.duration)
                    .filter(|(able, _)| able.is_subset(&union));
                let work: u32 = only.map(|(_, duration)| duration).sum();
                best = best.max(work.div_ceil(union.len() as u32));
            }
        }
        best
    }

    /// The length of a schedule, given by starts and, where agents do jobs, by agent.
    ///
    /// # Errors
    /// What it breaks, in words.
    pub fn check(&self, starts: &[u32], agents: &[usize]) -> Result<u32, String> {
        if starts.len() != self.duration.len() {
            return Err(format!(
                "{} starts for {} jobs",
                starts.len(),
                self.duration.len()
            ));
        }
        let ends: Vec<u32> = starts
            .iter()
            .zip(&self.duration)
            .map(|(start, duration)| start + duration)
            .collect();
        for &(from, to) in &self.edges {
            if starts[to] < ends[from] {
                return Err(format!(
                    "job {} starts at {} before job {} has ended at {}",
                    to + 1,
                    starts[to],
                    from + 1,
                    ends[from]
                ));
            }
        }
        let makespan = ends.iter().copied().max().unwrap_or(0);
        for tick in 0..makespan {
            let on: Vec<usize> = (0..starts.len())
                .filter(|&job| starts[job] <= tick && tick < ends[job])
                .collect();
            for (resource, &capacity) in self.capacity.iter().enumerate() {
                let used: u32 = on.iter().map(|&job| self.demand[job][resource]).sum();
                if used > capacity {
                    return Err(format!(
                        "resource {} has {capacity} units and {used} are used at {tick}",
                        resource + 1
                    ));
                }
            }
            if !self.able.is_empty() {
                let busy: BTreeSet<usize> = on.iter().map(|&job| agents[job]).collect();
                if busy.len() < on.len() {
                    return Err(format!("an agent does two jobs at {tick}"));
                }
            }
        }
        match (0..self.able.len()).find(|&job| !self.able[job].contains(&agents[job])) {
            Some(job) => Err(format!(
                "agent {} cannot do job {}",
                agents[job] + 1,
                job + 1
            )),
            None => Ok(makespan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two jobs of two units each beside each other, then one of three, where there are four.
    const SMALL: &str = "\
PRECEDENCE RELATIONS:
jobnr. #modes #successors successors
1 1 2 2 3
2 1 1 4
3 1 1 4
4 1 0
****
REQUESTS/DURATIONS:
jobnr. mode duration R 1
----
1 1 0 0
2 1 3 2
3 1 2 2
4 1 1 3
****
RESOURCEAVAILABILITIES:
 R 1
 4
";

    #[test]
    fn a_schedule_is_valid_only_when_it_keeps_every_rule() {
        let instance = Instance::of_sm(SMALL);
        assert_eq!(instance.critical_path(), 4);
        for (case, starts, expected) in [
            ("valid", [0, 0, 0, 3], Ok(4)),
            ("late but valid", [0, 2, 0, 5], Ok(6)),
            (
                "too early",
                [0, 0, 0, 2],
                Err("job 4 starts at 2 before job 2 has ended at 3"),
            ),
        ] {
            assert_eq!(
                instance.check(&starts, &[]),
                expected.map_err(str::to_owned),
                "case: {case}"
            );
        }
        let mut tight = instance;
        tight.capacity = vec![3];
        assert_eq!(
            tight.check(&[0, 0, 0, 3], &[]),
            Err("resource 1 has 3 units and 4 are used at 0".to_owned())
        );
    }

    #[test]
    fn an_agent_does_one_job_at_a_time_and_only_what_it_can() {
        let instance = Instance::of_def(
            "Tasks: 3\nResourceID Salary Skills\n1 5.0 Q1: 2 Q2: 0\n2 5.0 Q1: 1\n===\nTaskID Duration Skill Predecessor IDs\n\
             1 4 Q1: 1\n2 4 Q1: 2\n3 2 Q2: 0 1\n",
        );
        assert_eq!((instance.critical_path(), instance.skill_bound()), (6, 6));
        for (case, starts, agents, expected) in [
            ("valid", [0, 0, 4], [1, 0, 0], Ok(6)),
            (
                "two at once",
                [0, 0, 4],
                [0, 0, 0],
                Err("an agent does two jobs at 0"),
            ),
            (
                "not able",
                [0, 0, 4],
                [0, 1, 0],
                Err("agent 2 cannot do job 2"),
            ),
        ] {
            assert_eq!(
                instance.check(&starts, &agents),
                expected.map_err(str::to_owned),
                "case: {case}"
            );
        }
    }
}
