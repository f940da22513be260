//! Parsed texts, each kept once: several rules ask for the commands of one item, and the buildspecs of one
//! repository have many items in common.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::Script;

/// Longer texts are parsed each time that somebody asks, in bytes.
const LONGEST: usize = 4 * 1024;
/// How many bytes of texts a generation of one part holds. What was parsed of a text takes about twelve times its size.
const KEPT: usize = 32 * 1024;
/// Threads rarely wait for each other if each part has a lock of its own.
const PARTS: usize = 16;

/// The texts of two generations: what nobody asks for while the younger one fills goes with the older one.
#[derive(Default)]
struct Part {
    young: HashMap<Box<str>, Arc<Script>>,
    old: HashMap<Box<str>, Arc<Script>>,
    /// Bytes of the young texts.
    size: usize,
}

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static MEMO: [LazyLock<Mutex<Part>>; PARTS] = [const { LazyLock::new(Mutex::default) }; PARTS];

/// What `parse` makes of `text`, made once as long as it is asked for.
pub(super) fn parsed(text: &str, parse: impl FnOnce(&str) -> Script) -> Arc<Script> {
    if text.len() > LONGEST {
        return Arc::new(parse(text));
    }
    let hash = HASHER.hash_one(text);
    let index = usize::try_from(hash % PARTS as u64).unwrap_or(0);
    let lock = || MEMO[index].lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().find(text);
    if let Some(known) = known {
        return known;
    }
    // Without the lock: parsing takes long, and two threads may parse the same text at worst.
    let script = Arc::new(parse(text));
    lock().keep(text.into(), Arc::clone(&script));
    script
}

impl Part {
    fn find(&mut self, text: &str) -> Option<Arc<Script>> {
        if let Some(known) = self.young.get(text) {
            return Some(Arc::clone(known));
        }
        let (text, script) = self.old.remove_entry(text)?;
        self.keep(text, Arc::clone(&script));
        Some(script)
    }

    fn keep(&mut self, text: Box<str>, script: Arc<Script>) {
        let length = text.len();
        if self.size + length > KEPT {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        if self.young.insert(text, script).is_none() {
            self.size += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    #[test]
    fn a_text_is_parsed_once_and_old_ones_are_given_up() {
        let mut part = Part::default();
        let script = Arc::new(shell::parse("make"));
        let long = |number: usize| format!("{number:0>width$}", width = KEPT / 8).into_boxed_str();
        part.keep("make".into(), Arc::clone(&script));
        for number in 0..12 {
            part.keep(long(number), Arc::clone(&script));
            // What is asked for stays.
            assert!(part.find("make").is_some());
        }
        assert!(part.find(&long(11)).is_some());
        assert!(part.find(&long(0)).is_none());
        let length = |texts: &HashMap<Box<str>, _>| texts.keys().map(|it| it.len()).sum::<usize>();
        assert!(length(&part.young) <= KEPT && length(&part.old) <= KEPT);
        assert!(Arc::ptr_eq(&shell::parsed("a b"), &shell::parsed("a b")));
    }
}
