//! The baseline: findings that were there before tagwright came, and do not count until somebody has time.
//!
//! Entries name findings by [`Identity`], with how many equal ones there are: a finding that moves stays known,
//! and a new one cannot take the place of one that was fixed. An entry may say why, and until when.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::identity::Identity;
use crate::wording;

/// The name of the file.
pub const FILE_NAME: &str = "tagwright-baseline.json";

/// The findings that do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tagwright-baseline.json")]
pub struct Baseline {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// The entries, by path, rule, place and hash.
    pub entries: Vec<Entry>,
}

/// Equal findings that do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to the folder of the baseline, with `/`.
    pub path: String,
    /// The rule.
    pub rule: String,
    /// Where in the file's tree.
    pub place: String,
    /// What stands there, as 16 hexadecimal digits.
    pub hash: String,
    /// How many of them there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1))]
    pub count: usize,
    /// Why they do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last day, `YYYY-MM-DD` (UTC), on which they do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub expires: Option<String>,
}

fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature is serde's.
fn is_one(count: &usize) -> bool {
    *count == 1
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            schema_version: 1,
            entries: Vec::new(),
        }
    }
}

/// A baseline and where it lies.
#[derive(Clone, Debug)]
pub struct Located {
    /// The file, which need not exist.
    pub path: PathBuf,
    /// What the paths of the workspace begin with in it: empty, or a folder with `/` at its end.
    pub prefix: String,
    /// Its entries.
    pub baseline: Baseline,
}

impl Located {
    /// The nearest baseline in the workspace's folder `root` (absolute, without symbolic links) or above it.
    ///
    /// # Errors
    /// [`ConfigError`] if it is there and is no baseline.
    pub fn find(root: &Path) -> Result<Option<Self>, ConfigError> {
        let Some(path) = find(root) else {
            return Ok(None);
        };
        let baseline = Baseline::load(&path)?;
        let below = path
            .parent()
            .and_then(|folder| root.strip_prefix(folder).ok());
        let prefix = match below.map(crate::wording::display) {
            Some(below) if below != "." => format!("{below}/"),
            _ => String::new(),
        };
        Ok(Some(Self {
            path,
            prefix,
            baseline,
        }))
    }
}

/// What a baseline says that is not so any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// Entries with more than there is, and by how many.
    pub gone: Vec<(Entry, usize)>,
    /// Entries whose last day is over.
    pub expired: Vec<Entry>,
}

impl Baseline {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`] if it cannot be read or is no baseline.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = wording::display(path);
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: shown.clone(),
            source,
        })?;
        Self::parse(&text, &shown)
    }

    /// Reads `text`; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        let invalid = |line: usize, column: usize, message: String| ConfigError::Invalid {
            path: path.to_owned(),
            line: u32::try_from(line.max(1)).unwrap_or(u32::MAX),
            column: u32::try_from(column.max(1)).unwrap_or(u32::MAX),
            message,
        };
        let baseline: Self = serde_json::from_str(text)
            .map_err(|error| invalid(error.line(), error.column(), error.to_string()))?;
        if baseline.schema_version != 1 {
            return Err(invalid(
                1,
                1,
                format!(
                    "version {} of the baseline is not known; write it again with this tagwright",
                    baseline.schema_version
                ),
            ));
        }
        for entry in &baseline.entries {
            if let Some(day) = &entry.expires
                && !is_day(day)
            {
                let at = text.find(day.as_str()).unwrap_or(0);
                let line = text[..at].matches('\n').count() + 1;
                let message = format!("`{day}` is no day: write YYYY-MM-DD");
                return Err(invalid(line, 1, message));
            }
        }
        Ok(baseline)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in fact; the signature is the serialiser's.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// For each of `found` the entry that says that it does not count on the day `today`. Of more findings
    /// than the entry counts, the last ones are new.
    #[must_use]
    pub fn known(&self, found: &[Identity], prefix: &str, today: &str) -> Vec<Option<&Entry>> {
        let mut left: BTreeMap<Identity, (&Entry, usize)> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| !entry.is_over(today)) {
            left.insert(entry.identity(), (entry, entry.count));
        }
        found
            .iter()
            .map(|identity| {
                let (entry, count) = left.get_mut(&prefixed(identity, prefix))?;
                *count = count.checked_sub(1)?;
                Some(*entry)
            })
            .collect()
    }

    /// A baseline of `found`. Entries keep their reason and last day; new ones get those given.
    #[must_use]
    pub fn renewed(
        &self,
        found: &[Identity],
        prefix: &str,
        reason: Option<&str>,
        expires: Option<&str>,
    ) -> Self {
        let old: BTreeMap<Identity, &Entry> = self
            .entries
            .iter()
            .map(|entry| (entry.identity(), entry))
            .collect();
        let mut entries: Vec<Entry> = counted(found, prefix)
            .into_iter()
            .map(|(identity, count)| {
                let old = old.get(&identity);
                Entry {
                    reason: match old {
                        Some(old) => old.reason.clone(),
                        None => reason.map(str::to_owned),
                    },
                    expires: match old {
                        Some(old) => old.expires.clone(),
                        None => expires.map(str::to_owned),
                    },
                    path: identity.path,
                    rule: identity.rule,
                    place: identity.place,
                    hash: identity.hash,
                    count,
                }
            })
            .collect();
        // What belongs to other parts of the tree is not this run's business.
        entries.extend(
            self.entries
                .iter()
                .filter(|entry| !entry.path.starts_with(prefix))
                .cloned(),
        );
        entries.sort_by_key(Entry::identity);
        Self {
            schema_version: 1,
            entries,
        }
    }

    /// What the baseline says of `found` that is not so any more on the day `today`.
    #[must_use]
    pub fn stale(&self, found: &[Identity], prefix: &str, today: &str) -> Stale {
        let found = counted(found, prefix);
        let mut stale = Stale::default();
        for entry in &self.entries {
            if !entry.path.starts_with(prefix) {
                continue;
            }
            let left = found.get(&entry.identity()).copied().unwrap_or(0);
            if left < entry.count {
                stale.gone.push((entry.clone(), entry.count - left));
            } else if entry.is_over(today) {
                stale.expired.push(entry.clone());
            }
        }
        stale
    }

    /// Takes the entries of `rule` out and gives them back.
    pub fn take_rule(&mut self, rule: &str) -> Vec<Entry> {
        let (taken, left) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| entry.rule == rule);
        self.entries = left;
        taken
    }

    /// Adds entries that are not there.
    pub fn add(&mut self, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.entries.extend(entries);
            self.entries.sort_by_key(Entry::identity);
        }
    }

    /// The baseline without what is gone from `found`.
    #[must_use]
    pub fn pruned(&self, found: &[Identity], prefix: &str) -> Self {
        let found = counted(found, prefix);
        let mut entries = self.entries.clone();
        entries.retain_mut(|entry| {
            if !entry.path.starts_with(prefix) {
                return true;
            }
            let left = found.get(&entry.identity()).copied().unwrap_or(0);
            entry.count = entry.count.min(left);
            entry.count > 0
        });
        Self {
            schema_version: 1,
            entries,
        }
    }
}

impl Entry {
    fn identity(&self) -> Identity {
        Identity {
            path: self.path.clone(),
            rule: self.rule.clone(),
            place: self.place.clone(),
            hash: self.hash.clone(),
        }
    }

    fn is_over(&self, today: &str) -> bool {
        // Days of this form compare as text.
        self.expires.as_deref().is_some_and(|last| last < today)
    }
}

fn prefixed(identity: &Identity, prefix: &str) -> Identity {
    Identity {
        path: format!("{prefix}{}", identity.path),
        ..identity.clone()
    }
}

fn counted(found: &[Identity], prefix: &str) -> BTreeMap<Identity, usize> {
    let mut counts = BTreeMap::new();
    for identity in found {
        *counts.entry(prefixed(identity, prefix)).or_default() += 1;
    }
    counts
}

/// Whether `text` is a day, `YYYY-MM-DD`.
#[must_use]
pub fn is_day(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let (month, day) = (digits(5..7), digits(8..10));
    dashes
        && digits(0..4).is_some()
        && month.is_some_and(|month| (1..=12).contains(&month))
        && day.is_some_and(|day| (1..=31).contains(&day))
}

/// Today, `YYYY-MM-DD`, UTC.
#[must_use]
pub fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    day(seconds / 86_400)
}

/// The day that is so many days after 1970-01-01. Years here begin in March, so that the leap day is the last.
fn day(days: u64) -> String {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + next)
}

/// The nearest baseline in `folder` (absolute) or above it.
#[must_use]
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(path: &str, rule: &str, hash: &str) -> Identity {
        Identity {
            path: path.to_owned(),
            rule: rule.to_owned(),
            place: "phases.build.commands[]".to_owned(),
            hash: hash.to_owned(),
        }
    }

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        for (days, shown) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_454, "2026-01-01"),
        ] {
            assert_eq!(day(days), shown);
        }
        assert!(is_day("2026-11-23"));
        assert!(!is_day("2026-13-01") && !is_day("23.11.2026") && !is_day("2026-1-1"));
    }

    #[test]
    fn one_more_of_the_same_is_new() {
        let a = identity("b.yml", "latest-pushed", "1");
        let baseline = Baseline::default().renewed(&[a.clone(), a.clone()], "", None, None);
        assert_eq!(baseline.entries.len(), 1);
        assert_eq!(baseline.entries[0].count, 2);
        let known = baseline.known(&[a.clone(), a.clone(), a], "", "2026-01-01");
        let known: Vec<bool> = known.iter().map(Option::is_some).collect();
        assert_eq!(known, [true, true, false]);
    }

    #[test]
    fn an_entry_counts_again_after_its_last_day() {
        let a = identity("b.yml", "latest-pushed", "1");
        let found = [a];
        let baseline = Baseline::default().renewed(&found, "", Some("old"), Some("2026-06-30"));
        assert!(baseline.known(&found, "", "2026-06-30")[0].is_some());
        assert!(baseline.known(&found, "", "2026-07-01")[0].is_none());
        assert_eq!(baseline.stale(&found, "", "2026-07-01").expired.len(), 1);
        // Written again it keeps what was said about it.
        let again = baseline.renewed(&found, "", Some("new"), None);
        assert_eq!(again, baseline);
    }

    #[test]
    fn what_is_fixed_is_pruned_and_the_rest_of_the_tree_left_alone() {
        let (a, b) = (identity("x/a.yml", "r", "1"), identity("y/b.yml", "r", "2"));
        let baseline = Baseline::default().renewed(&[a, b], "", None, None);
        let stale = baseline.stale(&[], "x/", "2026-01-01");
        assert_eq!(stale.gone.len(), 1);
        let pruned = baseline.pruned(&[], "x/");
        assert_eq!(pruned.entries.len(), 1);
        assert_eq!(pruned.entries[0].path, "y/b.yml");
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said_with_its_place() {
        let error = |text: &str| Baseline::parse(text, "base.json").unwrap_err().to_string();
        assert!(error("{\n  \"schema_version\": 1\n}").starts_with("base.json:3:"));
        assert!(error("{\"schema_version\": 9, \"entries\": []}").contains("version 9"));
        let day = r#"{"schema_version":1,"entries":[{"path":"a","rule":"r","place":"","hash":"0","expires":"soon"}]}"#;
        assert!(error(day).contains("`soon` is no day"));
    }
}
