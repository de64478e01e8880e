//! The name of a git object, checked once where it enters.

use std::fmt;
use std::str::FromStr;

use super::GitError;

/// The full hexadecimal name of a git object: 40 digits (SHA-1) or 64 (SHA-256), lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }

    /// Reads one object name from what git printed, with or without the line end.
    pub(super) fn from_output(command: &str, output: &[u8]) -> Result<Self, GitError> {
        String::from_utf8_lossy(output)
            .trim()
            .parse()
            .map_err(|_| GitError::Unexpected {
                command: command.to_owned(),
                output: String::from_utf8_lossy(&output[..output.len().min(200)]).into_owned(),
            })
    }
}

impl FromStr for Oid {
    type Err = GitError;

    /// # Errors
    /// [`GitError::BadName`] unless the text is 40 or 64 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, GitError> {
        let digits = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if digits && (text.len() == 40 || text.len() == 64) {
            return Ok(Self(text.to_owned()));
        }
        Err(GitError::BadName {
            name: text.chars().take(80).collect(),
            why: "a full object name has 40 or 64 lower-case hexadecimal digits",
        })
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_lower_case_names_are_object_names() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        for (case, text, ok) in [
            ("sha-1", sha1.to_owned(), true),
            ("sha-256", "a".repeat(64), true),
            ("short", "abc123".to_owned(), false),
            ("upper case", sha1.to_uppercase(), false),
            ("not hexadecimal", "g".repeat(40), false),
            ("a branch", "main".to_owned(), false),
            ("an option", format!("--{}", "a".repeat(38)), false),
        ] {
            assert_eq!(text.parse::<Oid>().is_ok(), ok, "case: {case}");
        }
    }
}
