//! What belongs to a sprint is named after it: branches, salvage refs, trailers.

use super::GitError;

/// Longest id, in bytes, that may become part of a branch name or a folder name.
const NAME_MAX_BYTES: usize = 100;

/// The refs of one sprint. The id has been checked, so that every name made from it is a legal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SprintNames {
    sprint: String,
}

impl SprintNames {
    /// Names for the sprint `sprint`.
    ///
    /// # Errors
    /// [`GitError::BadName`] when the id cannot be part of a branch name or a folder name.
    pub fn new(sprint: &str) -> Result<Self, GitError> {
        check(sprint)?;
        Ok(Self {
            sprint: sprint.to_owned(),
        })
    }

    /// The sprint's id.
    pub fn sprint(&self) -> &str {
        &self.sprint
    }

    /// The integration branch, `sprint/<id>`.
    pub fn integration_branch(&self) -> String {
        format!("sprint/{}", self.sprint)
    }

    /// The integration branch as a full ref.
    pub fn integration_ref(&self) -> String {
        format!("refs/heads/sprint/{}", self.sprint)
    }

    /// A feature's branch, `feature/<sprint>-<feature>`.
    ///
    /// # Errors
    /// [`GitError::BadName`] when the feature cannot be part of a branch name or a folder name.
    pub fn feature_branch(&self, feature: &str) -> Result<String, GitError> {
        check(feature)?;
        Ok(format!("feature/{}-{feature}", self.sprint))
    }

    /// A feature's branch as a full ref.
    ///
    /// # Errors
    /// As [`Self::feature_branch`].
    pub fn feature_ref(&self, feature: &str) -> Result<String, GitError> {
        Ok(format!("refs/heads/{}", self.feature_branch(feature)?))
    }

    /// Where the uncommitted work of an attempt is saved: `refs/director/salvage/<sprint>/<task>/<attempt>`.
    ///
    /// # Errors
    /// [`GitError::BadName`] when the task's id cannot be part of a ref.
    pub fn salvage_ref(&self, task: &str, attempt: u32) -> Result<String, GitError> {
        check(task)?;
        Ok(format!(
            "refs/director/salvage/{}/{task}/{attempt}",
            self.sprint
        ))
    }

    /// Whether a full ref name belongs to this sprint.
    pub fn owns(&self, name: &str) -> bool {
        name == self.integration_ref()
            || name.starts_with(&format!("refs/heads/feature/{}-", self.sprint))
            || name.starts_with("refs/director/")
    }

    /// A commit message with the trailers that tell people where the commit came from. Control characters
    /// are dropped; an empty message gets a subject. Agents can forge trailers, so nothing here trusts them.
    pub fn message(&self, text: &str, task: &str, attempt: u32) -> String {
        let clean: String = text
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect();
        let clean = match clean.trim() {
            "" => format!("Work on {task}"),
            text => text.to_owned(),
        };
        let sprint = &self.sprint;
        format!(
            "{clean}\n\nDirector-Sprint: {sprint}\nDirector-Task: {task}\nDirector-Attempt: {attempt}\n"
        )
    }
}

/// Checks an id against git's rules for a part of a ref, and ours for a folder.
pub(super) fn check(name: &str) -> Result<(), GitError> {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[]\\/\"'`$".contains(c);
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_MAX_BYTES {
        "it is longer than 100 bytes"
    } else if name.starts_with(['.', '-']) {
        "it begins with a dot or a dash"
    } else if name.ends_with('.') || name.ends_with(".lock") {
        "it ends with a dot or with `.lock`"
    } else if name.contains("..") || name.contains("@{") {
        "it contains `..` or `@{`"
    } else if name.contains(forbidden) {
        "it contains a space, a slash, a control character or one of ~ ^ : ? * [ ] \\ \" ' ` $"
    } else {
        return Ok(());
    };
    Err(GitError::BadName {
        name: name.chars().take(80).collect(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_git_would_refuse_is_refused_first() {
        let long = "x".repeat(101);
        for (name, ok) in [
            ("sprint-3", true),
            ("größe", true),
            ("v1.2", true),
            ("", false),
            ("..", false),
            ("a..b", false),
            ("a/b", false),
            ("a b", false),
            ("a\nb", false),
            ("a\u{7f}b", false),
            ("-x", false),
            (".git", false),
            ("x.lock", false),
            ("x.", false),
            ("a@{1}", false),
            ("a~1", false),
            (long.as_str(), false),
        ] {
            assert_eq!(SprintNames::new(name).is_ok(), ok, "name: {name:?}");
        }
    }

    #[test]
    fn a_message_always_has_a_subject_and_the_trailers_last() {
        let names = SprintNames::new("s1").unwrap();
        let trailers = "\n\nDirector-Sprint: s1\nDirector-Task: t\nDirector-Attempt: 2\n";
        assert_eq!(
            names.message("add login\n\nwhy\n\n", "t", 2),
            format!("add login\n\nwhy{trailers}")
        );
        assert_eq!(
            names.message(" \0\u{1b}\n", "t", 2),
            format!("Work on t{trailers}")
        );
    }
}
