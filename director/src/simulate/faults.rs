//! What goes wrong in a simulated sprint, and how often: named profiles, and any single rate on its own.
//!
//! | | none | calm | rough | hostile |
//! |---|---|---|---|---|
//! | attempts in a thousand that fail, crash, hang, block | 0 | 20, 2, 2, 30 | 60, 10, 10, 100 | 150, 50, 50, 200 |
//! | merged results in a thousand that are red; merges that conflict | 0 | 50; 20 | 150; 80 | 300; 200 |
//! | verdicts of judges in a thousand that send work back | 0 | 100 | 200 | 400 |
//! | share of the work that a rejection costs again | 0 | 25 % | 35 % | 50 % |
//! | a person answers after, on average | at once | 30 min | 4 h | 16 h |
//! | the provider limits the rate every, for | never | never | 24 h, 20 min | 6 h, 1 h |
//! | times in a thousand that git or the disk says no | 0 | 0 | 2 | 20 |
//!
//! A rate is of attempts, not of time. What is not known of a team is best left at `calm`; a profile of one's own is
//! a file with any of the keys below, the rest from the profile that its `base` names.

use std::time::Duration;

use director_protocols::severity::Severity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Rates are out of a thousand, times in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Attempts that end in failure.
    pub fail: u32,
    /// Attempts in which the agent dies.
    pub crash: u32,
    /// Attempts in which the agent shows no sign of life any more.
    pub hang: u32,
    /// Attempts that report a blocker.
    pub block: u32,
    /// How blockers are reported: parts of low, medium, high and critical.
    pub severity: [u32; 4],
    /// Merged results that the gates refuse.
    pub red: u32,
    /// Verdicts of those who judge work, agents and people, that send it back.
    pub review: u32,
    /// Merges that conflict, where something else was merged since the attempt began.
    pub conflict: u32,
    /// The share of a task's work that is done again after a rejection, on average.
    pub rework: u32,
    /// Times that git or the disk refuses something.
    pub refuse: u32,
    /// Questions to an agent of the architecture role that get an answer.
    pub advice: u32,
    /// How long an agent that is asked takes.
    pub advice_seconds: u64,
    /// How long a person takes to answer, on average; the spread is exponential.
    pub answer_seconds: u64,
    /// How long the gates take, on average; from half of it to one and a half times.
    pub gates_seconds: u64,
    /// How long git takes for one thing: a worktree, a commit, a merge.
    pub git_seconds: u64,
    /// Mean time between two moments at which the provider limits the rate; 0 is never.
    pub limit_every_seconds: u64,
    /// How long such a limit holds.
    pub limit_for_seconds: u64,
    /// What an hour of an agent's work costs, in millionths of a dollar.
    pub cost_per_hour_micros: u64,
}

/// The names of the profiles.
pub const PROFILES: [&str; 4] = ["none", "calm", "rough", "hostile"];

impl Faults {
    /// Nothing goes wrong and nothing but work takes time.
    pub const NONE: Faults = Faults {
        fail: 0,
        crash: 0,
        hang: 0,
        block: 0,
        severity: [6, 3, 1, 0],
        red: 0,
        review: 0,
        conflict: 0,
        rework: 0,
        refuse: 0,
        advice: 700,
        advice_seconds: 0,
        answer_seconds: 0,
        gates_seconds: 0,
        git_seconds: 0,
        limit_every_seconds: 0,
        limit_for_seconds: 0,
        cost_per_hour_micros: 0,
    };

    /// The profile of that name.
    pub fn named(name: &str) -> Option<Self> {
        let calm = Faults {
            fail: 20,
            crash: 2,
            hang: 2,
            block: 30,
            red: 50,
            review: 100,
            conflict: 20,
            rework: 250,
            advice_seconds: 600,
            answer_seconds: 1_800,
            gates_seconds: 60,
            git_seconds: 1,
            ..Faults::NONE
        };
        Some(match name {
            "none" => Faults::NONE,
            "calm" => calm,
            "rough" => Faults {
                fail: 60,
                crash: 10,
                hang: 10,
                block: 100,
                severity: [5, 3, 2, 0],
                red: 150,
                review: 200,
                conflict: 80,
                rework: 350,
                refuse: 2,
                advice: 500,
                answer_seconds: 4 * 3_600,
                limit_every_seconds: 24 * 3_600,
                limit_for_seconds: 1_200,
                ..calm
            },
            "hostile" => Faults {
                fail: 150,
                crash: 50,
                hang: 50,
                block: 200,
                severity: [3, 3, 3, 1],
                red: 300,
                review: 400,
                conflict: 200,
                rework: 500,
                refuse: 20,
                advice: 300,
                answer_seconds: 16 * 3_600,
                limit_every_seconds: 6 * 3_600,
                limit_for_seconds: 3_600,
                ..calm
            },
            _ => return None,
        })
    }

    /// These with some rates replaced, as a table gives them.
    ///
    /// # Errors
    /// What is wrong with the table, in words.
    pub fn with(self, changes: &Map<String, Value>) -> Result<Self, String> {
        let Ok(Value::Object(mut table)) = serde_json::to_value(self) else {
            return Err("the faults cannot be written out".to_owned());
        };
        for (key, value) in changes {
            table.insert(key.clone(), value.clone());
        }
        let faults: Faults =
            serde_json::from_value(Value::Object(table)).map_err(|error| error.to_string())?;
        faults.problem().map_or(Ok(faults), Err)
    }

    /// The tier that a drawn number stands for.
    pub fn tier(&self, bits: u64) -> Severity {
        const TIERS: [Severity; 4] = [
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        let whole: u64 = self.severity.iter().map(|part| u64::from(*part)).sum();
        let mut drawn = crate::estimate::random::below(bits, whole.max(1));
        for (part, tier) in self.severity.into_iter().zip(TIERS) {
            if drawn < u64::from(part) {
                return tier;
            }
            drawn -= u64::from(part);
        }
        Severity::Low
    }

    /// What is wrong with these rates, in words; nothing if nothing is.
    pub fn problem(&self) -> Option<String> {
        let ends =
            self.fail as u64 + u64::from(self.crash) + u64::from(self.hang) + u64::from(self.block);
        if ends > 1_000 {
            return Some(format!(
                "fail, crash, hang and block add up to {ends} attempts in a thousand; at most 1000 can end badly"
            ));
        }
        for (name, rate) in [
            ("red", self.red),
            ("review", self.review),
            ("conflict", self.conflict),
            ("rework", self.rework),
            ("refuse", self.refuse),
            ("advice", self.advice),
        ] {
            if rate > 1_000 {
                return Some(format!("{name} is {rate}; it is out of a thousand"));
            }
        }
        let longest = Duration::from_secs(10 * 365 * 86_400).as_secs();
        for (name, seconds) in [
            ("advice_seconds", self.advice_seconds),
            ("answer_seconds", self.answer_seconds),
            ("gates_seconds", self.gates_seconds),
            ("git_seconds", self.git_seconds),
            ("limit_every_seconds", self.limit_every_seconds),
            ("limit_for_seconds", self.limit_for_seconds),
        ] {
            if seconds > longest {
                return Some(format!("{name} is {seconds}; ten years are the most"));
            }
        }
        if self.severity.iter().all(|part| *part == 0) {
            return Some(
                "severity has no part above 0; give the parts of low, medium, high and critical"
                    .to_owned(),
            );
        }
        if self.limit_every_seconds > 0 && self.limit_for_seconds >= self.limit_every_seconds {
            return Some(
                "limit_for_seconds is not below limit_every_seconds: the rate would be limited without end".to_owned(),
            );
        }
        None
    }
}
