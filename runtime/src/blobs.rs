//! Artifacts on disk: files named by the SHA-256 of their content.
//!
//! A blob is written beside its place, synced, renamed into it, and the directory is synced: only then may a record name
//! it. Writing the same content twice is one file. Reading checks the content against the name.
//!
//! Invariant: a file under its final name is whole, and says so when it no longer is.
//! Elsewhere: which artifact belongs to which task is in the journal.

use crate::journal::data_dir::sync_dir;
use director_protocols::digest::Digest;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most bytes that one blob may have: 256 MiB.
pub const BLOB_LIMIT: u64 = 256 * 1024 * 1024;

/// Why a blob could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The content is over [`BLOB_LIMIT`].
    #[error(
        "an artifact of {bytes} bytes is over the limit of {BLOB_LIMIT}; hand over a smaller one, or where to find it"
    )]
    TooLarge {
        /// How many bytes it has, as far as counted.
        bytes: u64,
    },
    /// There is no such blob.
    #[error("artifact {digest} is not in `{dir}`; restore the file of that name")]
    Missing {
        /// Its name.
        digest: Digest,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The content is not what its name says.
    #[error("artifact `{path}` is damaged: its content has the hash {found}; restore the file")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The hash of what is there.
        found: Digest,
    },
    /// The system refused.
    #[error("could not {action} `{path}`; check free space and permissions: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A directory of blobs.
#[derive(Debug)]
pub struct Blobs {
    dir: PathBuf,
    temporary: AtomicU64,
}

impl Blobs {
    /// Opens the directory, creates it if it is missing, and removes what an interrupted write has left.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(failed("create", dir))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_dir(parent).map_err(failed("sync", parent))?;
        }
        for entry in fs::read_dir(dir).map_err(failed("list", dir))? {
            let path = entry.map_err(failed("list", dir))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "part")
            {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            temporary: AtomicU64::new(0),
        })
    }

    /// Stores this content durably and returns its name.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`], [`BlobError::Io`]; nothing is left under the final name then.
    pub fn put(&self, content: &[u8]) -> Result<Digest, BlobError> {
        let bytes = content.len() as u64;
        if bytes > BLOB_LIMIT {
            return Err(BlobError::TooLarge { bytes });
        }
        let digest = Digest::of(content);
        let path = self.path(digest);
        if self.get(digest).is_ok() {
            // It may be there from a write that was killed between rename and sync.
            sync_dir(&self.dir).map_err(failed("sync", &self.dir))?;
            return Ok(digest);
        }
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let part = self.dir.join(format!("{digest}-{number}.part"));
        let written = write_synced(&part, content)
            .and_then(|()| fs::rename(&part, &path))
            .and_then(|()| sync_dir(&self.dir));
        written.map_err(|source| {
            let _ = fs::remove_file(&part); // The error that led here says more than one from tidying up.
            BlobError::Io {
                action: "write",
                path,
                source,
            }
        })?;
        Ok(digest)
    }

    /// Reads a blob whole and checks it.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Damaged`], [`BlobError::TooLarge`], [`BlobError::Io`].
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>, BlobError> {
        let path = self.path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BlobError::Missing {
                    digest,
                    dir: self.dir.clone(),
                });
            }
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let mut content = Vec::new();
        file.take(BLOB_LIMIT + 1)
            .read_to_end(&mut content)
            .map_err(failed("read", &path))?;
        if content.len() as u64 > BLOB_LIMIT {
            return Err(BlobError::TooLarge {
                bytes: content.len() as u64,
            });
        }
        match Digest::of(&content) {
            found if found == digest => Ok(content),
            found => Err(BlobError::Damaged { path, found }),
        }
    }

    /// The directory that all of them lie in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a blob is or would be.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.dir.join(digest.to_string())
    }
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlobError {
    let path = path.to_owned();
    move |source| BlobError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn content_is_found_by_its_hash_and_kept_once() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("blobs");
        let blobs = Blobs::open(&dir).unwrap();
        let digest = blobs.put(b"a report").unwrap();
        assert_eq!(blobs.put(b"a report").unwrap(), digest);
        assert_eq!(Blobs::open(&dir).unwrap().get(digest).unwrap(), b"a report");
        assert_eq!(names(&dir), [digest.to_string()]);
    }

    #[test]
    fn a_damaged_blob_is_refused_and_putting_it_again_heals_it() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(root.path()).unwrap();
        let digest = blobs.put(b"a report").unwrap();
        for damage in [&b""[..], b"a repor", b"a report!", b"b report"] {
            fs::write(blobs.path(digest), damage).unwrap();
            let error = blobs.get(digest).unwrap_err();
            assert!(
                matches!(error, BlobError::Damaged { found, .. } if found == Digest::of(damage))
            );
        }
        blobs.put(b"a report").unwrap();
        assert_eq!(blobs.get(digest).unwrap(), b"a report");
    }

    #[test]
    fn a_missing_blob_is_named_and_an_interrupted_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"never written");
        fs::write(root.path().join(format!("{digest}-0.part")), "never wri").unwrap();
        let blobs = Blobs::open(root.path()).unwrap();
        assert!(
            matches!(blobs.get(digest), Err(BlobError::Missing { digest: named, .. }) if named == digest)
        );
        assert_eq!(names(root.path()).len(), 0);
    }

    #[test]
    fn a_blob_over_the_limit_is_refused_unread() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(root.path()).unwrap();
        let digest = Digest::of(b"");
        File::create(blobs.path(digest))
            .unwrap()
            .set_len(BLOB_LIMIT + 1)
            .unwrap();
        assert!(matches!(blobs.get(digest), Err(BlobError::TooLarge { .. })));
    }
}
