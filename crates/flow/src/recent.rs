//! What is costly to make of a file and small in use: its tree, its parsed commands. Rules ask for it many times in a
//! row, once for each image of a file, and then never again. Keeping it with all files would not fit into memory.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many things a thread keeps.
const KEPT: usize = 16;

thread_local! {
    static LATELY: RefCell<VecDeque<Arc<dyn Any + Send + Sync>>> = const { RefCell::new(VecDeque::new()) };
}

/// What has been made of one file, one of each type, as long as some thread has asked for it lately.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Vec<(TypeId, Weak<dyn Any + Send + Sync>)>>);

impl Recent {
    /// The `T` of the file. `make` must always make the same.
    pub(crate) fn get<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = TypeId::of::<T>();
        let known = lock().iter().find(|it| it.0 == id).map(|it| it.1.clone());
        let known = known.and_then(|it| it.upgrade()?.downcast::<T>().ok());
        if let Some(known) = known {
            return known;
        }
        let made = Arc::new(make());
        let kept: Arc<dyn Any + Send + Sync> = made.clone();
        let mut all = lock();
        all.retain(|it| it.0 != id);
        all.push((id, Arc::downgrade(&kept)));
        drop(all);
        LATELY.with_borrow_mut(|lately| {
            if lately.len() == KEPT {
                lately.pop_front();
            }
            lately.push_back(kept);
        });
        made
    }
}

impl Clone for Recent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recent")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_was_asked_for_lately_is_made_once() {
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            made.get()
        };
        let files: Vec<Recent> = (0..2 * KEPT).map(|_| Recent::default()).collect();
        assert_eq!((*files[0].get(make), *files[0].get(make)), (1, 1));
        assert_eq!(*files[0].get(|| "another type"), "another type");
        for file in &files[1..] {
            file.get(make);
        }
        assert_eq!(made.get(), 2 * KEPT);
        // Given up meanwhile.
        assert_eq!(*files[0].get(make), 2 * KEPT + 1);
    }
}
