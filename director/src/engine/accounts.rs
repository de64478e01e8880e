//! Accounts: agents that share the limits of one provider, and what it means that it takes no more requests.
//!
//! The first agent that is turned away parks the account: nothing more is handed to anybody who works on it. What others of it have in hand
//! goes on until they are turned away too. At the time that the provider said, or after a wait that doubles where it said none, work is
//! handed out again, and a task that was turned away goes on in its session. It costs none of its attempts.
//!
//! A task that is turned away again and again ([`LIMITED_MAX`]) has failed: one that only says so must not go on for ever.
//!
//! Invariant: an account that is parked has its deadline, and nothing else has.
//! Elsewhere: what providers say is understood by `director_agents::coding`; handing out is `decide::assign`.

use director_protocols::event::{AccountFreed, AccountParked, Event};
use director_protocols::ids::TaskId;
use director_protocols::rejection::Rejection;
use director_protocols::time::{Span, Time};
use serde::Serialize;

use super::decide::{Answer, retry};
use super::state::{Deadline, State};
use super::team::Role;

/// The first wait where the provider does not say how long; each further one is twice as long.
pub const WAIT_MIN: Span = Span::minutes(5);
/// The longest such wait.
pub const WAIT_MAX: Span = Span::hours(1);
/// The longest that a provider is believed to take no requests.
pub const BELIEVED_MAX: Span = Span::hours(8 * 24);
/// How often in a row a task is turned away before that counts as a failure.
pub const LIMITED_MAX: u32 = 20;
/// The name of an account, in characters; an agent's program can be long.
const NAME_MAX: usize = 200;

/// An account that was parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// As the team names it.
    pub name: String,
    /// When work is handed out again; none while it is.
    pub parked: Option<Time>,
    /// What the provider said last.
    pub reason: String,
    /// Waits in a row that were guesses.
    pub guesses: u32,
}

/// The account of a role, by the name that is remembered.
fn name(role: &Role) -> String {
    role.spec.account().chars().take(NAME_MAX).collect()
}

impl State {
    /// The parked account of a role; none while there is nothing to wait for.
    pub fn parked(&self, role: &Role) -> Option<&Account> {
        let is_parked = |row: &&Account| row.parked.is_some();
        // As long as nobody is turned away this costs nothing.
        self.accounts.iter().find(is_parked)?;
        let name = name(role);
        let mut parked = self.accounts.iter().filter(is_parked);
        parked.find(|row| row.name == name)
    }

    fn account_mut(&mut self, name: &str) -> (u32, &mut Account) {
        let at = self.accounts.iter().position(|row| row.name == name);
        let at = at.unwrap_or_else(|| {
            self.accounts.push(Account {
                name: name.to_owned(),
                parked: None,
                reason: String::new(),
                guesses: 0,
            });
            self.accounts.len() - 1
        });
        (at as u32, &mut self.accounts[at])
    }

    /// Until then nothing is handed to who works on the account.
    pub(super) fn account_parked(&mut self, e: &AccountParked) {
        let (number, account) = self.account_mut(&e.account);
        let before = account.parked.replace(e.until);
        account.reason.clone_from(&e.reason);
        account.guesses = match e.guessed {
            true => account.guesses.saturating_add(1),
            false => 0,
        };
        if let Some(at) = before {
            self.deadlines.remove(&(at, Deadline::Account(number)));
        }
        self.deadlines.insert((e.until, Deadline::Account(number)));
    }

    /// Work of the account is handed out again.
    pub(super) fn account_freed(&mut self, e: &AccountFreed) {
        let (number, account) = self.account_mut(&e.account);
        if let Some(at) = account.parked.take() {
            self.deadlines.remove(&(at, Deadline::Account(number)));
        }
    }

    /// The provider takes requests of the role's account: guesses begin anew.
    pub(super) fn account_works(&mut self, role: usize) {
        if !self.accounts.is_empty() {
            let name = name(&self.team.roles[role]);
            let mut accounts = self.accounts.iter_mut();
            if let Some(account) = accounts.find(|row| row.name == name) {
                account.guesses = 0;
            }
        }
    }
}

/// What follows when the agent of a task is turned away.
pub fn turned_away(
    state: &State,
    task: TaskId,
    role: &Role,
    (reason, until): (&str, Option<Time>),
    now: Time,
) -> Vec<Event> {
    let account = name(role);
    let row = state.accounts.iter().find(|row| row.name == account);
    let said = until.filter(|until| *until > now && until.since(now) <= BELIEVED_MAX);
    let known = row.and_then(|row| row.parked);
    let mut events = Vec::new();
    // Those who were at work are turned away one by one; what is known stays, unless one knows better.
    if known.is_none_or(|known| said.is_some_and(|said| said > known)) {
        let guesses = row.map_or(0, |row| row.guesses);
        let guess = Span(WAIT_MIN.0 << guesses.min(8)).min(WAIT_MAX);
        events.push(
            AccountParked {
                account,
                task_id: task,
                until: said.unwrap_or(now + guess),
                guessed: said.is_none(),
                reason: reason.to_owned(),
            }
            .into(),
        );
    }
    let story = state.tasks.table[task.index()].story.as_deref();
    let times = story.map_or(0, |story| story.limited) + 1;
    if times >= LIMITED_MAX {
        let reason = format!("turned away {times} times in a row; the last: {reason}");
        events.push(retry::after_failure(state, task, &reason, now));
    }
    events
}

/// The time of a parked account has come.
pub fn due(state: &State, number: u32) -> Vec<Event> {
    let account = state.accounts.get(number as usize);
    let parked = account.filter(|account| account.parked.is_some());
    parked
        .map(|account| freed(account, "director"))
        .into_iter()
        .collect()
}

/// Decides about a person's word that the provider takes requests again.
pub fn by_hand(state: &State, account: &str, by: &str) -> Answer {
    match state.accounts.iter().find(|row| row.name == account) {
        Some(row) if row.parked.is_some() => Ok(vec![freed(row, by)]),
        Some(_) => Ok(Vec::new()),
        None => Err(Rejection::NoAccount {
            account: account.to_owned(),
            parked: {
                let parked = state.accounts.iter().filter(|row| row.parked.is_some());
                parked.map(|row| row.name.clone()).collect()
            },
        }),
    }
}

fn freed(account: &Account, by: &str) -> Event {
    AccountFreed {
        account: account.name.clone(),
        by: by.to_owned(),
    }
    .into()
}
