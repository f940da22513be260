//! Points 1 to 4 for a file that cannot be read because blanks are missing behind dashes.
//!
//! There is no tree to compare with. But without the lines that are at fault the file can be read, and with them
//! put right it must be that file with items inserted where the lines stand: that is proved as for any inserted
//! item. That the lines themselves only got their blanks is seen from the bytes.

use std::collections::HashMap;

use tagwright_syntax::Span;
use tagwright_syntax::edit::{self, Edit};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

use super::{line_start, prove_text};
use crate::Rejection;
use crate::materialise::Plan;

/// Checks the blanks behind the dashes of `plan`, which are what `edits` insert.
pub(super) fn check(
    path: &str,
    before: &str,
    after: &str,
    plan: &Plan,
    edits: &[Edit],
) -> Result<(), Rejection> {
    let fail = |what| Rejection::Bytes {
        path: path.to_string(),
        what,
    };
    if edit::apply(before, edits).as_deref() != Some(after) {
        return Err(fail("a byte outside the edits changed"));
    }
    let spaces = |(edit, (dash, _)): (&Edit, &(u32, String))| {
        edit.span == Span::empty(*dash as usize + 1) && edit.text == " "
    };
    if edits.len() != plan.dashes.len() || !edits.iter().zip(&plan.dashes).all(spaces) {
        return Err(fail("an edit stands where no change was declared"));
    }
    let unknown = || Rejection::UnknownPlace {
        path: path.to_string(),
    };
    let parts = Parts::new(before, &plan.dashes).ok_or_else(unknown)?;
    let tree = yaml::parse(&parts.without);
    let mut inserted = Plan::default();
    let lists = lists(&tree);
    for ((_, item), above) in plan.dashes.iter().zip(&parts.above) {
        let (list, index) = *lists.get(above).ok_or_else(unknown)?;
        let todo = inserted.nodes.entry(list).or_default();
        todo.inserts.push((index, item.clone()));
    }
    prove_text(path, &parts.without, after, &inserted, &parts.inserted).map(|_| ())
}

/// A text without the lines that are at fault, and the lines.
struct Parts {
    /// The text without them.
    without: String,
    /// What puts them back, with their blanks.
    inserted: Vec<Edit>,
    /// For each line the dash above it that is not at fault, a byte of `without`.
    above: Vec<usize>,
}

impl Parts {
    /// `None` if a line is not a dash with its item, alone on a line that has another below it.
    fn new(text: &str, dashes: &[(u32, String)]) -> Option<Self> {
        let mut parts = Self {
            without: String::new(),
            inserted: Vec::new(),
            above: Vec::new(),
        };
        let mut at = 0;
        // By column, the nearest dash above.
        let mut items = HashMap::new();
        for (dash, item) in dashes {
            let dash = *dash as usize;
            let start = line_start(text, dash);
            let end = dash + text.get(dash..)?.find('\n')? + 1;
            let indentation = text.get(start..dash)?;
            let rest = text.get(dash..end)?.strip_prefix('-')?;
            if !indentation.bytes().all(|byte| byte == b' ') || rest.trim_end() != item {
                return None;
            }
            let kept = parts.without.len();
            parts.without.push_str(text.get(at..start)?);
            items.extend(self::items(&parts.without, kept));
            let place = Span::empty(parts.without.len());
            let line = format!("{indentation}- {rest}");
            match parts.inserted.last_mut() {
                // Two lines at one place are one edit.
                Some(last) if last.span == place => last.text.push_str(&line),
                _ => parts.inserted.push(Edit {
                    span: place,
                    text: line,
                }),
            }
            parts.above.push(*items.get(&indentation.len())?);
            at = end;
        }
        parts.without.push_str(text.get(at..)?);
        Some(parts)
    }
}

/// The lines of `text` from byte `from` on that are items: the column and the byte of each one's dash.
fn items(text: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = from;
    text[from..].split_inclusive('\n').filter_map(move |line| {
        let item = line.trim_start_matches(' ');
        let column = line.len() - item.len();
        let dash = start + column;
        start += line.len();
        item.starts_with("- ").then_some((column, dash))
    })
}

/// For each dash of a list, by its byte, the list and the 0-based index behind its item.
fn lists(tree: &Tree) -> HashMap<usize, (NodeId, u32)> {
    let mut found = HashMap::new();
    for (id, node) in tree.nodes() {
        if let NodeKind::Sequence(list) = &node.kind {
            let dashes = list.dashes.iter().map(|dash| *dash as usize);
            found.extend(dashes.zip((1..).map(|index| (id, index))));
        }
    }
    found
}
