//! `tagwright check`: what the rules say of the files.

use super::ignore;
use crate::args::{CheckArgs, Format};
use crate::deliver::{Channel, deliver, ending, list, settle};
use crate::ending::{Exit, Stop, Streams};
use crate::progress::Progress;
use crate::report::Report;
use crate::session::Session;
use crate::signals;

pub(crate) fn check(args: &CheckArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    if args.add_ignore.is_some() && args.target.stdin_name().is_some() {
        return Err(Stop::Usage(
            "--add-ignore writes files: standard input has none".to_owned(),
        ));
    }
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
    if let Some(listed) = list(&mut session, &args.target, streams)? {
        return Ok(listed);
    }
    if args.repository.is_some() && session.roots().len() > 1 {
        return Err(Stop::Usage(
            "--repository names one repository, and several were given: run `tagwright check` for each".to_owned(),
        ));
    }
    let progress = Progress::start();
    let mut report = Report::default();
    report.repository.clone_from(&args.repository);
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
