//! `tagwright check`: what the rules say of the files.

use super::ignore;
use crate::args::{CheckArgs, Format};
use crate::deliver::{Channel, deliver, ending, list_files, settle};
use crate::ending::{Exit, Stop, Streams};
use crate::progress::Progress;
use crate::report::Report;
use crate::session::Session;
use crate::signals;

pub(crate) fn check(args: &CheckArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let progress = Progress::start();
    let mut session = Session::open(&args.target, false, streams.input)?;
    if args.add_ignore.is_some() {
        session.write = true;
        signals::watch();
    }
    if args.shellcheck {
        session.ask_shellcheck()?;
    }
    drop(progress);
    session.announce(streams)?;
    if args.target.files {
        return list_files(&mut session, streams);
    }
    let progress = Progress::start();
    let mut report = Report::default();
    report.without_fixes = !args.target.formats().any(Format::shows_fixes);
    report.with_fingerprints = args.target.formats().any(Format::shows_fingerprints);
    match &args.add_ignore {
        Some(reason) => ignore::add(&mut session, reason, &mut report, streams)?,
        None => session.check(&mut report)?,
    }
    drop(progress);
    let exit = ending(&report);
    // The ending is settled before anything is written: it does not depend on who reads it.
    settle(
        exit,
        deliver(&mut report, &args.target, streams, Channel::Output),
    )
}
