//! The text files of a repository that no reader knows: scripts, Dockerfiles, programs. They are searched for
//! mentions of an image that a fix would move, and only then.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tagwright_flow::mentions::{Surroundings, is_prose};

use crate::discovery::{self, Reach};
use crate::wording;

/// A longer file is data, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;
/// How far a file is looked into for a byte that no text has.
const HEAD: usize = 8 * 1024;

/// The files around a workspace, read when somebody asks for them.
#[derive(Debug)]
pub struct Around {
    root: PathBuf,
    reach: Reach,
    whole: bool,
    texts: OnceLock<Vec<(Arc<str>, Arc<str>)>>,
}

impl Around {
    /// Those below the folder `root` (absolute) that `.gitignore` does not exclude, unless `reach` says otherwise.
    /// Unless it is `whole`, a folder that nothing marks as a workspace may be anything: only what lies right in it
    /// is read.
    #[must_use]
    pub fn new(root: PathBuf, reach: Reach, whole: bool) -> Self {
        Self {
            root,
            reach,
            whole,
            texts: OnceLock::new(),
        }
    }

    /// Exactly these files, as pairs of the path relative to the folder and the text.
    #[must_use]
    pub fn of_texts(texts: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        let mut texts: Vec<_> = texts
            .into_iter()
            .filter(|(path, _)| !is_prose(path))
            .collect();
        texts.sort();
        Self {
            root: PathBuf::new(),
            reach: Reach::Usual,
            whole: false,
            texts: OnceLock::from(texts),
        }
    }

    /// The paths, relative to the folder, and the texts, sorted by path; without the files of the workspace, which it
    /// has `known` before anybody asks and never gives up.
    fn texts(&self, known: &HashSet<Cow<'_, str>>) -> &[(Arc<str>, Arc<str>)] {
        self.texts.get_or_init(|| {
            let paths = discovery::all_files(&self.root, self.reach, self.whole);
            let read = |path: &PathBuf| {
                let relative = path.strip_prefix(&self.root).unwrap_or(path);
                let shown = wording::display(relative);
                if is_prose(&shown) || known.contains(&*shown) {
                    return None;
                }
                Some((shown.into(), text(path)?))
            };
            // Not side by side: a thread that waits for others takes up what waits for these very texts.
            let mut texts: Vec<_> = paths.iter().filter_map(read).collect();
            texts.sort();
            texts
        })
    }
}

/// The text of a file; `None` if it is none, too long, or not to be read.
fn text(path: &Path) -> Option<Arc<str>> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    File::open(path)
        .ok()?
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .ok()?;
    if bytes.iter().take(HEAD).any(|byte| *byte == 0) {
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into())
}

/// Files around a workspace without those that belong to it.
pub(crate) struct Others<'a> {
    around: Option<&'a Around>,
    known: HashSet<Cow<'a, str>>,
}

impl<'a> Others<'a> {
    /// Without the files at the paths `known`, relative to the same folder, and without those that the symbolic `links`
    /// (paths to open) lead to: what is read under the name of the link is not another mention.
    pub(crate) fn new(
        around: Option<&'a Around>,
        known: impl Iterator<Item = &'a str>,
        links: impl Iterator<Item = &'a Path>,
    ) -> Self {
        let mut known: HashSet<_> = known.map(Cow::Borrowed).collect();
        if let Some(around) = around {
            let real = links.filter_map(|link| std::fs::canonicalize(link).ok());
            known.extend(real.filter_map(|path| {
                let relative = path.strip_prefix(&around.root).ok()?;
                Some(Cow::Owned(wording::display(relative)))
            }));
        }
        Self { around, known }
    }
}

impl Surroundings for Others<'_> {
    fn each(&self, found: &mut dyn FnMut(&str, &str)) {
        let around = self.around;
        let texts = around.map_or(&[][..], |around| around.texts(&self.known));
        for (path, text) in texts
            .iter()
            .filter(|(path, _)| !self.known.contains(&**path))
        {
            found(path, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_and_other_files_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, bytes: &[u8]| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write("deploy.sh", b"docker pull web:latest\n");
        write("ci/Dockerfile", b"FROM web:latest\n");
        write("README.md", b"web:latest\n");
        write("logo.png", b"\x89PNG\0latest");
        write("node_modules/x/a.sh", b"web:latest\n");
        write(".gitignore", b"out\n");
        write("out/a.sh", b"web:latest\n");
        write("buildspec.yml", b"version: 0.2\n");
        let paths = |reach: Reach| {
            let around = Around::new(root.to_owned(), reach, true);
            let mut paths = Vec::new();
            Others::new(
                Some(&around),
                ["buildspec.yml"].into_iter(),
                std::iter::empty(),
            )
            .each(&mut |path, _| paths.push(path.to_owned()));
            paths
        };
        assert_eq!(
            paths(Reach::Usual),
            [".gitignore", "ci/Dockerfile", "deploy.sh"]
        );
        assert_eq!(
            paths(Reach::Ignored),
            [".gitignore", "ci/Dockerfile", "deploy.sh", "out/a.sh"]
        );
    }
}
