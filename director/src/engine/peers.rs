//! Peers: Product, QA and DevOps, and where what is for them goes.
//!
//! A peer is what `[peer.NAME]` says: agents of a role, a person, a webhook. Without it, a role of that name fills it, with people
//! or with agents that take words; without that there is nobody, and what is for them is only said.
//!
//! Elsewhere: packages are `handoffs` and `decide::handoff`; posting is `deliveries`.

use director_protocols::ids::{InboxId, Name, RoleId, SprintId};
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::sprint::RunSpec;
use director_protocols::ways::{Destination, Peer, Webhook};
use director_protocols::work::COMMAND;

use super::state::State;

/// Where something for a peer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goes {
    /// To an agent of this role, which runs this if it is a command.
    Role(Name, Option<RunSpec>),
    /// Into the inbox.
    Inbox,
    /// Into the inbox, and to this address.
    Webhook(Webhook),
}

impl State {
    /// Where what is for the peer goes; none where nobody is.
    pub fn peer(&self, sprint: SprintId, peer: Peer) -> Option<Goes> {
        let ways = &self.sprints.get(sprint)?.spec.ways;
        let written = ways.peers.iter().find(|row| row.peer == peer);
        let filled = |id: &RoleId| {
            let role = &self.team.roles[id.index()];
            (role.spec.count > 0).then_some(role)
        };
        match written.map(|row| &row.to) {
            Some(Destination::Webhook(hook)) => Some(Goes::Webhook(hook.clone())),
            Some(Destination::Inbox) => Some(Goes::Inbox),
            Some(Destination::Role { role: name, run }) => {
                match self.team.by_role.get(name).and_then(filled) {
                    Some(role) if !role.is_people() => Some(Goes::Role(name.clone(), run.clone())),
                    _ => Some(Goes::Inbox),
                }
            }
            None => {
                let role = self.team.peers.get(&peer).and_then(filled)?;
                match role.is_people() {
                    true => Some(Goes::Inbox),
                    false if role.spec.agent.kind == COMMAND => None,
                    false => Some(Goes::Role(role.spec.name.clone(), None)),
                }
            }
        }
    }

    /// The peers with a webhook that an open inbox item is posted to: whoever the package is for, and on tier high those of the
    /// ladder; what is unclear before the start goes to Product.
    pub fn posted_to(&self, item: InboxId) -> Vec<Peer> {
        let Some(row) = self.trouble.open_item(item) else {
            return Vec::new();
        };
        let wanted: Vec<Peer> = if let Some(number) = row.handoff {
            let handoff = self.handoffs.get(number as usize);
            handoff.map(|handoff| handoff.team).into_iter().collect()
        } else if row.blocker.is_some() && row.severity >= Severity::High {
            let Some(sprint) = self.sprints.get(row.sprint) else {
                return Vec::new();
            };
            let asked = sprint.spec.ways.ladder.high.iter();
            asked
                .filter_map(|name| Peer::named(name.as_str()))
                .collect()
        } else if row.kind == InboxKind::Unclear {
            vec![Peer::Product]
        } else {
            Vec::new()
        };
        let hooked = |peer: &Peer| matches!(self.peer(row.sprint, *peer), Some(Goes::Webhook(_)));
        wanted.into_iter().filter(hooked).collect()
    }
}
