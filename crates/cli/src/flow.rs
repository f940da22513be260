//! `tagwright flow`.

use crate::args::FlowArgs;
use crate::{Exit, Stop, Streams};

pub(crate) fn flow(_args: &FlowArgs, _streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    Ok(Exit::Clean)
}
