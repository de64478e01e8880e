//! Delivery: the integration branch into the base, the one place that may change what is the user's.
//!
//! The base moves only from where it is expected, and only as far as the user's checkout can follow safely:
//! with the base checked out and clean, git updates files, index and branch together; with it not checked
//! out, one `update-ref` does it. Anything else is not done, and the answer says what the user can run.

use super::{Advance, GitError, Merge, MergeRequest, Oid, Repository};

/// What to deliver, and where.
#[derive(Clone, Debug)]
pub struct DeliveryRequest<'a> {
    /// Where the integration branch stands; its gates are green.
    pub integrated: &'a Oid,
    /// Its name, for people.
    pub integration_branch: &'a str,
    /// The branch that gets it, such as `main`.
    pub base: &'a str,
    /// Where the base is expected to stand.
    pub base_at: &'a Oid,
    /// The message of a merge commit, when the base has commits of its own.
    pub message: &'a str,
    /// Its date, in milliseconds since 1970.
    pub date_ms: u64,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The base stands at this commit now.
    Delivered {
        /// The commit.
        commit: Oid,
        /// Whether the base only moved forward, without a merge commit.
        fast_forward: bool,
    },
    /// The base had it already.
    AlreadyThere,
    /// Nothing was changed.
    NotDelivered {
        /// Why not.
        why: String,
        /// What the user can run instead.
        commands: Vec<String>,
    },
}

impl Repository {
    /// Brings the integration branch into the base. Safe to repeat.
    ///
    /// # Errors
    /// That git failed. A reason that lies with the base is [`Delivery::NotDelivered`], not an error.
    pub fn deliver(&self, request: &DeliveryRequest<'_>) -> Result<Delivery, GitError> {
        let DeliveryRequest {
            integrated,
            integration_branch,
            base,
            base_at,
            message,
            date_ms,
        } = request;
        let by_hand = || {
            vec![
                format!("git switch {base}"),
                format!("git merge {integration_branch}"),
            ]
        };
        let refused = |why: String, commands| Ok(Delivery::NotDelivered { why, commands });
        let name = format!("refs/heads/{base}");
        let Some(now) = self.resolve(&name)? else {
            let branch = vec![format!("git branch {base} {integration_branch}")];
            return refused(format!("there is no branch `{base}`"), branch);
        };
        if self.is_ancestor(integrated, &now)? {
            return Ok(Delivery::AlreadyThere);
        }
        if now != **base_at {
            let why = format!("`{base}` moved from {} to {}", base_at.short(), now.short());
            return refused(why, by_hand());
        }
        let fast_forward = self.is_ancestor(&now, integrated)?;
        let commit = if fast_forward {
            (*integrated).clone()
        } else {
            let merge = MergeRequest {
                onto: &now,
                work: integrated,
                message,
                date_ms: *date_ms,
            };
            match self.prepare_merge(&merge)? {
                Merge::Prepared { commit, .. } => commit,
                Merge::Nothing => return Ok(Delivery::AlreadyThere),
                Merge::Conflict { files } => {
                    let files: Vec<_> = files
                        .iter()
                        .take(5)
                        .map(|f| f.display().to_string())
                        .collect();
                    let why = format!(
                        "`{base}` and `{integration_branch}` conflict in {}",
                        files.join(", ")
                    );
                    return refused(why, by_hand());
                }
            }
        };
        match self.checkouts_of(base)?.as_slice() {
            [] => match self.advance(&name, &commit, &now) {
                Ok(Advance::Done | Advance::AlreadyThere) => {}
                Err(GitError::RefMoved { .. }) => {
                    return refused(format!("`{base}` moved just now"), by_hand());
                }
                Err(error) => return Err(error),
            },
            [path] if path == self.top() => {
                let status = self.checkout_status()?;
                if let Some(operation) = status.operation {
                    let why = format!("a {operation} is unfinished in `{}`", path.display());
                    return refused(why, vec![format!("git merge --ff-only {commit}")]);
                }
                if status.changed > 0 {
                    let why = format!(
                        "`{base}` is checked out with uncommitted changes in `{}`",
                        path.display()
                    );
                    let commands = [
                        "git stash",
                        &format!("git merge --ff-only {commit}"),
                        "git stash pop",
                    ];
                    return refused(why, commands.map(str::to_owned).to_vec());
                }
                // Git itself refuses to overwrite untracked files, and with this option ignored ones too.
                let words = [
                    "merge",
                    "--quiet",
                    "--ff-only",
                    "--no-autostash",
                    "--no-overwrite-ignore",
                ];
                let merge = self.in_checkout().args(words).arg(commit.as_str()).run();
                if let Err(GitError::Failed { stderr, .. }) = merge {
                    return refused(stderr, vec![format!("git merge --ff-only {commit}")]);
                }
                merge?;
            }
            others => {
                let paths: Vec<_> = others
                    .iter()
                    .map(|path| format!("`{}`", path.display()))
                    .collect();
                let why = format!("`{base}` is checked out at {}", paths.join(" and "));
                let commands = others.iter().take(1);
                let command = |path: &std::path::PathBuf| {
                    format!("git -C {} merge --ff-only {commit}", path.display())
                };
                return refused(why, commands.map(command).collect());
            }
        }
        Ok(Delivery::Delivered {
            commit,
            fast_forward,
        })
    }
}
