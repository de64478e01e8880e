//! Planning: the *Sprint Initialization Report* of a sprint file, the same whoever asks for it.
//!
//! Elsewhere: the plan itself is [`crate::planner`], its pictures [`crate::report::plan`]; options of the command line are `cli::plan`.

use director_protocols::manifest::Manifest;
use director_protocols::sprint::SprintSpec;
use serde_json::Value;

use crate::planner::clarify::clarify;
use crate::planner::questions::{self, Question};
use crate::planner::{self, Plan, PlanError};
use crate::report::calibration::{self, Calibration};
use crate::report::plan as render;
use crate::report::text;

/// A sprint with its plan, and what led to it.
pub struct Planned {
    /// The sprint, made clear by rule.
    pub spec: SprintSpec,
    /// Its plan.
    pub plan: Plan,
    /// What was guessed, a sentence each.
    pub guesses: Vec<String>,
    /// What past sprints of the data directory say; none where there are none.
    pub past: Option<Calibration>,
    /// Estimates that were corrected by that, a sentence each.
    pub corrected: Vec<String>,
}

impl Planned {
    /// Plans what a file says, by the searched plan for the expected durations unless `make` is another.
    ///
    /// # Errors
    /// Why no plan can be made of it.
    pub fn of(
        mut manifest: Manifest,
        past: Option<Calibration>,
        calibrate: bool,
        make: impl FnOnce(&SprintSpec) -> Result<Plan, PlanError>,
    ) -> Result<Self, PlanError> {
        let guessed = clarify(&mut manifest.spec, &manifest.unsorted, &manifest.assumed);
        let guesses = guessed
            .iter()
            .map(|guess| text::line(&guess.to_string()))
            .collect();
        let mut spec = manifest.spec;
        let corrected = match calibrate || spec.ways.calibrate {
            true => calibration::apply(&mut spec, past.as_ref().unwrap_or(&Calibration::default())),
            false => Vec::new(),
        };
        let mut plan = make(&spec)?;
        let open = questions::left_open(&spec, &manifest.unsorted, &manifest.unrated);
        plan.questions.extend(open);
        let order = |question: &Question| (question.task, question.about);
        plan.questions.sort_by_key(order);
        if let Some(past) = &past {
            plan.risks
                .extend(calibration::optimistic(&spec, &plan, past));
        }
        Ok(Self {
            spec,
            plan,
            guesses,
            past,
            corrected,
        })
    }

    /// The plan that is made when nothing else is said.
    ///
    /// # Errors
    /// Why there is none.
    pub fn usual(spec: &SprintSpec) -> Result<Plan, PlanError> {
        planner::plan(spec)
    }

    /// For programs.
    pub fn json(&self) -> String {
        let past = self.past.clone().map(|past| calibration::Applied {
            past,
            changes: self.corrected.clone(),
        });
        let text = render::json_with_past(&self.spec, &self.plan, past.as_ref());
        match serde_json::from_str::<Value>(&text) {
            Ok(mut plan) => {
                plan["guesses"] = self.guesses.clone().into();
                format!("{plan:#}\n")
            }
            Err(_) => text,
        }
    }

    /// For people: a report, or with `dot`, `mermaid` or `svg` a picture.
    pub fn text(&self, format: &str) -> String {
        match format {
            "dot" => render::dot(&self.spec, &self.plan),
            "mermaid" => render::mermaid(&self.spec, &self.plan),
            "svg" => render::svg(&self.spec, &self.plan),
            _ => self.markdown(),
        }
    }

    /// For people.
    pub fn markdown(&self) -> String {
        let mut text = render::markdown(&self.spec, &self.plan);
        if let Some(past) = &self.past {
            text += &calibration::section(past, &self.corrected);
        }
        if !self.guesses.is_empty() {
            let lines: Vec<_> = self
                .guesses
                .iter()
                .map(|guess| format!("- {guess}\n"))
                .collect();
            text += &format!("\n## Guesses\n{}", lines.concat());
        }
        text
    }
}

/// Past sprints in an answer to [`super::protocol::Ask::Calibration`]; none where there are none.
///
/// # Errors
/// That it is no such answer.
pub fn past(answer: Value) -> Result<Option<Calibration>, serde_json::Error> {
    let past: Calibration = serde_json::from_value(answer)?;
    Ok((!past.sprints.is_empty()).then_some(past))
}
