//! One file, from its path to a document of a workspace.

use std::path::Path;
use std::sync::Arc;

use tagwright_flow::kind::{FileKind, classify};

use crate::discovery::{self, Candidate, Problem};
use crate::source::{self, Source};
use crate::wording;
use crate::workspace::{Document, Held};

/// The rule of a file that no YAML reader accepts.
const INVALID_YAML: &str = "invalid-yaml";
/// The rule of a file that is not read.
const UNREADABLE: &str = "unreadable-file";

/// Something wrong with a file before any rule could look at it.
pub struct Damage {
    /// The path as shown.
    pub shown: Arc<str>,
    /// The text up to the damage.
    pub before: Arc<str>,
    /// The rule under which it is reported.
    pub rule: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

/// What reading one candidate gave.
pub enum Loaded {
    /// Its text.
    Document(Document),
    /// It is read, but is no text.
    Damage(Damage),
    /// It could not be read.
    Problem(Problem),
    /// Nothing that tagwright looks at.
    Nothing,
}

/// Reads one file of the workspace in the folder `root`. `overlay` is its text where that is not what lies on
/// disk; a `target` was asked for, other files are read for context.
#[must_use]
pub fn load(root: &Path, candidate: &Candidate, overlay: Option<&Source>, target: bool) -> Loaded {
    let shown: Arc<str> = if target {
        wording::shown(&candidate.path).into()
    } else {
        shown_from_here(&candidate.path).into()
    };
    let source = match overlay {
        Some(source) => source.clone(),
        // What was not named was found, and looked at while it was.
        None => match if candidate.explicit {
            source::read(&candidate.path)
        } else {
            source::read_regular(&candidate.path)
        } {
            Ok(source) => source,
            Err(error) => {
                return Loaded::Problem(Problem {
                    path: shown.to_string(),
                    message: wording::plain(&error),
                });
            }
        },
    };
    let certain = candidate.explicit || discovery::is_certain(&shown);
    match source {
        Source::Text(text) => {
            let relative = candidate
                .absolute
                .strip_prefix(root)
                .unwrap_or(&candidate.absolute);
            let relative: Arc<str> = wording::shown(relative).into();
            let kind = classify(&relative, &text);
            if kind == FileKind::Other && !candidate.explicit {
                return Loaded::Nothing;
            }
            Loaded::Document(Document {
                shown,
                path: overlay.is_none().then(|| candidate.path.clone()),
                relative,
                text,
                kind,
                target,
                held: candidate.link.then_some(Held::Link),
            })
        }
        Source::Damaged { before, message } if certain => Loaded::Damage(Damage {
            shown,
            before,
            rule: INVALID_YAML,
            message,
        }),
        Source::TooLarge if certain => Loaded::Damage(Damage {
            shown,
            before: "".into(),
            rule: UNREADABLE,
            message: format!(
                "the file is larger than {} MB and was not read",
                source::LIMIT / 1024 / 1024
            ),
        }),
        Source::Damaged { .. } | Source::TooLarge => Loaded::Nothing,
    }
}

/// The path of a file that was found, not given: from the current folder if it lies below.
fn shown_from_here(path: &std::path::Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok());
    wording::display(below.unwrap_or(path))
}
