//! What has been made of short texts, kept once for each: several rules ask for the commands of one item, and the
//! buildspecs of one repository have many items in common.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What is made of longer texts is not kept, in bytes.
const LONGEST: usize = 4 * 1024;
/// How many bytes of texts a generation of one part holds. What is made of a text takes many times its size.
const KEPT: usize = 32 * 1024;
/// Threads rarely wait for each other if each part has a lock of its own.
const PARTS: usize = 16;

/// What has been made of texts lately.
pub struct Memo<T> {
    parts: [LazyLock<Mutex<Part<T>>>; PARTS],
}

/// The texts of two generations: what nobody asks for while the younger one fills goes with the older one.
struct Part<T> {
    young: HashMap<Box<str>, Arc<T>>,
    old: HashMap<Box<str>, Arc<T>>,
    /// Bytes of the young texts.
    size: usize,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Memo<T> {
    /// One that knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            parts: [const { LazyLock::new(Mutex::default) }; PARTS],
        }
    }

    /// What `make` makes of `text`, which must always be the same; made once as long as it is asked for.
    pub fn get(&self, text: &str, make: impl FnOnce() -> T) -> Arc<T> {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        if text.len() > LONGEST {
            return Arc::new(make());
        }
        let hash = HASHER.hash_one(text);
        let part = &self.parts[usize::try_from(hash % PARTS as u64).unwrap_or(0)];
        let lock = || part.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().find(text);
        if let Some(known) = known {
            return known;
        }
        // Without the lock: making takes long, and two threads make the same at worst.
        let made = Arc::new(make());
        lock().keep(text.into(), Arc::clone(&made));
        made
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            size: 0,
        }
    }
}

impl<T> Part<T> {
    fn find(&mut self, text: &str) -> Option<Arc<T>> {
        if let Some(known) = self.young.get(text) {
            return Some(Arc::clone(known));
        }
        let (text, made) = self.old.remove_entry(text)?;
        self.keep(text, Arc::clone(&made));
        Some(made)
    }

    fn keep(&mut self, text: Box<str>, made: Arc<T>) {
        let length = text.len();
        if self.size + length > KEPT {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        if self.young.insert(text, made).is_none() {
            self.size += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_given_up_in_the_order_in_which_they_were_last_asked_for() {
        let mut part = Part::default();
        let long = |number: usize| format!("{number:0>width$}", width = KEPT / 8).into_boxed_str();
        part.keep("make".into(), Arc::new(0));
        for number in 0..20 {
            part.keep(long(number), Arc::new(number));
            assert!(part.find("make").is_some());
        }
        assert_eq!(part.find(&long(19)).as_deref(), Some(&19));
        assert!(part.find(&long(0)).is_none());
        let length = |texts: &HashMap<Box<str>, _>| texts.keys().map(|it| it.len()).sum::<usize>();
        assert!(length(&part.young) <= KEPT && length(&part.old) <= KEPT);
    }

    #[test]
    fn one_text_is_read_once() {
        static MEMO: Memo<usize> = Memo::new();
        assert_eq!(*MEMO.get("a", || 1), 1);
        assert_eq!(*MEMO.get("a", || 2), 1);
        let long = "a".repeat(LONGEST + 1);
        assert_eq!((*MEMO.get(&long, || 1), *MEMO.get(&long, || 2)), (1, 2));
    }
}
