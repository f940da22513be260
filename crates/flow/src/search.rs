//! Whether a text holds one of several words, found in one pass.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use aho_corasick::packed::Searcher;

use crate::kind::has;

/// Words to look for together.
pub struct AnyOf {
    words: Cow<'static, [&'static str]>,
    /// Made when it is worth it; `None` where the processor has no instructions for it.
    searcher: OnceLock<Option<Searcher>>,
    /// How many short texts were searched without it.
    before: AtomicU8,
}

/// Making a searcher costs as much as this many searches for one word after the other.
const FEW: u8 = 6;
/// Texts of more bytes are worth a searcher at once.
const SHORT: usize = 8 * 1024;

impl AnyOf {
    /// Words that are looked for as they are written.
    #[must_use]
    pub const fn new(words: &'static [&'static str]) -> Self {
        Self {
            words: Cow::Borrowed(words),
            searcher: OnceLock::new(),
            before: AtomicU8::new(0),
        }
    }

    /// Words that are put together when the program runs.
    #[must_use]
    pub fn of(words: Vec<&'static str>) -> Self {
        Self {
            words: Cow::Owned(words),
            ..Self::new(&[])
        }
    }

    /// Whether `text` holds one of the words.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        // A run over one file ends before a searcher has paid for itself.
        if text.len() <= SHORT && self.before.load(Ordering::Relaxed) < FEW {
            self.before.fetch_add(1, Ordering::Relaxed);
            return self.words.iter().any(|word| has(text, word));
        }
        match self
            .searcher
            .get_or_init(|| Searcher::new(self.words.iter()))
        {
            Some(searcher) => searcher.find(text).is_some(),
            None => self.words.iter().any(|word| has(text, word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_wherever_it_stands_in_texts_of_any_length() {
        static WORDS: AnyOf = AnyOf::new(&["[[", "helm", "put-image"]);
        for length in 0..200 {
            let filler = "he[x".repeat(50)[..length].to_owned();
            assert!(!WORDS.is_in(&filler), "{length}");
            for word in ["[[", "helm", "put-image"] {
                assert!(WORDS.is_in(&format!("{filler}{word}")), "{length} {word}");
                assert!(WORDS.is_in(&format!("{word}{filler}")), "{length} {word}");
            }
        }
    }
}
