//! Work on many files side by side.

use std::sync::Once;

use rayon::prelude::*;

/// Parsers recurse, and their callers may be threads with little room. In bytes.
pub const STACK: usize = 64 * 1024 * 1024;

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
        let _ = rayon::ThreadPoolBuilder::new()
            .stack_size(STACK)
            .build_global();
    });
    items.par_iter().map(work).collect()
}
