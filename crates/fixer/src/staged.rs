//! Temporary files: which ones this process has, so that none stays when it ends, and which ones others have left.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

const PREFIX: &str = ".tagwright-";
const SUFFIX: &str = ".tmp";

/// The temporary files of this process. Whoever holds the lock keeps a signal from ending the process.
static STAGED: Mutex<Staged> = Mutex::new(Staged(Vec::new()));

/// Temporary files that may still be there.
pub(crate) struct Staged(Vec<PathBuf>);

impl Staged {
    /// A new temporary file in `folder`. Its lock tells other runs that it is in use, for as long as this process lives.
    pub(crate) fn create(&mut self, folder: &Path) -> io::Result<NamedTempFile> {
        let temporary = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)?;
        // Where there are no locks, nobody sweeps either.
        let _ = temporary.as_file().lock();
        self.0.retain(|path| path.exists());
        self.0.push(temporary.path().to_owned());
        Ok(temporary)
    }
}

/// Does `work` in one piece: no signal that [`end`] handles ends the process meanwhile.
pub(crate) fn now<R>(work: impl FnOnce(&mut Staged) -> R) -> R {
    // A list of paths is good after every panic.
    work(&mut STAGED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Removes the temporary files of this process and calls `last`, which ends it. Files that are just being replaced are
/// replaced first, all of them: call this where a signal asks the process to end.
pub fn end(last: impl FnOnce()) {
    now(|staged| {
        for path in staged.0.drain(..) {
            let _ = fs::remove_file(path);
        }
        last();
    });
}

/// Removes the temporary files in `folder` that no living run holds.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}
