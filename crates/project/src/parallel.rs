//! Work on many files side by side.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Parsers recurse, and their callers may be threads with little room. In bytes.
pub const STACK: usize = 64 * 1024 * 1024;

/// How far the last [`map`] with more than a handful of items has come, for whoever watches.
static DONE: AtomicUsize = AtomicUsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);

/// How many threads may work; 0: as many as there are processors.
static JOBS: AtomicUsize = AtomicUsize::new(0);

/// Lets no more than `jobs` threads work from now on; to be called before the first [`map`].
pub fn limit(jobs: usize) {
    JOBS.store(jobs, Ordering::Relaxed);
    // The pool exists from here on, so that what uses it without asking keeps to the limit, too.
    let _ = start_pool();
}

fn start_pool() -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .stack_size(STACK)
        .num_threads(JOBS.load(Ordering::Relaxed))
        .build_global()
}

/// How many items of the longest piece of work at hand are done, and how many there are.
#[must_use]
pub fn progress() -> (usize, usize) {
    let all = ALL.load(Ordering::Relaxed);
    (DONE.load(Ordering::Relaxed).min(all), all)
}

/// `work` on every item, on all processors if there is more than a handful; in order.
#[must_use]
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    /// Starting threads costs more than reading this many files.
    const FEW: usize = 8;
    static POOL: Once = Once::new();
    if items.len() <= FEW {
        return items.iter().map(work).collect();
    }
    POOL.call_once(|| {
        // If there is a pool already, that one does.
        let _ = start_pool();
    });
    ALL.store(items.len(), Ordering::Relaxed);
    DONE.store(0, Ordering::Relaxed);
    items
        .par_iter()
        .map(|item| {
            let result = work(item);
            DONE.fetch_add(1, Ordering::Relaxed);
            result
        })
        .collect()
}
