//! `tagwright merge`: the JSON Lines of many runs as one report.

use crate::args::MergeArgs;
use crate::ending::{Exit, Stop, Streams};
use crate::merge::{Collected, report};
use crate::report::escape;

pub(crate) fn merge(args: &MergeArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let mut files = args.files.clone();
    if let Some(list) = &args.files_from {
        files.extend(crate::selection::listed(list, streams.input)?);
    }
    if files.is_empty() {
        return Err(Stop::Usage(
            "name the files to merge, or a list of them with --files-from".to_owned(),
        ));
    }
    let collected = Collected::of(files);
    for problem in &collected.problems {
        writeln!(
            streams.errors,
            "error: {}: {}",
            escape(&problem.path),
            escape(&problem.message)
        )?;
    }
    report::write(&collected, args.format, streams.output)?;
    Ok(if collected.problems.is_empty() {
        Exit::Clean
    } else {
        Exit::Unreadable
    })
}
