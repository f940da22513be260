//! What the tables of grammars know of a key, by its whole path or by the end of it.

use crate::lookup::{Grammar, KeyHelp, help, item};
use crate::section::{Key, Section, Value};
use crate::{buildspec, copilot, runtimes};

/// What is known of a key.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys from the top of the file down to it, with dots; `<name>` stands for a name of the author's choice.
    pub path: String,
    /// The kinds of files that have it there.
    pub files: Vec<&'static str>,
    /// Where this is known from.
    pub source: &'static str,
    /// The key itself.
    pub key: KeyHelp,
    /// The values that it may have, as far as they can be listed.
    pub values: Vec<&'static str>,
    /// The keys that may stand below it.
    pub below: Vec<KeyHelp>,
}

/// Stands in a path for a name of the author's choice.
const NAME: &str = "<name>";

/// The kinds of files: what each is called, its grammar, and where that is known from.
fn kinds() -> Vec<(&'static str, &'static Section, &'static str)> {
    let mut kinds = vec![("buildspec", &buildspec::BUILDSPEC, buildspec::READ_FROM)];
    for (name, section) in copilot::WORKLOADS {
        kinds.push((name, section, copilot::READ_FROM));
    }
    kinds.push((
        "Copilot environment",
        &copilot::ENVIRONMENT,
        copilot::READ_FROM,
    ));
    kinds.push(("Copilot pipeline", &copilot::PIPELINE, copilot::READ_FROM));
    kinds
}

/// What is known of the keys that `wanted` means: a whole path (`phases.build.on-failure`) or the end of one
/// (`on-failure`). If whole paths are equal to it, only those; each key of a table comes once.
#[must_use]
pub fn key_pages(wanted: &str) -> Vec<KeyPage> {
    let wanted: Vec<&str> = wanted.split('.').collect();
    let mut found: Vec<(&'static Key, KeyPage)> = Vec::new();
    for (file, top, source) in kinds() {
        let mut walk = Walk {
            wanted: &wanted,
            path: Vec::new(),
            inside: Vec::new(),
            found: Vec::new(),
        };
        walk.section(top);
        // Of a key that stands in several places the one nearest to the top.
        walk.found.sort_by_key(|(path, _)| path.len());
        let grammar = Grammar::new(top);
        for (path, key) in walk.found {
            let known = found
                .iter_mut()
                .find(|(known, _)| std::ptr::eq(*known, key));
            if let Some((_, page)) = known {
                if !page.files.contains(&file) {
                    page.files.push(file);
                }
                continue;
            }
            let page = KeyPage {
                path: path.join("."),
                files: vec![file],
                source,
                key: help(key),
                values: grammar.values(&path),
                below: grammar.keys(&path),
            };
            found.push((key, page));
        }
    }
    let mut pages: Vec<KeyPage> = found.into_iter().map(|(_, page)| page).collect();
    let is_whole = |page: &KeyPage| page.path.split('.').count() == wanted.len();
    if pages.iter().any(is_whole) {
        pages.retain(is_whole);
    }
    if pages.is_empty() {
        pages.extend(runtime(&wanted));
    }
    pages
}

/// A runtime: no key of the grammar, but of a table all the same.
fn runtime(wanted: &[&str]) -> Option<KeyPage> {
    let grammar = Grammar::new(&buildspec::BUILDSPEC);
    let path = ["phases", "install", "runtime-versions", wanted.last()?];
    path.ends_with(wanted).then_some(())?;
    Some(KeyPage {
        path: path.join("."),
        files: vec!["buildspec"],
        source: runtimes::READ_FROM,
        key: grammar.key(&path)?,
        values: grammar.values(&path),
        below: Vec::new(),
    })
}

/// A walk through a grammar that collects the keys whose path ends as it is wanted.
struct Walk<'a> {
    wanted: &'a [&'a str],
    path: Vec<&'static str>,
    /// The sections on the way: some contain themselves, by way of `environments`.
    inside: Vec<&'static Section>,
    found: Vec<(Vec<&'static str>, &'static Key)>,
}

impl Walk<'_> {
    fn section(&mut self, section: &'static Section) {
        if self.inside.iter().any(|it| std::ptr::eq(*it, section)) {
            return;
        }
        self.inside.push(section);
        for key in section.all_keys() {
            self.path.push(key.name);
            let fits = |(is, wanted): (&&str, &&str)| is == wanted || *is == NAME;
            let ends = self.path.iter().rev().zip(self.wanted.iter().rev());
            if self.path.len() >= self.wanted.len() && ends.into_iter().all(fits) {
                self.found.push((self.path.clone(), key));
            }
            self.value(key.value);
            self.path.pop();
        }
        self.inside.pop();
    }

    fn value(&mut self, value: Value) {
        match item(value) {
            Value::Section(section) => self.section(section),
            Value::Names(inner) => {
                self.path.push(NAME);
                self.value(*inner);
                self.path.pop();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(wanted: &str) -> Vec<String> {
        key_pages(wanted)
            .into_iter()
            .map(|page| page.path)
            .collect()
    }

    #[test]
    fn a_whole_path_and_the_end_of_one_are_found() {
        assert_eq!(
            paths("phases.post_build.on-failure"),
            ["phases.post_build.on-failure"]
        );
        // Two keys of the table, the second one in three phases.
        assert_eq!(
            paths("on-failure"),
            ["phases.install.on-failure", "phases.pre_build.on-failure"]
        );
        assert_eq!(
            paths("reports.unit.file-format"),
            ["reports.<name>.file-format"]
        );
        assert_eq!(paths("env"), ["env"]);
        assert_eq!(paths("nonsense"), [""; 0]);
        assert_eq!(paths("phases.nonsense"), [""; 0]);
    }

    #[test]
    fn keys_of_manifests_name_the_kinds_of_files_that_have_them() {
        let pages = key_pages("image.location");
        let files: Vec<_> = pages.iter().flat_map(|page| &page.files).collect();
        assert!(files.contains(&&"Backend Service"), "{pages:#?}");
        assert!(!files.contains(&&"buildspec"));
    }

    #[test]
    fn values_keys_below_and_runtimes_come_from_the_tables() {
        let pages = key_pages("cache.action");
        assert_eq!(pages[0].values, ["restore", "save"]);
        let pages = key_pages("phases");
        assert!(pages[0].below.iter().any(|key| key.name == "post_build"));
        let pages = key_pages("runtime-versions.nodejs");
        assert!(pages[0].values.contains(&"22"));
        assert_eq!(pages[0].path, "phases.install.runtime-versions.nodejs");
        assert!(key_pages("cobol").is_empty());
    }
}
