//! The integration branch that somebody else moved: what lies between there and where it should be, and putting it back.
//!
//! Invariant: a commit that the branch is at is under a ref of ours before the branch leaves it.
//! Elsewhere: who finds it moved is `git` and `startup`; what follows is `engine::decide::branch`.

use director_agents::git::{GitError, Oid};
use director_protocols::command::{Command, MovedBranch};
use director_protocols::ids::EffectId;

use super::workshop::{Site, lock};
use super::{CallOff, Trouble, Workshop};
use crate::engine::orders::Place;

/// So many commits are named.
const NAMED: usize = 5;

impl Workshop {
    /// What a person has to know of a branch that is not where it should be. A look that fails says so in words.
    pub(super) fn moved_branch(
        &self,
        place: &Place,
        name: &str,
        expected: &Oid,
        found: Option<&Oid>,
    ) -> MovedBranch {
        let looked = self.site(place).and_then(|site| match found {
            Some(found) => between(&site, expected, found),
            None => Ok((false, "Its last commit is still there.".to_owned())),
        });
        let (contains, between) = looked.unwrap_or_else(|trouble| {
            (false, format!("What lies between is not known: {trouble}."))
        });
        MovedBranch {
            name: name.to_owned(),
            expected: expected.to_string(),
            found: found.map_or_else(String::new, Oid::to_string),
            contains,
            between,
        }
    }

    /// Puts the branch back to where the journal has it, if it is still where a person was shown it. What it is at is kept.
    pub(super) fn put_back(
        &self,
        effect: EffectId,
        place: &Place,
        shown: &str,
        call_off: &CallOff,
    ) -> Result<Vec<Command>, Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let _branch = lock(&site.floor.branch);
        call_off.check()?;
        let Site {
            repository, names, ..
        } = &site;
        let head: Oid = place.head.parse()?;
        let name = names.integration_ref();
        let moved = |found| Trouble::BranchMoved {
            name: name.clone(),
            expected: head.clone(),
            found,
        };
        let found = repository.resolve(&name)?;
        let saved = match shown.parse::<Oid>() {
            Ok(shown) => names.salvage_ref(&format!("branch-{}", shown.short()), 0)?,
            Err(_) => String::new(), // There is nothing to save.
        };
        match &found {
            Some(found) if *found == head => {}
            Some(found) if found.as_str() == shown => {
                repository.create_ref(&saved, found)?;
                match repository.advance(&name, &head, found) {
                    Ok(_) => {}
                    Err(GitError::RefMoved { found, .. }) => return Err(moved(found)),
                    Err(error) => return Err(error.into()),
                }
            }
            None if shown.is_empty() => match repository.create_ref(&name, &head) {
                Ok(_) => {}
                Err(GitError::RefMoved { found, .. }) => return Err(moved(found)),
                Err(error) => return Err(error.into()),
            },
            _ => return Err(moved(found)),
        }
        // Not where somebody put it back by hand.
        let saved = match saved.is_empty() || repository.resolve(&saved)?.is_none() {
            true => String::new(),
            false => saved,
        };
        Ok(vec![Command::BranchRestored {
            effect: Some(effect),
            sprint: place.id,
            saved,
        }])
    }
}

/// Whether `found` holds all of `expected`, and what lies between them.
fn between(site: &Site, expected: &Oid, found: &Oid) -> Result<(bool, String), Trouble> {
    let repository = &site.repository;
    let contains = repository.is_ancestor(expected, found)?;
    let mut words = Vec::new();
    for (what, from, to) in [
        ("On it, and not of the director", expected, found),
        ("Merged, and not on it any more", found, expected),
    ] {
        let commits = repository.commits_between(from, to)?;
        if commits.is_empty() {
            continue;
        }
        let more = match commits.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let named: Vec<&str> = commits.iter().take(NAMED).map(String::as_str).collect();
        words.push(format!("{what}: {}{more}.", named.join(", ")));
    }
    if contains {
        words.push("Everything that was merged is on it.".to_owned());
    }
    let checkouts = repository.checkouts_of(&site.names.integration_branch())?;
    let checkouts: Vec<String> = checkouts
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    if !checkouts.is_empty() {
        words.push(format!(
            "It is checked out in {}, whose files stay as they are.",
            checkouts.join(" and ")
        ));
    }
    Ok((contains, words.join(" ")))
}
