//! Texts as far as they are known, and the alternatives that a variable may hold.

use std::collections::BTreeSet;
use std::fmt;

/// No more alternatives than this are kept apart; beyond it a value is unknown.
const MOST: usize = 16;

/// A text, some pieces of which may not be known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Vec<Piece>);

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Known(String),
    /// What the build will put there, as the shell writes it: `${REPOSITORY}`, `$(git describe)`.
    Unknown(String),
}

impl Text {
    /// A text that is known.
    #[must_use]
    pub fn known(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            return Self::default();
        }
        Self(vec![Piece::Known(text)])
    }

    /// A text that only the build knows, as the shell writes it.
    #[must_use]
    pub fn unknown(written: impl Into<String>) -> Self {
        Self(vec![Piece::Unknown(written.into())])
    }

    /// The text, if all of it is known.
    #[must_use]
    pub fn as_known(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Known(text)] => Some(text),
            _ => None,
        }
    }

    /// The text without the line breaks at its end, as a substitution leaves it.
    #[must_use]
    pub fn without_final_breaks(&self) -> Self {
        let mut pieces = self.0.clone();
        while let Some(Piece::Known(last)) = pieces.last_mut() {
            let kept = last.trim_end_matches('\n').len();
            if kept > 0 {
                last.truncate(kept);
                break;
            }
            pieces.pop();
        }
        Self(pieces)
    }

    /// Appends the pieces of `other`.
    pub fn push(&mut self, other: &Text) {
        for piece in &other.0 {
            match (self.0.last_mut(), piece) {
                (Some(Piece::Known(last)), Piece::Known(text)) => last.push_str(text),
                _ => self.0.push(piece.clone()),
            }
        }
    }

    /// The repository and the tag of a reference; the tag is what follows the last colon behind the last slash.
    #[must_use]
    pub fn split_reference(&self) -> (Text, Tag) {
        let mut hidden = false;
        for (index, piece) in self.0.iter().enumerate().rev() {
            let Piece::Known(text) = piece else {
                hidden = true;
                continue;
            };
            let Some(at) = text.rfind([':', '/', '@']) else {
                continue;
            };
            if text[at..].starts_with('/') {
                break;
            }
            let mut repository = Text(self.0[..index].to_vec());
            repository.push(&Text::known(&text[..at]));
            let mut tag = Text::known(&text[at + 1..]);
            tag.push(&Text(self.0[index + 1..].to_vec()));
            // `name@sha256:…` has its last colon inside the digest.
            let by_digest = text[at..].starts_with('@') || text[..at].contains('@');
            let tag = if by_digest { Tag::Digest } else { Tag::Is(tag) };
            return (repository, tag);
        }
        let tag = if hidden { Tag::Hidden } else { Tag::Implicit };
        (self.clone(), tag)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Known(text) | Piece::Unknown(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

/// The tag of a reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// This text.
    Is(Text),
    /// None is written, so the tool takes `latest`.
    Implicit,
    /// It may be in a variable that is not known.
    Hidden,
    /// The reference has a digest.
    Digest,
    /// Every tag that the image has.
    All,
}

/// What a word may stand for: at least one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values(BTreeSet<Text>);

impl Values {
    /// The one text.
    #[must_use]
    pub fn one(text: Text) -> Self {
        Self(BTreeSet::from([text]))
    }

    /// All texts of `texts`; `written`, as something that is not known, if there are too many or none.
    #[must_use]
    pub fn of(texts: impl IntoIterator<Item = Text>, written: &str) -> Self {
        let texts: BTreeSet<Text> = texts.into_iter().take(MOST + 1).collect();
        if texts.is_empty() || texts.len() > MOST {
            return Self::one(Text::unknown(written));
        }
        Self(texts)
    }

    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }

    /// The text, if there is one and all of it is known.
    #[must_use]
    pub fn as_known(&self) -> Option<&str> {
        let mut texts = self.0.iter();
        let only = texts.next()?;
        if texts.next().is_some() {
            return None;
        }
        only.as_known()
    }

    /// Each text of these followed by each of `others`.
    #[must_use]
    pub fn then(&self, others: &Values, written: &str) -> Self {
        let joined = self.iter().flat_map(|first| {
            others.iter().map(move |second| {
                let mut text = first.clone();
                text.push(second);
                text
            })
        });
        Self::of(joined, written)
    }

    /// These or `others`.
    #[must_use]
    pub fn or(&self, others: &Values, written: &str) -> Self {
        Self::of(self.iter().chain(others.iter()).cloned(), written)
    }

    /// What `change` makes of each text that is known; `written`, as something that is not known, for the others
    /// and where it gives nothing.
    #[must_use]
    pub fn map(&self, written: &str, change: impl Fn(&str) -> Option<String>) -> Self {
        let changed = self.iter().map(|text| {
            let known = text.as_known().and_then(&change);
            known.map_or_else(|| Text::unknown(written), Text::known)
        });
        Self::of(changed.collect::<Vec<_>>(), written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_what_follows_the_last_colon_behind_the_last_slash() {
        let split = |text: &Text| {
            let (repository, tag) = text.split_reference();
            (repository.to_string(), tag)
        };
        let is = |text: &str| Tag::Is(Text::known(text));
        for (reference, repository, tag) in [
            ("a/b:c", "a/b", is("c")),
            ("localhost:5000/b", "localhost:5000/b", Tag::Implicit),
            ("a/b@sha256:00", "a/b@sha256", Tag::Digest),
            ("b", "b", Tag::Implicit),
        ] {
            assert_eq!(split(&Text::known(reference)), (repository.to_owned(), tag));
        }
        let mut variable = Text::unknown("${REPO}");
        assert_eq!(split(&variable), ("${REPO}".to_owned(), Tag::Hidden));
        variable.push(&Text::known(":main-"));
        variable.push(&Text::unknown("${N}"));
        let (repository, tag) = split(&variable);
        assert_eq!(repository, "${REPO}");
        assert!(matches!(tag, Tag::Is(text) if text.to_string() == "main-${N}"));
    }
}
