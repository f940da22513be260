//! Rules made up for the tests, and short ways to say what a fix does.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::Cell;
use std::sync::Arc;

use tagwright_diagnostics::{
    Applicability, Change, ChangeKind, FileId, Finding, Fix, Severity, WordEffect,
};
use tagwright_fixer::{Relint, Sources};
use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

pub(crate) fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.push(*path, *text);
    }
    sources
}

pub(crate) fn one(text: &str) -> Sources {
    sources(&[("buildspec.yml", text)])
}

pub(crate) const FILE: FileId = FileId(0);

/// The text of the first file.
pub(crate) fn text(sources: &Sources) -> &str {
    sources.text(FILE).unwrap()
}

/// The first scalar whose decoded value contains `needle`, and where in it.
pub(crate) fn find(tree: &Tree, needle: &str) -> (NodeId, Span) {
    for (id, node) in tree.nodes() {
        if let NodeKind::Scalar(scalar) = &node.kind
            && let Some(at) = scalar.value.find(needle)
        {
            return (id, Span::new(at, at + needle.len()));
        }
    }
    panic!("no scalar contains {needle}");
}

pub(crate) fn replace(sources: &Sources, needle: &str, text: &str, words: WordEffect) -> Change {
    replace_in(sources, FILE, needle, text, words)
}

pub(crate) fn replace_in(
    sources: &Sources,
    file: FileId,
    needle: &str,
    text: &str,
    words: WordEffect,
) -> Change {
    let (node, range) = find(&yaml::parse(sources.text(file).unwrap()), needle);
    let text = text.to_string();
    let kind = ChangeKind::Replace { range, text, words };
    Change { file, node, kind }
}

/// Inserts `text` right behind the first `needle`.
pub(crate) fn insert_behind(
    sources: &Sources,
    needle: &str,
    text: &str,
    words: WordEffect,
) -> Change {
    let mut change = replace(sources, needle, text, words);
    if let ChangeKind::Replace { range, .. } = &mut change.kind {
        range.start = range.end;
    }
    change
}

/// Inserts an item into the `list`-th list of the file.
pub(crate) fn insert_item(sources: &Sources, list: usize, index: u32, value: &str) -> Change {
    let tree = yaml::parse(text(sources));
    let lists = tree.nodes();
    let mut lists = lists.filter(|(_, node)| matches!(node.kind, NodeKind::Sequence(_)));
    let (node, _) = lists.nth(list).unwrap();
    let value = value.to_string();
    Change {
        file: FILE,
        node,
        kind: ChangeKind::InsertItem {
            index,
            value: value.into(),
        },
    }
}

pub(crate) fn finding(
    rule: &'static str,
    severity: Severity,
    span: Span,
    changes: Vec<Change>,
) -> Finding {
    let message = format!("fix of {rule}");
    Finding {
        rule,
        severity,
        message: format!("{rule} at {span:?}"),
        file: FILE,
        span,
        related: Vec::new(),
        fix: (!changes.is_empty()).then(|| {
            Arc::new(Fix {
                message,
                applicability: Applicability::Safe,
                changes,
            })
        }),
        alternative: None,
        refusal: None,
    }
}

/// Every `word` in a value that is not a key, with the fix to replace it.
pub(crate) struct Word {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) word: &'static str,
    pub(crate) replacement: &'static str,
    pub(crate) words: WordEffect,
    pub(crate) applicability: Applicability,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            rule: "latest",
            severity: Severity::Error,
            word: "latest",
            replacement: "${BRANCH_NAME}",
            words: WordEffect::Within,
            applicability: Applicability::Safe,
        }
    }
}

impl Relint for Word {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, source) in sources.iter() {
            let tree = yaml::parse(&source.text);
            for (node, it) in tree.nodes() {
                let NodeKind::Scalar(scalar) = &it.kind else {
                    continue;
                };
                for (at, word) in scalar.value.match_indices(self.word) {
                    let range = Span::new(at, at + word.len());
                    let map = tree.source_map(&source.text, node);
                    let span = map.and_then(|map| map.source(range)).unwrap_or(it.span);
                    let kind = ChangeKind::Replace {
                        range,
                        text: self.replacement.to_string(),
                        words: self.words,
                    };
                    let change = Change { file, node, kind };
                    let mut found = finding(self.rule, self.severity, span, vec![change]);
                    found.file = file;
                    Arc::make_mut(found.fix.as_mut().unwrap()).applicability = self.applicability;
                    findings.push(found);
                }
            }
        }
        findings
    }
}

/// Several rules as one.
pub(crate) struct All<'a>(pub(crate) &'a [&'a dyn Relint]);

impl Relint for All<'_> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self.0.iter().flat_map(|it| it.lint(sources)).collect()
    }
}

/// Counts how often the rules are asked.
pub(crate) struct Counted<R> {
    pub(crate) rules: R,
    pub(crate) count: Cell<u32>,
}

impl<R> Counted<R> {
    pub(crate) fn new(rules: R) -> Self {
        let count = Cell::new(0);
        Self { rules, count }
    }
}

impl<R: Relint> Relint for Counted<R> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self.count.set(self.count.get() + 1);
        self.rules.lint(sources)
    }
}
