//! The token: what a caller has to know to change anything. It lies in the data directory, readable by its owner alone.
//!
//! Compared by the digests of both, in time that does not depend on where they differ.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use director_protocols::digest::Digest;

/// Random bytes in a token.
const BYTES: usize = 32;

/// The file's name in the data directory.
pub const FILE: &str = "http.token";

/// The token of a data directory.
#[derive(Clone)]
pub struct Token {
    text: String,
    digest: Digest,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where it lies.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

impl Token {
    /// The one of the data directory; made when there is none.
    ///
    /// # Errors
    /// That the file cannot be used: others may read it, it holds no token, or it cannot be made.
    pub fn of(data_dir: &Path) -> io::Result<Self> {
        let path = path(data_dir);
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
        };
        match fs::symlink_metadata(&path) {
            Ok(found) => {
                if !found.is_file() || found.mode() & 0o077 != 0 {
                    let why = format!(
                        "`{}` can be read by others; `chmod 600` it, or remove it and a new token is made",
                        path.display()
                    );
                    return Err(io::Error::other(why));
                }
                let text = fs::read_to_string(&path).map_err(named)?;
                Self::from_text(text.trim()).ok_or_else(|| {
                    let why = format!(
                        "`{}` holds no token; remove it and one is made",
                        path.display()
                    );
                    io::Error::other(why)
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut random = [0u8; BYTES];
                File::open("/dev/urandom")?.read_exact(&mut random)?;
                let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .map_err(named)?;
                file.write_all(format!("{text}\n").as_bytes())?;
                file.sync_all()?;
                Self::from_text(&text).ok_or_else(|| io::Error::other("no token"))
            }
            Err(error) => Err(named(error)),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let fits = text.len() >= BYTES && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self {
            text: text.to_owned(),
            digest: Digest::of(text.as_bytes()),
        })
    }

    /// Whether that is it.
    pub fn is(&self, given: &str) -> bool {
        let given = Digest::of(given.as_bytes());
        let pairs = given.0.iter().zip(&self.digest.0);
        pairs.fold(0u8, |different, (a, b)| different | (a ^ b)) == 0
    }

    /// What it is, for the cookie.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_made_once_for_its_owner_and_one_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Token::of(dir.path()).expect("made");
        let again = Token::of(dir.path()).expect("found");
        assert!(first.is(again.text()) && !first.is("") && !first.is(&first.text()[1..]));
        let file = path(dir.path());
        assert_eq!(fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
        assert_eq!(first.text().len(), 64);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("mine");
        let error = Token::of(dir.path()).expect_err("others can read it");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("mine");
        fs::write(&file, "short\n").expect("written");
        assert!(Token::of(dir.path()).is_err());
    }
}
