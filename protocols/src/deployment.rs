//! Deployment: what is asked before something is deployed, when it may be, and how it is looked at afterwards.
//!
//! Elsewhere: when a window is open is the calendar's; what becomes of a deployment is the engine's.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sprint::RunSpec;
use crate::time::Span;

/// The days of a window, Monday first, as files have them.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The word for every day.
pub const DAILY: &str = "daily";
/// The length of a day, in minutes.
pub const DAY_MINUTES: u16 = 24 * 60;

/// How a sprint's work is deployed. The default asks nothing, is always open, and looks at nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentSpec {
    /// What says whether there is something to deploy to; exit 0 is ready.
    pub ready: Option<Readiness>,
    /// When deployments may begin; none written is always.
    pub windows: Vec<Window>,
    /// What looks at what was deployed.
    pub probe: Option<Probe>,
}

impl DeploymentSpec {
    /// Whether the file says anything about deployment.
    pub fn is_written(&self) -> bool {
        *self != Self::default()
    }
}

/// A command that says whether a deployment can begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// What to run; exit 0 is ready, and what it prints otherwise is what is missing.
    pub run: RunSpec,
    /// When to give up.
    pub timeout: Span,
}

/// A command that looks at what was deployed, again and again for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What to run; exit 0 is well.
    pub run: RunSpec,
    /// When to give up on one look.
    pub timeout: Span,
    /// How long after the package was taken the first look is.
    pub after: Span,
    /// From one look to the next.
    pub every: Span,
    /// How long it is looked at, from the first look on.
    pub lasting: Span,
}

impl Probe {
    /// How many looks that is. They are counted, so that none is lost to a director that was down meanwhile.
    pub fn looks(&self) -> u32 {
        let more = self.lasting.0 / self.every.0.max(1);
        u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// A time of the week in which deployments may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The days on which it opens: bit 0 is Monday; never none of them.
    pub days: u8,
    /// When it opens, in minutes since midnight there.
    pub from: u16,
    /// When it closes, in minutes since midnight there, up to 24:00; on the next day where it is not after `from`.
    pub to: u16,
    /// Minutes by which clocks there are ahead of UTC.
    pub offset: i16,
}

impl Window {
    /// How long it is open, in minutes.
    pub fn minutes(&self) -> u16 {
        match self.to > self.from {
            true => self.to - self.from,
            false => self.to + DAY_MINUTES - self.from,
        }
    }

    /// Whether it opens on that day of the week, Monday being 0.
    pub fn opens_on(&self, day: u8) -> bool {
        self.days >> day & 1 == 1
    }
}

impl fmt::Display for Window {
    /// As files have it: `mon-thu,sat 09:00-16:00+01:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut day = 0u8;
        let mut first = true;
        if self.days == 0x7f {
            f.write_str(DAILY)?;
            day = 7;
        }
        while day < 7 {
            if !self.opens_on(day) {
                day += 1;
                continue;
            }
            let last = (day..7).take_while(|day| self.opens_on(*day)).last();
            let last = last.unwrap_or(day);
            if !std::mem::take(&mut first) {
                f.write_str(",")?;
            }
            f.write_str(DAYS[usize::from(day)])?;
            if last > day {
                write!(f, "-{}", DAYS[usize::from(last)])?;
            }
            day = last + 1;
        }
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, " {}-{}", clock(self.from), clock(self.to))?;
        let away = self.offset.unsigned_abs();
        match self.offset {
            0 => Ok(()),
            offset if offset < 0 => write!(f, "-{}", clock(away)),
            _ => write!(f, "+{}", clock(away)),
        }
    }
}
