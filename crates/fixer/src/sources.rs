//! The texts that a run works on, by file, and the way back to the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwright_diagnostics::{FileId, Finding};

/// One file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as it is shown to people.
    pub path: Arc<str>,
    /// The whole text, with its byte-order mark and line endings.
    pub text: Arc<str>,
}

/// The files of a workspace that fixes may touch. Copies are cheap: they share the texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    files: BTreeMap<FileId, Source>,
}

impl Sources {
    /// Adds a file under the next free number and returns that.
    pub fn push(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let next = self.files.keys().next_back().map_or(0, |last| last.0 + 1);
        let id = FileId(next);
        self.insert(id, path, text);
        id
    }

    /// Adds or replaces the file `id`. Numbers may have gaps, so that a workspace need only hand over
    /// the files whose text it still has.
    pub fn insert(&mut self, id: FileId, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        let source = Source {
            path: path.into(),
            text: text.into(),
        };
        self.files.insert(id, source);
    }

    /// The file `id`.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.files.get(&id)
    }

    /// The text of the file `id`.
    #[must_use]
    pub fn text(&self, id: FileId) -> Option<&str> {
        self.get(id).map(|source| &*source.text)
    }

    /// The path of the file `id`, for messages; empty if there is no such file.
    #[must_use]
    pub fn path(&self, id: FileId) -> &str {
        self.get(id).map_or("", |source| &source.path)
    }

    /// All files, by number.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().map(|(id, source)| (*id, source))
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files whose text is not the same as in `other`, by number. Texts that both share cost no
    /// comparison, so that a [`Relint`] can find out cheaply what it must read again.
    #[must_use]
    pub fn changed_from(&self, other: &Sources) -> Vec<FileId> {
        self.iter()
            .filter(|(id, source)| match other.get(*id) {
                Some(old) => !Arc::ptr_eq(&old.text, &source.text) && old.text != source.text,
                None => true,
            })
            .map(|(id, _)| id)
            .collect()
    }

    pub(crate) fn set_text(&mut self, id: FileId, text: Arc<str>) {
        if let Some(source) = self.files.get_mut(&id) {
            source.text = text;
        }
    }
}

/// The rules, as the fixer sees them: a function from texts to findings.
pub trait Relint {
    /// All findings of the workspace with these texts. Must depend on nothing but the texts.
    fn lint(&self, sources: &Sources) -> Vec<Finding>;
}

impl<F: Fn(&Sources) -> Vec<Finding>> Relint for F {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_with_another_text_count_as_changed() {
        let mut old = Sources::default();
        let a = old.push("a.yml", "a: 1\n");
        let b = old.push("b.yml", "b: 1\n");
        let mut new = old.clone();
        new.set_text(a, "a: 1\n".into());
        assert_eq!(new.changed_from(&old), []);
        new.set_text(b, "b: 2\n".into());
        assert_eq!(new.changed_from(&old), [b]);
        assert_eq!(old.text(b), Some("b: 1\n"));
    }
}
