//! A secret in a file: made once from the system's randomness, readable by its owner alone.
//!
//! Compared by the digests of both, in time that does not depend on where they differ.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use director_protocols::digest::Digest;

/// Random bytes in a secret.
const BYTES: usize = 32;

/// What only those know who may read its file.
#[derive(Clone)]
pub struct Secret {
    text: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether both are the same, in time that does not depend on where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (Digest::of(one), Digest::of(other));
    let pairs = one.0.iter().zip(&other.0);
    pairs.fold(0u8, |different, (a, b)| different | (a ^ b)) == 0
}

impl Secret {
    /// The one of that file; made when there is none.
    ///
    /// # Errors
    /// That the file cannot be used: others may read it, it holds no secret, or it cannot be made.
    pub fn of(path: &Path) -> io::Result<Self> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
        };
        match fs::symlink_metadata(path) {
            Ok(found) => {
                if !found.is_file() || found.mode() & 0o077 != 0 {
                    let why = format!(
                        "`{}` can be read by others; `chmod 600` it, or remove it and a new one is made",
                        path.display()
                    );
                    return Err(io::Error::other(why));
                }
                let text = fs::read_to_string(path).map_err(named)?;
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
                    .open(path)
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
        })
    }

    /// Whether that is it.
    pub fn is(&self, given: &str) -> bool {
        same(given.as_bytes(), self.text.as_bytes())
    }

    /// What it is.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_and_one_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("secret");
        let first = Secret::of(&file).expect("made");
        let again = Secret::of(&file).expect("found");
        assert!(first.is(again.text()) && !first.is("") && !first.is(&first.text()[1..]));
        assert_eq!(fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
        assert_eq!(first.text().len(), 64);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("mine");
        let error = Secret::of(&file).expect_err("others can read it");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("mine");
        fs::write(&file, "short\n").expect("written");
        assert!(Secret::of(&file).is_err());
    }
}
