//! Replaces files on disk: all of them or none, and never half of one.
//!
//! Each new text is first written in full to a temporary file in the folder of its target; only when
//! all of them are complete and safe on disk are they renamed over the targets, which replaces each in
//! one step. Before the first rename every target is read once more and must still hold exactly the text that
//! the fix was made from. Between that look and its rename lies a moment in which another program's write
//! would be lost; there is no portable way to close it. If something fails midway, the files that were
//! already replaced get their old text back, unless somebody else has written them since. Temporary files that a
//! killed run has left in the same folders are swept away.
//!
//! Permissions are kept, the owner where the process may set it; extended attributes and access control
//! lists are not. A symbolic link stays and its target is replaced. A file with several hard links becomes
//! a file of its own; [`Written::unlinked`] names those.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::staged::{self, Staged};

/// A file that gets a new text.
#[derive(Clone, Copy, Debug)]
pub struct NewText<'a> {
    /// The file, or a symbolic link to it.
    pub path: &'a Path,
    /// The text that was read from it, byte-order mark included.
    pub before: &'a str,
    /// The text that it gets.
    pub after: &'a str,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files that were replaced, as they were given.
    pub files: Vec<PathBuf>,
    /// Those among them that had other hard links. The other names still show the old text.
    pub unlinked: Vec<PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file is not writable.
    #[error("{} is read-only; nothing was written", .0.display())]
    ReadOnly(PathBuf),
    /// The file is no regular file.
    #[error("{} is not a regular file; nothing was written", .0.display())]
    NotAFile(PathBuf),
    /// The file no longer holds the text that was read.
    #[error("{} changed on disk after it was read; nothing was written", .0.display())]
    Changed(PathBuf),
    /// Two of the given paths lead to the same file and do not agree about its text.
    #[error("{} and {} are the same file; nothing was written", .0.display(), .1.display())]
    SameFile(PathBuf, PathBuf),
    /// The system refused a step; every file has its old text.
    #[error("could not {step} {}: {source}; nothing was written", .path.display())]
    Io {
        /// What was tried: `read`, `write`, `replace`.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system refused a step, and some files could not be given their old text back.
    #[error(
        "could not replace {}: {source}; these files were replaced before that and could not be given their old text back: {}",
        .path.display(),
        paths(.kept)
    )]
    NotRestored {
        /// The file that could not be replaced.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
        /// The files that have their new text.
        kept: Vec<PathBuf>,
    },
}

fn paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
    shown.join(", ")
}

/// Gives each file its new text: all or none. Entries whose text stays the same are skipped.
///
/// # Errors
/// See [`WriteError`]: except for [`WriteError::NotRestored`] no file has changed.
pub fn write(files: &[NewText<'_>]) -> Result<Written, WriteError> {
    write_to(&Disk, files)
}

/// The steps that can fail for reasons outside the program, so that tests can make them fail.
trait Steps {
    fn fill(&self, file: &mut File, text: &[u8]) -> io::Result<()>;
    fn replace(&self, temporary: NamedTempFile, target: &Path) -> io::Result<()>;
}

struct Disk;

impl Steps for Disk {
    fn fill(&self, file: &mut File, text: &[u8]) -> io::Result<()> {
        file.write_all(text)?;
        file.sync_all()
    }

    fn replace(&self, temporary: NamedTempFile, target: &Path) -> io::Result<()> {
        temporary.persist(target).map(drop).map_err(|it| it.error)
    }
}

/// A file that is about to be replaced.
struct Target<'a> {
    given: &'a Path,
    real: PathBuf,
    before: &'a str,
    after: &'a str,
    metadata: Metadata,
}

impl Target<'_> {
    fn fail(&self, step: &'static str, source: io::Error) -> WriteError {
        WriteError::Io {
            step,
            path: self.given.to_path_buf(),
            source,
        }
    }

    /// Whether the file holds exactly this text.
    fn holds(&self, expected: &str) -> io::Result<bool> {
        let mut text = Vec::with_capacity(expected.len() + 1);
        // One byte more than expected is enough to see that there is more.
        let limit = expected.len() as u64 + 1;
        File::open(&self.real)?.take(limit).read_to_end(&mut text)?;
        Ok(text == expected.as_bytes())
    }

    fn still_as_read(&self) -> Result<(), WriteError> {
        match self.holds(self.before) {
            Ok(true) => Ok(()),
            Ok(false) => Err(WriteError::Changed(self.given.to_path_buf())),
            Err(source) => Err(self.fail("read", source)),
        }
    }
}

fn write_to(steps: &dyn Steps, files: &[NewText<'_>]) -> Result<Written, WriteError> {
    let mut targets: Vec<Target<'_>> = Vec::new();
    for file in files {
        if file.before == file.after {
            continue;
        }
        let target = look_at(file)?;
        match targets.iter().find(|other| other.real == target.real) {
            None => targets.push(target),
            Some(other) if other.before == file.before && other.after == file.after => {}
            Some(other) => {
                let (one, two) = (other.given.to_path_buf(), file.path.to_path_buf());
                return Err(WriteError::SameFile(one, two));
            }
        }
    }
    for folder in folders(&targets) {
        staged::sweep(folder);
    }
    let mut complete = Vec::with_capacity(targets.len());
    for target in &targets {
        // A run that a signal ends between the two steps takes the file away.
        let temporary = staged::now(|staged| create(target, staged));
        let temporary = temporary
            .and_then(|temporary| fill(steps, target, temporary, target.after.as_bytes()))
            .map_err(|source| target.fail("write", source))?;
        complete.push(temporary);
    }
    // From here on a signal waits until all files are replaced or none is.
    staged::now(|staged| replace_all(steps, &targets, complete, staged))?;
    sync_folders(&targets);
    Ok(Written {
        files: targets.iter().map(|it| it.given.to_path_buf()).collect(),
        unlinked: targets
            .iter()
            .filter(|it| links(&it.metadata) > 1)
            .map(|it| it.given.to_path_buf())
            .collect(),
    })
}

/// Renames the complete temporary files over their targets: all or none.
fn replace_all(
    steps: &dyn Steps,
    targets: &[Target<'_>],
    complete: Vec<NamedTempFile>,
    staged: &mut Staged,
) -> Result<(), WriteError> {
    for target in targets {
        target.still_as_read()?;
    }
    // Nothing but renames from here on: a process that is killed between two of them leaves some files new and some
    // old, so there is as little time as possible for it.
    for (index, (target, temporary)) in targets.iter().zip(complete).enumerate() {
        if let Err(source) = steps.replace(temporary, &target.real) {
            return Err(take_back(steps, &targets[..index], target, source, staged));
        }
    }
    Ok(())
}

/// Resolves links and refuses what must not be written, before anything is.
fn look_at<'a>(file: &NewText<'a>) -> Result<Target<'a>, WriteError> {
    let fail = |source| WriteError::Io {
        step: "read",
        path: file.path.to_path_buf(),
        source,
    };
    let real = fs::canonicalize(file.path).map_err(fail)?;
    let metadata = fs::metadata(&real).map_err(fail)?;
    if !metadata.is_file() {
        return Err(WriteError::NotAFile(file.path.to_path_buf()));
    }
    // The system decides, as it does for every program that opens a file to write it: a rename alone would not ask
    // it, and the permission bits alone would say no where it says yes (the superuser of a container over files that
    // were laid without write bits).
    if let Err(source) = OpenOptions::new().append(true).open(&real) {
        return Err(match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                WriteError::ReadOnly(file.path.to_path_buf())
            }
            _ => WriteError::Io {
                step: "write",
                path: file.path.to_path_buf(),
                source,
            },
        });
    }
    let target = Target {
        given: file.path,
        real,
        before: file.before,
        after: file.after,
        metadata,
    };
    target.still_as_read()?;
    Ok(target)
}

/// A new temporary file beside the target.
fn create(target: &Target<'_>, staged: &mut Staged) -> io::Result<NamedTempFile> {
    staged.create(target.real.parent().unwrap_or(Path::new(".")))
}

/// Gives the temporary file its text, and the target's owner and permissions.
fn fill(
    steps: &dyn Steps,
    target: &Target<'_>,
    mut temporary: NamedTempFile,
    text: &[u8],
) -> io::Result<NamedTempFile> {
    // The owner first: changing it may drop permission bits.
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (user, group) = (target.metadata.uid(), target.metadata.gid());
        // Only the superuser may give files away; then at least the group can be tried.
        let file = temporary.as_file();
        if std::os::unix::fs::fchown(file, Some(user), Some(group)).is_err() {
            let _ = std::os::unix::fs::fchown(file, None, Some(group));
        }
    }
    temporary
        .as_file()
        .set_permissions(target.metadata.permissions())?;
    steps.fill(temporary.as_file_mut(), text)?;
    Ok(temporary)
}

/// Gives the files that were already replaced their old text back, last one first. What somebody else has written since
/// is no longer ours to take back.
fn take_back(
    steps: &dyn Steps,
    replaced: &[Target<'_>],
    failed: &Target<'_>,
    source: io::Error,
    staged: &mut Staged,
) -> WriteError {
    let kept: Vec<PathBuf> = replaced
        .iter()
        .rev()
        .filter(|target| {
            let restored = target.holds(target.after).and_then(|own| {
                if !own {
                    return Err(io::Error::other("it changed on disk"));
                }
                let temporary = create(target, staged)?;
                let temporary = fill(steps, target, temporary, target.before.as_bytes())?;
                steps.replace(temporary, &target.real)
            });
            restored.is_err()
        })
        .map(|target| target.given.to_path_buf())
        .collect();
    if kept.is_empty() {
        return failed.fail("replace", source);
    }
    let path = failed.given.to_path_buf();
    WriteError::NotRestored { path, source, kept }
}

/// The folders of the targets, each once.
fn folders<'t>(targets: &'t [Target<'_>]) -> Vec<&'t Path> {
    let mut folders: Vec<&Path> = targets.iter().filter_map(|it| it.real.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// Asks the system to keep the renames too. A system or file system that cannot do that for folders is
/// no reason to fail: the files themselves are safe.
fn sync_folders(targets: &[Target<'_>]) {
    for folder in folders(targets) {
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
}

#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn new<'a>(path: &'a Path, before: &'a str, after: &'a str) -> NewText<'a> {
        NewText {
            path,
            before,
            after,
        }
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    /// The names in a folder: a temporary file that was left behind would show.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Fails at the n-th of the steps, counted over all calls, and at every later one if `broken`.
    struct Failing {
        fill_at: Option<u32>,
        replace_at: Option<u32>,
        broken: bool,
        fills: Cell<u32>,
        replaces: Cell<u32>,
    }

    impl Failing {
        fn new(fill_at: Option<u32>, replace_at: Option<u32>, broken: bool) -> Self {
            let (fills, replaces) = (Cell::new(0), Cell::new(0));
            Self {
                fill_at,
                replace_at,
                broken,
                fills,
                replaces,
            }
        }

        fn fails(&self, count: &Cell<u32>, at: Option<u32>) -> bool {
            count.set(count.get() + 1);
            at.is_some_and(|at| count.get() == at || (self.broken && count.get() > at))
        }
    }

    impl Steps for Failing {
        fn fill(&self, file: &mut File, text: &[u8]) -> io::Result<()> {
            if self.fails(&self.fills, self.fill_at) {
                // A full disk takes a part of the text before it fails.
                file.write_all(&text[..text.len() / 2])?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            Disk.fill(file, text)
        }

        fn replace(&self, temporary: NamedTempFile, target: &Path) -> io::Result<()> {
            if self.fails(&self.replaces, self.replace_at) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Disk.replace(temporary, target)
        }
    }

    #[test]
    fn several_files_get_their_new_text() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "\u{feff}a: 1\r\n");
        let b = file(folder.path(), "b.yml", "b");
        let c = file(folder.path(), "c.yml", "c\n");
        let written = write(&[
            new(&a, "\u{feff}a: 1\r\n", "\u{feff}a: 2\r\n"),
            new(&b, "b", "bb"),
            new(&c, "c\n", "c\n"),
        ]);
        assert_eq!(written.unwrap().files, [a.clone(), b.clone()]);
        assert_eq!(text(&a), "\u{feff}a: 2\r\n");
        assert_eq!(text(&b), "bb");
        assert_eq!(names(folder.path()), ["a.yml", "b.yml", "c.yml"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder();
        for mode in [0o640, 0o755, 0o600] {
            let path = file(folder.path(), "a.yml", "a");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            write(&[new(&path, "a", "b")]).unwrap();
            assert_eq!(text(&path), "b");
            let after = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(after, mode, "{after:o} for {mode:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_and_its_target_changes() {
        let folder = folder();
        fs::create_dir(folder.path().join("real")).unwrap();
        let target = file(&folder.path().join("real"), "a.yml", "a");
        let link = folder.path().join("link.yml");
        std::os::unix::fs::symlink("real/a.yml", &link).unwrap();
        write(&[new(&link, "a", "b")]).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(text(&target), "b");
        assert_eq!(text(&link), "b");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_its_target_are_one_file() {
        let folder = folder();
        let target = file(folder.path(), "a.yml", "a");
        let link = folder.path().join("link.yml");
        std::os::unix::fs::symlink("a.yml", &link).unwrap();
        let error = write(&[new(&link, "a", "b"), new(&target, "a", "c")]).unwrap_err();
        assert!(matches!(error, WriteError::SameFile(..)), "{error}");
        assert_eq!(text(&target), "a");
        write(&[new(&link, "a", "b"), new(&target, "a", "b")]).unwrap();
        assert_eq!(text(&target), "b");
    }

    #[cfg(unix)]
    #[test]
    fn a_hard_link_is_reported() {
        let folder = folder();
        let path = file(folder.path(), "a.yml", "a");
        let other = folder.path().join("other.yml");
        fs::hard_link(&path, &other).unwrap();
        let written = write(&[new(&path, "a", "b")]).unwrap();
        assert_eq!(written.unlinked, std::slice::from_ref(&path));
        assert_eq!((text(&path), text(&other)), ("b".into(), "a".into()));
    }

    #[test]
    fn a_file_that_the_system_keeps_from_writing_stops_all() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b");
        let mut permissions = fs::metadata(&b).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&b, permissions).unwrap();
        let allowed = OpenOptions::new().append(true).open(&b).is_ok();
        let written = write(&[new(&a, "a", "x"), new(&b, "b", "x")]);
        assert_eq!(names(folder.path()), ["a.yml", "b.yml"]);
        if allowed {
            // The superuser may, and the bits stay. The program's own tests ask it as somebody else.
            assert_eq!(written.unwrap().files, [a.clone(), b.clone()]);
            assert_eq!((text(&a), text(&b)), ("x".into(), "x".into()));
            assert!(fs::metadata(&b).unwrap().permissions().readonly());
            return;
        }
        let error = written.unwrap_err();
        assert!(matches!(&error, WriteError::ReadOnly(path) if *path == b));
        assert!(error.to_string().contains("b.yml is read-only"), "{error}");
        assert_eq!((text(&a), text(&b)), ("a".into(), "b".into()));
    }

    #[test]
    fn a_file_that_changed_on_disk_stops_all() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b and more");
        let error = write(&[new(&a, "a", "x"), new(&b, "b", "x")]).unwrap_err();
        assert!(matches!(&error, WriteError::Changed(path) if *path == b));
        assert_eq!((text(&a), text(&b)), ("a".into(), "b and more".into()));
    }

    #[test]
    fn a_file_that_changes_during_the_write_keeps_the_other_programs_text() {
        struct Interfering<'a>(&'a Path);
        impl Steps for Interfering<'_> {
            fn fill(&self, file: &mut File, text: &[u8]) -> io::Result<()> {
                fs::write(self.0, "theirs")?;
                Disk.fill(file, text)
            }
            fn replace(&self, temporary: NamedTempFile, target: &Path) -> io::Result<()> {
                Disk.replace(temporary, target)
            }
        }
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b");
        let error =
            write_to(&Interfering(&b), &[new(&a, "a", "x"), new(&b, "b", "x")]).unwrap_err();
        assert!(matches!(&error, WriteError::Changed(path) if *path == b));
        assert_eq!((text(&a), text(&b)), ("a".into(), "theirs".into()));
        assert_eq!(names(folder.path()), ["a.yml", "b.yml"]);
    }

    #[test]
    fn what_somebody_else_wrote_since_is_not_taken_back() {
        /// Fails at the second file, after somebody has written the first.
        struct Overtaken<'a>(&'a Path, Cell<u32>);
        impl Steps for Overtaken<'_> {
            fn fill(&self, file: &mut File, text: &[u8]) -> io::Result<()> {
                Disk.fill(file, text)
            }
            fn replace(&self, temporary: NamedTempFile, target: &Path) -> io::Result<()> {
                self.1.set(self.1.get() + 1);
                if self.1.get() == 2 {
                    fs::write(self.0, "theirs")?;
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                Disk.replace(temporary, target)
            }
        }
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b");
        let steps = Overtaken(&a, Cell::new(0));
        let error = write_to(&steps, &[new(&a, "a", "x"), new(&b, "b", "x")]).unwrap_err();
        assert!(matches!(&error, WriteError::NotRestored { kept, .. } if *kept == [a.clone()]));
        assert_eq!((text(&a), text(&b)), ("theirs".into(), "b".into()));
        assert_eq!(names(folder.path()), ["a.yml", "b.yml"]);
    }

    #[test]
    fn temporary_files_of_a_killed_run_are_swept_and_those_of_a_living_one_stay() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        file(folder.path(), ".tagwright-dead.tmp", "half a te");
        let living = file(folder.path(), ".tagwright-alive.tmp", "half a te");
        let held = File::open(&living).unwrap();
        held.lock().unwrap();
        write(&[new(&a, "a", "x")]).unwrap();
        assert_eq!(names(folder.path()), [".tagwright-alive.tmp", "a.yml"]);
    }

    #[test]
    fn a_folder_and_a_missing_file_are_refused() {
        let folder = folder();
        let error = write(&[new(folder.path(), "a", "b")]).unwrap_err();
        assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
        let missing = folder.path().join("none.yml");
        let error = write(&[new(&missing, "a", "b")]).unwrap_err();
        assert!(
            matches!(error, WriteError::Io { step: "read", .. }),
            "{error}"
        );
        assert!(!missing.exists());
    }

    #[test]
    fn a_full_disk_leaves_everything_as_it_was() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b");
        let steps = Failing::new(Some(2), None, true);
        let error = write_to(&steps, &[new(&a, "a", "xx"), new(&b, "b", "yy")]).unwrap_err();
        assert!(matches!(&error, WriteError::Io { step: "write", path, .. } if *path == b));
        assert_eq!((text(&a), text(&b)), ("a".into(), "b".into()));
        assert_eq!(names(folder.path()), ["a.yml", "b.yml"]);
    }

    #[test]
    fn a_failure_midway_restores_what_was_already_replaced() {
        let folder = folder();
        let paths: Vec<PathBuf> = ["a", "b", "c", "d"]
            .map(|name| file(folder.path(), name, name))
            .into();
        for fails_at in 1..=4 {
            let files: Vec<NewText<'_>> = paths
                .iter()
                .zip(["a", "b", "c", "d"])
                .map(|(path, before)| new(path, before, "new"))
                .collect();
            let steps = Failing::new(None, Some(fails_at), false);
            let error = write_to(&steps, &files).unwrap_err();
            let step = matches!(
                error,
                WriteError::Io {
                    step: "replace",
                    ..
                }
            );
            assert!(step, "{error}");
            let texts: Vec<String> = paths.iter().map(|path| text(path)).collect();
            assert_eq!(texts, ["a", "b", "c", "d"]);
            assert_eq!(names(folder.path()), ["a", "b", "c", "d"]);
        }
    }

    #[test]
    fn what_cannot_be_restored_is_named() {
        let folder = folder();
        let a = file(folder.path(), "a.yml", "a");
        let b = file(folder.path(), "b.yml", "b");
        let steps = Failing::new(None, Some(2), true);
        let error = write_to(&steps, &[new(&a, "a", "x"), new(&b, "b", "x")]).unwrap_err();
        let WriteError::NotRestored { path, kept, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((path, kept.as_slice()), (&b, std::slice::from_ref(&a)));
        assert_eq!((text(&a), text(&b)), ("x".into(), "b".into()));
    }
}
