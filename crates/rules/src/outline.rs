//! What the rules about structure read of one file, found out once.

use std::cell::OnceCell;

use tagwright_flow::FileKind;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::{PhaseName, Version};
use tagwright_syntax::position::LineIndex;
use tagwright_syntax::yaml::{Entry, NodeId, NodeKind, Tree};

use tagwright_grammar::walk::{self, Problem};
use tagwright_grammar::{Section, copilot};

use crate::Document;

/// What the rules about structure read of one file, found out once.
pub(crate) struct Outline {
    root: Option<NodeId>,
    lists: Vec<CommandsAt>,
    problems: Vec<Problem>,
    manifest_problems: OnceCell<Vec<Problem>>,
    lines: OnceCell<LineIndex>,
}

impl Outline {
    pub(crate) fn new(document: &Document<'_>) -> Self {
        let root = find_root(document);
        let whole = root.filter(|_| document.tree.error().is_none());
        Self {
            root,
            lists: root.map_or_else(Vec::new, |root| find_commands(document.tree, root)),
            problems: whole.map_or_else(Vec::new, |root| problems_of(document, root)),
            manifest_problems: OnceCell::new(),
            lines: OnceCell::new(),
        }
    }
}

/// The buildspec's root, unless the text is a template of another tool, of which nothing is certain.
pub(crate) fn root(document: &Document<'_>) -> Option<NodeId> {
    document.outline().root
}

/// The same, only if the file could be read to its end: of a file that stops in the middle nothing can be
/// said about what is absent or in the wrong place.
pub(crate) fn whole_root(document: &Document<'_>) -> Option<NodeId> {
    root(document).filter(|_| document.tree.error().is_none())
}

/// All differences from the grammar, in the order of the file; none in a file that stops in the middle.
pub(crate) fn problems<'d>(document: &'d Document<'_>) -> &'d [Problem] {
    &document.outline().problems
}

/// The keys that their section does not have: key, decoded text, section.
pub(crate) fn unknown_keys<'d>(
    document: &'d Document<'_>,
) -> impl Iterator<Item = (Entry, &'d str, &'static Section)> {
    problems(document)
        .iter()
        .filter_map(|problem| match problem {
            Problem::UnknownKey {
                entry,
                name,
                section,
            } => Some((*entry, name.as_str(), *section)),
            _ => None,
        })
}

/// All differences of a manifest of Copilot from its grammar, in the order of the file; none of one that stops
/// in the middle, is a template, or has merge keys, which bring along what is not seen here.
pub(crate) fn manifest_problems<'d>(document: &'d Document<'_>) -> &'d [Problem] {
    let found = &document.outline().manifest_problems;
    found.get_or_init(|| find_manifest_problems(document))
}

/// The differences of the buildspec at `root` from the grammar.
fn problems_of(document: &Document<'_>, root: NodeId) -> Vec<Problem> {
    let spec = document.buildspec.as_ref();
    let old = spec.is_some_and(|spec| spec.version == Version::V0_1);
    walk::problems(document.tree, root, old)
}

fn find_manifest_problems(document: &Document<'_>) -> Vec<Problem> {
    let tree = document.tree;
    let Some(root) = tree.root().filter(|_| tree.error().is_none()) else {
        return Vec::new();
    };
    let section = match document.facts.kind {
        FileKind::CopilotWorkload => tree
            .get(root, "type")
            .and_then(|kind| tree.text(kind))
            .and_then(copilot::workload),
        FileKind::CopilotEnvironment => Some(&copilot::ENVIRONMENT),
        FileKind::CopilotPipeline => Some(&copilot::PIPELINE),
        _ => None,
    };
    let unclear = ["<<:", "{{", "{%"];
    section
        .filter(|_| !unclear.iter().any(|sign| document.text().contains(sign)))
        .map_or_else(Vec::new, |section| walk::differences(tree, root, section))
}

fn find_root(document: &Document<'_>) -> Option<NodeId> {
    if document.facts.kind != FileKind::Buildspec {
        return None;
    }
    let facts = document.facts.buildspec.as_ref();
    if facts.is_some_and(|facts| facts.template.is_some()) || has_placeholder_node(document) {
        return None;
    }
    let spec = document.buildspec.as_ref().map(|spec| spec.root);
    // Meant as one: its phases stand where the file's own keys should be.
    spec.or_else(|| {
        let (tree, root) = (document.tree, document.tree.root()?);
        let phase = |name: &PhaseName| tree.get(root, name.as_str()).is_some();
        PhaseName::ALL.iter().any(phase).then_some(root)
    })
}

/// Whether a whole value is `{{ … }}` without quotes, which YAML would read as a mapping in a mapping.
fn has_placeholder_node(document: &Document<'_>) -> bool {
    let text = document.text();
    text.contains("{{")
        && document.tree.nodes().any(|(_, node)| {
            matches!(&node.kind, NodeKind::Mapping(map) if map.flow)
                && node.span.of(text).starts_with("{{")
        })
}

/// Whether the node ends on a line before the place where the reader gave up, so that it can be believed.
pub(crate) fn is_settled(document: &Document<'_>, span: Span) -> bool {
    document.tree.error().is_none_or(|error| {
        let end = span.end as usize;
        let gap = document.text().get(end..error.offset as usize);
        gap.is_some_and(|gap| gap.contains(['\n', '\r']))
    })
}

/// A list of commands that a phase has.
pub(crate) struct CommandsAt {
    /// The phase.
    pub(crate) phase: PhaseName,
    /// `commands` or `finally`.
    pub(crate) key: &'static str,
    /// The key's node.
    pub(crate) key_node: NodeId,
    /// What it holds, whatever that is.
    pub(crate) node: NodeId,
}

/// All `commands` and `finally` of the phases, duplicates included, in the order of the file.
pub(crate) fn command_lists<'d>(document: &'d Document<'_>) -> &'d [CommandsAt] {
    &document.outline().lists
}

fn find_commands(tree: &Tree, root: NodeId) -> Vec<CommandsAt> {
    let mut lists = Vec::new();
    let entries = |node: NodeId| tree.mapping(node).map_or(&[][..], |map| &map.entries);
    for section in entries(root) {
        if tree.text(section.key) != Some("phases") {
            continue;
        }
        for phase in entries(section.value) {
            let name = tree.text(phase.key);
            let Some(name) = PhaseName::ALL
                .into_iter()
                .find(|phase| Some(phase.as_str()) == name)
            else {
                continue;
            };
            for list in entries(phase.value) {
                let key = match tree.text(list.key) {
                    Some("commands") => "commands",
                    Some("finally") => "finally",
                    _ => continue,
                };
                lists.push(CommandsAt {
                    phase: name,
                    key,
                    key_node: list.key,
                    node: list.value,
                });
            }
        }
    }
    lists
}

/// All command items: those of lists, and single values in a list's place.
pub(crate) fn commands<'d>(document: &'d Document<'_>) -> impl Iterator<Item = NodeId> + 'd {
    command_lists(document)
        .iter()
        .flat_map(|list| match document.tree.sequence(list.node) {
            Some(items) => items.items.as_slice(),
            None => std::slice::from_ref(&list.node),
        })
        .copied()
}

/// The builds of `batch.build-list` and `batch.build-graph`, as far as there are such lists.
pub(crate) fn batch_lists(document: &Document<'_>) -> Vec<Vec<NodeId>> {
    let tree = document.tree;
    let batch = whole_root(document).and_then(|root| tree.get(root, "batch"));
    ["build-list", "build-graph"]
        .into_iter()
        .filter_map(|strategy| {
            let list = tree.get(batch?, strategy)?;
            Some(tree.sequence(list)?.items.clone())
        })
        .collect()
}

/// The entries of `runtime-versions`: the key, its text, the value.
pub(crate) fn runtime_versions<'a>(
    document: &'a Document<'_>,
) -> impl Iterator<Item = (NodeId, &'a str, NodeId)> {
    let tree = document.tree;
    root(document)
        .and(document.buildspec.as_ref())
        .into_iter()
        .flat_map(|spec| &spec.phases)
        .flat_map(|phase| &phase.runtime_versions)
        .filter(move |entry| tree.scalar(entry.value).is_some())
        .filter_map(move |entry| Some((entry.key, tree.text(entry.key)?, entry.value)))
}

/// The start of the first line of `text`, short enough to be quoted in a message.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

/// The 1-based line of byte `offset` of the text, in the file that it stands in.
pub(crate) fn line(document: &Document<'_>, offset: u32) -> u32 {
    if let Some(outer) = document.outer {
        let place = outer.map.source(Span::empty(offset as usize));
        let offset = place.map_or(0, |it| it.start);
        return outer.lines.position(outer.text, offset).line;
    }
    let text = document.text();
    let lines = &document.outline().lines;
    lines
        .get_or_init(|| LineIndex::new(text))
        .position(text, offset)
        .line
}

#[cfg(test)]
mod tests {
    use tagwright_grammar::{buildspec, copilot, images, runtimes};

    /// Months since the start of the era, of `2026-04` or `2026-04-09`.
    fn months(date: &str) -> u64 {
        let mut parts = date.split('-').map(|part| part.parse::<u64>().unwrap());
        parts.next().unwrap() * 12 + parts.next().unwrap()
    }

    /// `TAGWRIGHT_TODAY=2027-06 cargo test` tells which tables will be too old then.
    #[test]
    fn no_table_is_older_than_a_year() {
        let today = std::env::var("TAGWRIGHT_TODAY").map_or_else(
            |_| {
                let now = std::time::SystemTime::now();
                let days = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
                // Close enough for months.
                1970 * 12 + 1 + days * 400 * 12 / 146_097
            },
            |date| months(&date),
        );
        for (table, as_of) in [
            ("runtimes", runtimes::AS_OF),
            ("images", images::AS_OF),
            ("buildspec", buildspec::AS_OF),
        ] {
            assert!(
                today <= months(as_of) + 12,
                "the table `{table}` was read in {as_of}: read its source again"
            );
        }
    }

    /// The texts in quotes of a source, comments left out.
    fn quoted_texts(source: &str) -> Vec<&str> {
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        code.flat_map(|line| line.split('"').skip(1).step_by(2))
            .collect()
    }

    #[test]
    fn no_rule_has_a_copy_of_a_table() {
        // A handful of its words may be what a rule is about; more are a second table. A call of Copilot is told
        // from others by more of its flags.
        const FEW: usize = 5;
        const FEW_FLAGS: usize = 10;
        let runtimes: Vec<&str> = runtimes::RUNTIMES.iter().map(|it| it.name).collect();
        let sections = [
            &buildspec::BUILDSPEC,
            &buildspec::ENV,
            &buildspec::PHASE,
            &buildspec::ARTIFACTS,
            &buildspec::CACHE,
            &buildspec::BATCH,
            &copilot::WORKLOAD,
            &copilot::LOAD_BALANCED,
            &copilot::ENVIRONMENT,
            &copilot::PIPELINE,
        ];
        let images = images::FAMILIES.iter().map(|it| it.name).collect();
        let flags = tagwright_flow::tools::copilot_flag_names();
        assert!(flags.len() > FEW_FLAGS && flags.contains(&"upload-assets"));
        let mut tables: Vec<(Vec<&str>, usize)> =
            vec![(runtimes, FEW), (images, FEW), (flags, FEW_FLAGS)];
        for section in sections {
            let keys = section.all_keys().iter().map(|key| key.name).collect();
            tables.push((keys, FEW));
        }
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut looked_at = 0;
        for category in crate::Category::ALL {
            let folder = sources.join(category.as_str().replace('-', "_"));
            for file in std::fs::read_dir(&folder).unwrap() {
                let path = file.unwrap().path();
                let source = std::fs::read_to_string(&path).unwrap();
                let texts = quoted_texts(&source);
                looked_at += 1;
                for (table, few) in &tables {
                    let copied: Vec<&&str> =
                        table.iter().filter(|word| texts.contains(*word)).collect();
                    assert!(copied.len() <= *few, "{}: {copied:?}", path.display());
                }
                // Releases of Copilot are compared by name.
                assert!(!source.contains(": Release = ("), "{}", path.display());
            }
        }
        assert!(looked_at >= crate::registry().len());
    }
}
