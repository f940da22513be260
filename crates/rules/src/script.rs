//! The command items of a buildspec as shell text, for rules that look at the commands themselves.
//!
//! Parsing is what costs time here, so a rule names the text without which an item cannot matter to it.

use std::cell::OnceCell;
use std::sync::Arc;

use tagwright_flow::facts::{FileFacts, ShellKind};
use tagwright_syntax::buildspec::Phase;
use tagwright_syntax::shell::{self, Command, Script, Status};
use tagwright_syntax::yaml::{NodeId, NodeKind};
use tagwright_syntax::{SourceMap, Span};

use crate::context::Document;
use crate::{Applicability, Change, ChangeKind, Fix, Refusal, RefusalCode, WordEffect};
use tagwright_grammar::copilot;

/// One command item, its text read as shell.
pub(crate) struct Item<'d> {
    /// The phase that it belongs to.
    pub(crate) phase: &'d Phase,
    /// The scalar, an alias resolved.
    pub(crate) node: NodeId,
    /// The decoded text.
    pub(crate) text: &'d str,
    /// The commands in it.
    pub(crate) script: Arc<Script>,
    map: OnceCell<Option<SourceMap>>,
}

/// The items of a buildspec in a POSIX shell whose text `may_matter`, in the order in which they run; none
/// of another file, nor of one in PowerShell or for cmd.exe.
pub(crate) fn items<'d>(
    document: &'d Document<'_>,
    may_matter: impl Fn(&str) -> bool + 'd,
) -> impl Iterator<Item = Item<'d>> {
    let posix = document
        .facts
        .buildspec
        .as_ref()
        .is_some_and(|spec| spec.shell == ShellKind::Posix);
    let items = if posix { document.items() } else { &[] };
    let wanted = items.iter().filter(move |item| may_matter(item.text));
    wanted.filter_map(|item| {
        Some(Item {
            phase: document.buildspec.as_ref()?.phases.get(item.phase)?,
            node: item.node,
            text: item.text,
            script: Arc::clone(item.script()),
            map: OnceCell::new(),
        })
    })
}

impl Item<'_> {
    /// The bytes of the file for `span` of the text; those of the whole item where that is not certain.
    pub(crate) fn span(&self, document: &Document<'_>, span: Span) -> Span {
        self.map
            .get_or_init(|| document.tree.source_map(document.text(), self.node))
            .as_ref()
            .and_then(|map| map.source(span))
            .unwrap_or_else(|| document.tree.node(self.node).span)
    }

    /// The change that writes the commands at `span` of the text anew.
    pub(crate) fn rewrite(&self, document: &Document<'_>, span: Span, text: String) -> Change {
        Change {
            file: document.facts.id,
            node: self.node,
            kind: ChangeKind::Replace {
                range: span,
                text,
                words: WordEffect::Commands,
            },
        }
    }
}

/// The releases of Copilot that a value or a command of the file names, each with its bytes in the file.
pub(crate) fn pinned_releases(file: &FileFacts) -> Vec<(Span, copilot::Release)> {
    let mut found = Vec::new();
    if !file.may_hold("v1.") {
        return found;
    }
    let tree = file.tree();
    for (id, node) in tree.nodes() {
        let NodeKind::Scalar(scalar) = &node.kind else {
            continue;
        };
        let releases = copilot::pinned_releases(&scalar.value);
        let map = (!releases.is_empty()).then(|| file.source_map(&tree, id));
        for (span, release) in releases {
            let place = map.iter().flatten().find_map(|map| map.source(span));
            found.push((place.unwrap_or(node.span), release));
        }
    }
    found.sort_unstable_by_key(|(span, _)| *span);
    found
}

/// Why no command of the file is rewritten, if that is so.
pub(crate) fn untouchable(document: &Document<'_>) -> Option<Refusal> {
    document
        .facts
        .buildspec
        .as_ref()
        .is_some_and(|spec| spec.template.is_some())
        .then(|| {
            let message = "the file is a template of another tool";
            Refusal::new(RefusalCode::Template, message)
        })
}

/// Whether the command's word at this 0-based index is `text`.
pub(crate) fn word_is(command: &Command, index: usize, text: &str) -> bool {
    command.words.get(index).is_some_and(|word| word.is(text))
}

/// The fix that puts the command at `span`, which YAML has taken apart or cut, into quotes, if it is certain
/// where it ends. `span` covers the item with what YAML took off its start or its end.
pub(crate) fn quote(document: &Document<'_>, item: NodeId, span: Span) -> Result<Fix, Refusal> {
    let command = span.of(document.text());
    let shell = document.facts.buildspec.as_ref().map(|facts| facts.shell);
    if command.contains(['\n', '\r']) {
        return Err(Refusal::new(
            RefusalCode::UnsupportedForm,
            "the command has several lines",
        ));
    }
    // An unclosed quote means that YAML has taken the rest for a comment.
    if shell != Some(ShellKind::Posix) || shell::parsed(command).status != Status::Clean {
        return Err(Refusal::uncertain(
            "it is not certain where the command ends",
        ));
    }
    Ok(Fix {
        message: "put the command into quotes".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: document.facts.id,
            node: item,
            kind: ChangeKind::ReplaceNode {
                span,
                text: command.to_owned(),
            },
        }],
    })
}

/// The comment that follows what stands at `span` on the same line.
pub(crate) fn comment_behind(document: &Document<'_>, span: Span) -> Option<Span> {
    let comments = document.tree.comments();
    let next = comments.partition_point(|comment| comment.start < span.end);
    let comment = comments.get(next).copied()?;
    let gap = document
        .text()
        .get(span.end as usize..comment.start as usize)?;
    gap.bytes()
        .all(|b| matches!(b, b' ' | b'\t'))
        .then_some(comment)
}
