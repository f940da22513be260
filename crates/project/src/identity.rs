//! What tells one finding from another when lines have moved: rule, file, place in the tree, and what stands
//! there.
//!
//! Items of a list are not numbered, so that a command stays itself when another is put before it. What
//! stands there is the scalar with its blanks evened out, in a literal script only the line; so a finding
//! whose text changes is another finding.

use std::collections::HashMap;
use std::sync::Arc;

use tagwright_diagnostics::Finding;
use tagwright_flow::FileId;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, ScalarStyle, Step, Tree};

use crate::workspace::Document;

/// The identity of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The file, relative to the workspace's folder, with `/`.
    pub path: String,
    /// The rule.
    pub rule: String,
    /// Where in the tree, `phases.build.commands[]`; empty in a file that is not YAML.
    pub place: String,
    /// What stands there, as 16 hexadecimal digits.
    pub hash: String,
}

/// The identities of `findings`, in their order. Equal findings (the same mistake twice in one command) have
/// equal identities.
#[must_use]
pub fn identities<'a>(
    documents: &[Document],
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Vec<Identity> {
    let mut trees: HashMap<FileId, Option<Tree>> = HashMap::new();
    findings
        .into_iter()
        .map(|finding| {
            let Some(document) = documents.get(finding.file.0 as usize) else {
                return Identity {
                    path: String::new(),
                    rule: finding.rule.to_owned(),
                    place: String::new(),
                    hash: hash(""),
                };
            };
            let tree = trees.entry(finding.file).or_insert_with(|| read(document));
            let (place, content) = describe(&document.text, tree.as_ref(), finding.span);
            Identity {
                path: document.relative.to_string(),
                rule: finding.rule.to_owned(),
                place,
                hash: hash(&content),
            }
        })
        .collect()
}

fn read(document: &Document) -> Option<Tree> {
    use tagwright_flow::FileKind::{Other, Script, Terraform};
    (!matches!(document.kind, Other | Script | Terraform)).then(|| yaml::parse(&document.text))
}

/// The place in the tree and what stands there.
fn describe(text: &Arc<str>, tree: Option<&Tree>, span: Span) -> (String, String) {
    let node = tree.and_then(|tree| Some((tree, holder(tree, span.start)?)));
    let Some((tree, node)) = node else {
        return (String::new(), evened(line(text, span.start)));
    };
    let place = place(tree, node);
    let content = match &tree.node(node).kind {
        NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Literal => {
            line(text, span.start).to_owned()
        }
        NodeKind::Scalar(scalar) => scalar.value.to_string(),
        _ => tree.node(node).span.of(text).to_owned(),
    };
    (place, evened(&content))
}

/// The innermost node that holds the byte at `offset`.
fn holder(tree: &Tree, offset: u32) -> Option<NodeId> {
    tree.nodes()
        .filter(|(_, node)| node.span.start <= offset && offset <= node.span.end)
        .map(|(id, _)| id)
        .last()
}

fn place(tree: &Tree, node: NodeId) -> String {
    let mut place = String::new();
    let path = tree.path(node);
    for step in &path.steps {
        match step {
            Step::Key(key, _) => {
                if !place.is_empty() {
                    place.push('.');
                }
                place.push_str(key);
            }
            Step::Index(_) => place.push_str("[]"),
            Step::KeyOf(_) => place.push_str(" key"),
        }
    }
    place
}

/// The line of the byte at `offset`, with the lines that backslashes join to it.
fn line(text: &str, offset: u32) -> &str {
    let at = (offset as usize).min(text.len());
    let mut start = text
        .get(..at)
        .unwrap_or("")
        .rfind('\n')
        .map_or(0, |it| it + 1);
    while start > 0 && text[..start].trim_end_matches(['\r', '\n']).ends_with('\\') {
        start = text[..start - 1].rfind('\n').map_or(0, |it| it + 1);
    }
    let mut end = at;
    loop {
        end += text[end..].find('\n').unwrap_or(text.len() - end);
        if end >= text.len() || !text[..end].trim_end_matches('\r').ends_with('\\') {
            return &text[start..end];
        }
        end += 1;
    }
}

fn evened(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// FNV-1a, 64 bits: has to be the same for every version of the program.
fn hash(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, needle: &str) -> (String, String) {
        let tree = yaml::parse(text);
        let at = text.find(needle).unwrap();
        describe(&text.into(), Some(&tree), Span::new(at, at + 1))
    }

    #[test]
    fn a_command_keeps_its_identity_when_another_is_put_before_it() {
        let before = "phases:\n  build:\n    commands:\n      - docker push app:latest\n";
        let after = "# new\nphases:\n  build:\n    commands:\n      - make\n      - docker   push app:latest\n";
        assert_eq!(of(before, "latest"), of(after, "latest"));
        assert_eq!(of(before, "latest").0, "phases.build.commands[]");
    }

    #[test]
    fn in_a_script_only_the_line_counts() {
        let one = "a:\n  - |\n    make\n    docker push x \\\n      y\n";
        let two = "a:\n  - |\n    docker push x \\\n      y\n    ls\n";
        assert_eq!(of(one, "push"), of(two, "push"));
        assert_eq!(of(one, "push"), of(one, "y\n"));
        assert_ne!(of(one, "push"), of(one, "make"));
    }

    #[test]
    fn another_phase_or_another_text_is_another_finding() {
        let text = "build:\n  - push a\npost:\n  - push a\n  - push b\n";
        let (build, post) = (of(text, "push a"), of("post:\n  - push a\n", "push a"));
        assert_ne!(build, post);
        assert_eq!(build.1, post.1);
        assert_ne!(post, of(text, "push b"));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(""), "cbf29ce484222325");
        assert_eq!(hash("a"), "af63dc4c8601ec8c");
    }
}
