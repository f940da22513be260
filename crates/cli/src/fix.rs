//! `tagwright fix`.

use crate::args::FixArgs;
use crate::{Exit, Stop, Streams};

pub(crate) fn fix(_args: &FixArgs, _streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    Ok(Exit::Clean)
}
