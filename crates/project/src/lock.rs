//! One writer at a time in a repository.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a run waits for another one that writes.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Held from reading a workspace until its files are written, so that what is written follows from what is there. The
/// system takes it back from a process that has ended.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Waits until no other run writes in the repository of `root` (absolute).
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] if another run still writes after a minute. Where the file system has no locks,
    /// there is none, and only the look at each file before it is replaced is left.
    pub fn acquire(root: &Path) -> io::Result<Self> {
        let mut above = root.ancestors();
        let folder = above.find(|folder| folder.join(".git").exists());
        let Ok(file) = open(folder.unwrap_or(root)) else {
            return Ok(Self { _file: None });
        };
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: Some(file) }),
                Err(TryLockError::Error(_)) => return Ok(Self { _file: None }),
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another run of tagwright is writing in this repository; nothing was written",
                    ));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// What is locked: the folder itself, so that no file is left behind.
#[cfg(unix)]
fn open(folder: &Path) -> io::Result<File> {
    File::open(PathBuf::from(folder))
}

/// What is locked: a file in the user's folder for temporary files, since a folder cannot be.
#[cfg(not(unix))]
fn open(folder: &Path) -> io::Result<File> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    PathBuf::from(folder).hash(&mut hasher);
    let name = format!("tagwright-{:016x}.lock", hasher.finish());
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(std::env::temp_dir().join(name))
}
