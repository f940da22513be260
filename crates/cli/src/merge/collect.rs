//! Which lines of which files are of which repository.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tagwright_project::discovery::Problem;
use tagwright_project::wording;

use super::tally::{Line, Tally};

/// The lines of one repository that follow each other in a file.
struct Run {
    file: usize,
    /// 0-based, in bytes.
    start: u64,
    end: u64,
}

/// The files of many runs.
pub(crate) struct Collected {
    files: Vec<PathBuf>,
    repositories: BTreeMap<String, Vec<Run>>,
    /// Repositories of which a line could not be read.
    damaged: BTreeSet<String>,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
}

/// What every line says of itself.
#[derive(Deserialize)]
struct Head<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow, default)]
    repository: Option<Cow<'l, str>>,
}

impl Collected {
    /// Finds out which repositories the files are about. A line without a repository is of the one that the file is
    /// named after.
    pub(crate) fn of(files: Vec<PathBuf>) -> Self {
        let mut collected = Self {
            files,
            repositories: BTreeMap::new(),
            damaged: BTreeSet::new(),
            problems: Vec::new(),
        };
        for index in 0..collected.files.len() {
            if let Err(error) = collected.file(index) {
                let path = wording::display(&collected.files[index]);
                let message = wording::plain(&error);
                collected.problems.push(Problem { path, message });
            }
        }
        collected.problems.sort();
        collected
    }

    fn file(&mut self, index: usize) -> io::Result<()> {
        let path = self.files[index].clone();
        let named = stem(&path);
        let mut reader = BufReader::new(File::open(&path)?);
        let (mut line, mut start, mut number) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if length == 0 {
                break;
            }
            number += 1;
            let end = start + length as u64;
            match serde_json::from_slice::<Head<'_>>(&line) {
                Ok(head) if matches!(&*head.kind, "finding" | "summary") => {
                    let name = head
                        .repository
                        .map_or_else(|| named.clone(), Cow::into_owned);
                    self.add(
                        name,
                        Run {
                            file: index,
                            start,
                            end,
                        },
                    );
                }
                _ if line.trim_ascii().is_empty() => {}
                _ => {
                    self.damaged.insert(named.clone());
                    self.problems.push(Problem {
                        path: format!("{}:{number}", wording::display(&path)),
                        message: "not a line of `tagwright check --format jsonl`; it is left out"
                            .to_owned(),
                    });
                }
            }
            start = end;
        }
        if number == 0 {
            self.damaged.insert(named);
        }
        Ok(())
    }

    fn add(&mut self, name: String, run: Run) {
        let runs = self.repositories.entry(name).or_default();
        match runs.last_mut() {
            Some(last) if last.file == run.file && last.end == run.start => last.end = run.end,
            _ => runs.push(run),
        }
    }

    /// Hands one repository after the other to `work`, by name.
    ///
    /// # Errors
    /// Those of `work`, and of files that cannot be read a second time.
    pub(crate) fn each(&self, mut work: impl FnMut(Tally) -> io::Result<()>) -> io::Result<()> {
        let names: BTreeSet<&String> = self.repositories.keys().chain(&self.damaged).collect();
        for name in names {
            // The same line of two runs is one finding.
            let mut lines: BTreeSet<Line> = BTreeSet::new();
            for run in self.repositories.get(name).into_iter().flatten() {
                let mut file = File::open(&self.files[run.file])?;
                file.seek(SeekFrom::Start(run.start))?;
                let part = BufReader::new(file.take(run.end - run.start));
                for line in part.split(b'\n') {
                    lines.extend(serde_json::from_slice::<Line>(&line?).ok());
                }
            }
            work(Tally::of(name.clone(), lines, self.damaged.contains(name)))?;
        }
        Ok(())
    }
}

/// The file's name up to its first dot.
fn stem(path: &Path) -> String {
    let name = path
        .file_name()
        .map_or_else(|| "-".into(), |name| name.to_string_lossy());
    let end = name.find('.').filter(|end| *end > 0).unwrap_or(name.len());
    name[..end].to_owned()
}
