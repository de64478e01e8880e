//! Deployments: what is to be deployed, where each stands, and when it has to be dealt with again.
//!
//! ```text
//! waiting ─▶ checking ─▶ handed ─▶ probing ─▶ deployed · failing
//!    ▲           │          └─▶ returned
//!    └── held ◀──┘ (something is missing)
//! ```
//!
//! Both waits are deadlines of the engine, so they survive a restart: for a window, and for the next look at what was deployed.
//!
//! Invariant: a deployment that waits has its deadline, one that is checked or looked at has its effect outstanding, and a sprint
//! with one that is under way is not over.
//! Elsewhere: what is decided is `decide::deploy`; when a window is open is `planner::calendar`; packages are `handoffs`.

use director_protocols::event::{DeploymentProbed, Event};
use director_protocols::ids::{IncidentId, Name, SprintId};
use director_protocols::sprint::{Check, GateSpec};
use director_protocols::time::Time;
use director_protocols::ways::Peer;
use director_protocols::work::Verdict;
use serde::Serialize;

use super::state::{Deadline, State};

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Standing {
    /// It waits for its window.
    Waiting(Time),
    /// It is asked whether it can begin.
    Checking,
    /// Something is missing; a person asks again or leaves it.
    Held(String),
    /// DevOps has the package.
    Handed,
    /// It is there; when it is looked at again, none while it is.
    Probing(Option<Time>),
    /// It is there, and what looked at it last found it well.
    Deployed,
    /// It is there, and what looked at it last did not find it well.
    Failing,
    /// It is not deployed, for this reason.
    Dropped(String),
}

impl Standing {
    /// The word in status and reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Standing::Waiting(_) => "waiting",
            Standing::Checking => "checking",
            Standing::Held(_) => "held",
            Standing::Handed => "handed",
            Standing::Probing(_) => "probing",
            Standing::Deployed => "deployed",
            Standing::Failing => "failing",
            Standing::Dropped(_) => "dropped",
        }
    }

    /// Whether nothing more happens to it.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Standing::Deployed | Standing::Failing | Standing::Dropped(_)
        )
    }

    /// The moment at which the engine deals with it again.
    fn deadline(&self) -> Option<Time> {
        match self {
            Standing::Waiting(at) => Some(*at),
            Standing::Probing(next) => *next,
            _ => None,
        }
    }
}

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// The sprint.
    pub sprint: SprintId,
    /// The feature; the whole sprint without.
    pub feature: Option<Name>,
    /// Where it stands.
    pub standing: Standing,
    /// What is deployed: where the sprint's branch was when it could begin; empty without a repository.
    pub commit: String,
    /// The package that DevOps got.
    pub handoff: Option<u32>,
    /// How often it was looked at.
    pub rounds: u32,
    /// The incident of a look that failed.
    pub incident: Option<IncidentId>,
    /// Whether the last look was well.
    pub well: bool,
}

impl Deployment {
    /// What it is, for people.
    pub fn what(&self) -> String {
        let feature = self.feature.as_ref();
        feature.map_or_else(|| "the sprint".to_owned(), |name| format!("`{name}`"))
    }
}

/// The command of a deployment, as a gate: the one that looks at it, or the one that says whether it can begin.
pub fn command(state: &State, number: u32, probe: bool) -> Option<GateSpec> {
    let row = state.deployments.get(number as usize)?;
    let spec = &state.sprints.get(row.sprint)?.spec.ways.deployment;
    let (name, run, timeout) = match probe {
        true => {
            let probe = spec.probe.as_ref()?;
            ("probe", probe.run.clone(), probe.timeout)
        }
        false => {
            let ready = spec.ready.as_ref()?;
            ("readiness", ready.run.clone(), ready.timeout)
        }
    };
    Some(GateSpec {
        name: Name::new(name).ok()?,
        check: Check::Command { run, timeout },
    })
}

impl State {
    /// The sprint's deployments with their numbers.
    pub fn deployments_of(&self, id: SprintId) -> impl Iterator<Item = (u32, &Deployment)> {
        (0u32..)
            .zip(&self.deployments)
            .filter(move |(_, row)| row.sprint == id)
    }

    /// Whether something of the sprint is on its way out.
    pub fn is_deploying(&self, id: SprintId) -> bool {
        self.deployments_of(id)
            .any(|(_, row)| !row.standing.is_over())
    }

    /// The deployment that a package is for.
    pub fn deployment_of(&self, handoff: u32) -> Option<u32> {
        let of = |row: &Deployment| row.handoff == Some(handoff);
        self.deployments
            .iter()
            .position(of)
            .map(|place| place as u32)
    }

    /// Moves a deployment on; the deadline of a wait goes with the wait.
    fn deploy(&mut self, number: u32, standing: Standing) {
        let row = &mut self.deployments[number as usize];
        let before = std::mem::replace(&mut row.standing, standing);
        let after = row.standing.deadline();
        let due = Deadline::Deployment(number);
        if let Some(at) = before.deadline() {
            self.deadlines.remove(&(at, due));
        }
        self.deadlines.extend(after.map(|at| (at, due)));
    }

    /// What an event does to a deployment.
    pub(super) fn deployment(&mut self, event: &Event, now: Time) {
        match event {
            Event::DeploymentScheduled(e) => {
                if e.deployment as usize == self.deployments.len() {
                    self.deployments.push(Deployment {
                        sprint: e.sprint_id,
                        feature: e.feature.clone(),
                        standing: Standing::Checking,
                        commit: String::new(),
                        handoff: None,
                        rounds: 0,
                        incident: None,
                        well: true,
                    });
                }
                let head = self.sprints.table[e.sprint_id.index()].head.clone();
                self.deployments[e.deployment as usize].commit = head;
                self.deploy(
                    e.deployment,
                    e.until.map_or(Standing::Checking, Standing::Waiting),
                );
            }
            Event::ReadinessChecked(e) if !e.missing.is_empty() => {
                self.deploy(e.deployment, Standing::Held(e.missing.join("; ")));
            }
            Event::DevopsHandoffReady(e) => {
                let Some(number) = e.deployment else { return };
                self.deployments[number as usize].handoff = Some(e.handoff);
                self.deploy(number, Standing::Handed);
                // Where nobody is there to take it, whoever is told of it deploys it.
                if self.peer(e.sprint_id, Peer::Devops).is_none() {
                    self.is_there(number, now);
                }
            }
            Event::PackageAnswered(e) => {
                let Some(number) = self.deployment_of(e.handoff) else {
                    return;
                };
                // One that was called off meanwhile is not deployed, whatever becomes of its package.
                if self.deployments[number as usize].standing != Standing::Handed {
                    return;
                }
                match e.accepted {
                    true => self.is_there(number, now),
                    false => self.deploy(number, Standing::Dropped(e.reason.clone())),
                }
            }
            Event::ProbeDue(e) => {
                self.deployments[e.deployment as usize].rounds = e.round;
                self.deploy(e.deployment, Standing::Probing(None));
            }
            Event::DeploymentProbed(e) => self.probed(e),
            Event::DeploymentDropped(e) => {
                self.deploy(e.deployment, Standing::Dropped(e.reason.clone()));
            }
            _ => {}
        }
    }

    /// It is deployed, and looked at after a while, if the file says how.
    fn is_there(&mut self, number: u32, now: Time) {
        let sprint = self.deployments[number as usize].sprint;
        let spec = &self.sprints.table[sprint.index()].spec.ways.deployment;
        let first = spec.probe.as_ref().map(|probe| now + probe.after);
        self.deploy(
            number,
            match first {
                Some(at) => Standing::Probing(Some(at)),
                None => Standing::Deployed,
            },
        );
    }

    fn probed(&mut self, e: &DeploymentProbed) {
        let row = &mut self.deployments[e.deployment as usize];
        row.well = e.outcome.verdict != Verdict::Failed;
        row.incident = e.incident;
        let standing = match (e.again, row.well) {
            (Some(at), _) => Standing::Probing(Some(at)),
            (None, true) => Standing::Deployed,
            (None, false) => Standing::Failing,
        };
        self.deploy(e.deployment, standing);
    }
}
