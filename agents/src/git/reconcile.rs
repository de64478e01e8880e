//! Reconcile: where git and journal disagree in a way that nobody but a person can settle.
//!
//! A pure function: the caller gathers both truths and says aloud what comes out. The journal is the truth about
//! what was decided, git about what happened. What an interrupted director left half done is no disagreement:
//! whoever carries its orders out again looks before doing, and finds it. Somebody else's hand on a ref of ours is
//! one, and so is a commit that is gone; nothing is overwritten for either.
//!
//! Elsewhere: git's truth is gathered in `truth`; the journal's is made, and the answer told, by the director.

use std::collections::{BTreeMap, BTreeSet};

use super::Oid;

/// What the journal says about one sprint whose integration branch is known to have been made.
#[derive(Clone, Debug)]
pub struct JournalTruth {
    /// The integration branch as a full ref.
    pub integration_ref: String,
    /// Where the branch was last known to stand; the base before the first merge.
    pub head: Oid,
    /// The merge on top of `head` that the branch was about to advance to, or did: nobody could say so.
    pub announced: Option<Oid>,
    /// The merge that is being tested.
    pub merge: Option<Oid>,
    /// Work that waits to be merged: the feature's branch as a full ref, and the last commit, where it stands.
    pub work: BTreeMap<String, Oid>,
}

impl JournalTruth {
    /// The commits that git has to have.
    pub(super) fn named(&self) -> impl Iterator<Item = &Oid> {
        let merge = self.merge.iter();
        std::iter::once(&self.head)
            .chain(merge)
            .chain(self.work.values())
    }
}

/// What git has of one sprint.
#[derive(Clone, Debug, Default)]
pub struct GitTruth {
    /// Where the integration branch stands; `None`: there is none.
    pub integration: Option<Oid>,
    /// Its first-parent history down to and without the journal's head.
    pub first_parents: Vec<Oid>,
    /// Commits that the journal names and git does not have.
    pub missing: BTreeSet<Oid>,
    /// The sprint's feature branches, as full refs.
    pub branches: BTreeMap<String, Oid>,
}

/// One thing in which git and journal disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// Somebody else moved or deleted a ref of ours.
    Moved {
        /// The full ref.
        name: String,
        /// Where it was left.
        expected: Oid,
        /// Where it is; `None`: it does not exist.
        found: Option<Oid>,
    },
    /// Git does not have a commit any more: a power cut or a clean-up of the repository took it.
    Lost {
        /// What should stand at it: a full ref, or the integration branch for the merge that is being tested.
        name: String,
        /// The commit.
        commit: Oid,
    },
}

/// Compares the two truths: the integration branch first, then the merge, then the features by branch.
pub fn reconcile(journal: &JournalTruth, git: &GitTruth) -> Vec<Disagreement> {
    let mut found: Vec<Disagreement> = integration(journal, git).into_iter().collect();
    let lost = |name: &String, commit: &Oid| {
        let lost = git.missing.contains(commit);
        lost.then(|| Disagreement::Lost {
            name: name.clone(),
            commit: commit.clone(),
        })
    };
    if let Some(merge) = &journal.merge {
        found.extend(lost(&journal.integration_ref, merge));
    }
    for (branch, work) in &journal.work {
        let at = git.branches.get(branch);
        let moved = || Disagreement::Moved {
            name: branch.clone(),
            expected: work.clone(),
            found: at.cloned(),
        };
        let different = (at != Some(work)).then(moved);
        found.extend(lost(branch, work).or(different));
    }
    found
}

fn integration(journal: &JournalTruth, git: &GitTruth) -> Option<Disagreement> {
    let JournalTruth {
        integration_ref: name,
        head,
        announced,
        ..
    } = journal;
    if git.missing.contains(head) {
        return Some(Disagreement::Lost {
            name: name.clone(),
            commit: head.clone(),
        });
    }
    let at = git.integration.as_ref();
    if at == Some(head) || (at.is_some() && at == announced.as_ref()) {
        return None;
    }
    // Whoever advances again will find that it happened, and the branch is then expected there.
    let happened = announced
        .as_ref()
        .filter(|merge| git.first_parents.contains(merge));
    Some(Disagreement::Moved {
        name: name.clone(),
        expected: happened.unwrap_or(head).clone(),
        found: at.cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `oid('a')` is forty times `a`.
    fn oid(digit: char) -> Oid {
        digit.to_string().repeat(40).parse().unwrap()
    }

    /// What is found, as short words, so that a table of it can be read.
    fn words(found: &[Disagreement]) -> String {
        let c = |oid: &Oid| oid.as_str()[..1].to_owned();
        let word = |found: &Disagreement| match found {
            Disagreement::Moved {
                name,
                expected,
                found,
            } => {
                let found = found.as_ref().map_or("-".to_owned(), c);
                format!("{name} moved {}/{found}", c(expected))
            }
            Disagreement::Lost { name, commit } => format!("{name} lost {}", c(commit)),
        };
        found.iter().map(word).collect::<Vec<_>>().join("; ")
    }

    /// The rows of a table written as text: a row a line, columns between bars.
    fn rows<const N: usize>(table: &str) -> Vec<[&str; N]> {
        let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let columns: Vec<_> = line.split('|').map(str::trim).collect();
                columns
                    .try_into()
                    .unwrap_or_else(|_| panic!("not {N} columns: {line}"))
            })
            .collect()
    }

    /// The commit that the first letter of a column names.
    fn letter(column: &str) -> Option<Oid> {
        column.chars().next().filter(|c| *c != '-').map(oid)
    }

    #[test]
    fn every_crash_window_of_the_integration_branch() {
        // One letter is one commit; 0 is the base, 1 and 2 are merges, f is someone else's.
        // Columns: the journal's head, the announced merge, the merge under way; git's branch, its first parents
        // since the journal's head, what is missing.
        let table = "
            at rest at the base             | 0 | - | - | 0 |    |    |
            at rest after merges            | 2 | - | - | 2 |    |    |
            prepared, not announced         | 0 | - | 1 | 0 |    |    |
            prepared, its objects lost      | 0 | - | 1 | 0 |    | 1  | I lost 1
            announced, not advanced         | 0 | 1 | 1 | 0 |    |    |
            advanced, not journalled        | 0 | 1 | 1 | 1 | 1  |    |
            advanced, its tasks called off  | 0 | 1 | - | 1 | 1  |    |
            taken back                      | 0 | 1 | - | 0 |    |    |
            someone moved it on             | 1 | - | - | f | f  |    | I moved 1/f
            someone moved it back           | 1 | - | - | 0 |    |    | I moved 1/0
            someone deleted it              | 1 | - | 2 | - |    |    | I moved 1/-
            deleted after the announcement  | 0 | 1 | 1 | - |    |    | I moved 0/-
            advanced, then moved on         | 0 | 1 | 1 | f | f1 |    | I moved 1/f
            moved away before the advance   | 0 | 1 | 1 | f | f  |    | I moved 0/f
            an old announcement             | 2 | - | - | 1 |    |    | I moved 2/1
            its commit lost                 | 1 | - | - | - |    | 1  | I lost 1
            its commit lost, moved on       | 1 | - | 2 | f |    | 12 | I lost 1; I lost 2";
        for [
            case,
            head,
            announced,
            merge,
            at,
            first_parents,
            missing,
            expected,
        ] in rows(table)
        {
            let journal = JournalTruth {
                integration_ref: "I".to_owned(),
                head: letter(head).unwrap(),
                announced: letter(announced),
                merge: letter(merge),
                work: BTreeMap::new(),
            };
            let git = GitTruth {
                integration: letter(at),
                first_parents: first_parents.chars().map(oid).collect(),
                missing: missing.chars().map(oid).collect(),
                branches: BTreeMap::new(),
            };
            assert_eq!(words(&reconcile(&journal, &git)), expected, "case: {case}");
        }
    }

    #[test]
    fn every_crash_window_of_a_feature() {
        // Columns: the journal's work, git's branch, what is missing. a is the work.
        let table = "
            no work waits                   | - | f |   |
            no work waits, branch deleted   | - | - |   |
            work waits                      | a | a |   |
            someone moved the branch        | a | f |   | F moved a/f
            someone deleted the branch      | a | - |   | F moved a/-
            the commit is lost              | a | a | a | F lost a
            branch and commit are lost      | a | - | a | F lost a";
        for [case, work, branch, missing, expected] in rows(table) {
            let named = |at: Option<Oid>| at.map(|at| ("F".to_owned(), at)).into_iter().collect();
            let journal = JournalTruth {
                integration_ref: "I".to_owned(),
                head: oid('0'),
                announced: None,
                merge: None,
                work: named(letter(work)),
            };
            let git = GitTruth {
                integration: Some(oid('0')),
                first_parents: Vec::new(),
                missing: missing.chars().map(oid).collect(),
                branches: named(letter(branch)),
            };
            assert_eq!(words(&reconcile(&journal, &git)), expected, "case: {case}");
        }
    }
}
