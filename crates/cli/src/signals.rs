//! What happens when somebody ends a run that writes.

/// From now on a signal that ends the process waits for a replacement of files that has begun, and takes temporary files
/// away. Elsewhere than on Unix such files stay until the next run sweeps them.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    // Without handlers the run is as safe as it is when it is killed.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            tagwright_fixer::end(|| {
                // The shell that started this should see how it ended.
                let _ = emulate_default_handler(signal);
                std::process::exit(128 + signal);
            });
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn watch() {}
