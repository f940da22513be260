//! What must hold of every tree, whatever the text; and the generator of random numbers that the
//! property tests share.

#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod plan;

use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, ScalarStyle, Tree};

/// What was seen while checking.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub documents: usize,
    pub errors: usize,
    pub nodes: usize,
    pub exact: usize,
    pub inexact: usize,
    pub reparsed: usize,
    pub comments: usize,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.documents += other.documents;
        self.errors += other.errors;
        self.nodes += other.nodes;
        self.exact += other.exact;
        self.inexact += other.inexact;
        self.reparsed += other.reparsed;
        self.comments += other.comments;
    }
}

/// Parses `text` and checks everything that must hold of any tree. Panics with `name` in the message.
pub(crate) fn check(name: &str, text: &str) -> Figures {
    let tree = yaml::parse(text);
    let mut figures = Figures {
        documents: 1,
        errors: usize::from(tree.error().is_some()),
        nodes: tree.nodes().count(),
        comments: tree.comments().len(),
        ..Figures::default()
    };
    if let Some(error) = tree.error() {
        assert!(
            text.is_char_boundary(error.offset as usize),
            "{name}: {error:?}"
        );
    }
    let mut last = 0;
    for (id, node) in tree.nodes() {
        let spans = std::iter::once(node.span).chain(node.properties);
        for span in spans {
            assert!(
                text.get(span.range()).is_some(),
                "{name}: {span:?} is no place in the text"
            );
        }
        let start = node.properties.map_or(node.span.start, |p| p.start);
        assert!(
            last <= start,
            "{name}: node {id:?} starts before the one before it"
        );
        last = start;
        if let Some(properties) = node.properties {
            assert!(
                properties.end <= node.span.start,
                "{name}: properties of {id:?}"
            );
            assert!(
                properties.of(text).starts_with(['&', '!']),
                "{name}: properties {:?}",
                properties.of(text)
            );
        }
        if let Some(parent) = node.parent {
            let outer = tree.node(parent).span;
            assert!(
                outer.contains(node.properties.map_or(node.span, |p| p.cover(node.span))),
                "{name}: {id:?} at {:?} leaves its parent at {outer:?}",
                node.span
            );
        }
        check_children(name, text, &tree, id);
        if let NodeKind::Scalar(scalar) = &node.kind {
            check_first_byte(name, text, node.span, scalar.style);
            if check_map(name, text, &tree, id) {
                figures.exact += 1;
            } else {
                figures.inexact += 1;
            }
        }
        if check_alone(name, text, &tree, id) {
            figures.reparsed += 1;
        }
    }
    check_comments(name, text, &tree);
    figures
}

fn check_first_byte(name: &str, text: &str, span: Span, style: ScalarStyle) {
    let first = span.of(text).chars().next();
    let right = match style {
        ScalarStyle::Plain => !matches!(first, Some('\'' | '"' | '#' | '&' | '*' | '!')),
        ScalarStyle::SingleQuoted => first == Some('\''),
        ScalarStyle::DoubleQuoted => first == Some('"'),
        ScalarStyle::Literal => first == Some('|'),
        ScalarStyle::Folded => first == Some('>'),
    };
    assert!(
        right,
        "{name}: a {style:?} scalar reads {:?}",
        span.of(text)
    );
}

fn check_children(name: &str, text: &str, tree: &Tree, id: NodeId) {
    let node = tree.node(id);
    let mut end = node.span.start;
    let mut follow = |child: NodeId| {
        let span = tree.node(child).span;
        assert_eq!(tree.node(child).parent, Some(id), "{name}");
        assert!(
            end <= span.start,
            "{name}: {child:?} overlaps its neighbour"
        );
        end = span.end;
    };
    let brackets = match &node.kind {
        NodeKind::Sequence(sequence) => {
            sequence.items.iter().copied().for_each(&mut follow);
            if sequence.flow {
                assert!(sequence.dashes.is_empty(), "{name}");
                Some(('[', ']'))
            } else {
                assert_eq!(sequence.dashes.len(), sequence.items.len(), "{name}");
                for dash in &sequence.dashes {
                    assert_eq!(text.as_bytes()[*dash as usize], b'-', "{name}");
                }
                let first = sequence.dashes.first();
                assert!(
                    first == Some(&node.span.start) || (first.is_none() && tree.error().is_some()),
                    "{name}: {first:?}"
                );
                None
            }
        }
        NodeKind::Mapping(mapping) => {
            for entry in &mapping.entries {
                follow(entry.key);
                follow(entry.value);
            }
            // A pair in a flow sequence has no brackets of its own. If its key has, they are not the pair's.
            let source = node.span.of(text);
            let first = mapping.entries.first().map(|entry| entry.key);
            let pair = !source.starts_with('{')
                || first.is_some_and(|key| tree.node(key).span.start == node.span.start);
            let in_flow_sequence = node.parent.is_some_and(
                |parent| matches!(&tree.node(parent).kind, NodeKind::Sequence(s) if s.flow),
            );
            let pair = pair && (in_flow_sequence || tree.error().is_some());
            (mapping.flow && !pair).then_some(('{', '}'))
        }
        NodeKind::Alias { name: alias, .. } => {
            assert_eq!(node.span.of(text), format!("*{alias}"), "{name}");
            None
        }
        NodeKind::Scalar(_) => None,
    };
    if let Some((open, close)) = brackets {
        let source = node.span.of(text);
        assert!(source.starts_with(open), "{name}: {source:?}");
        assert!(
            source.ends_with(close) || tree.error().is_some(),
            "{name}: {source:?}"
        );
    }
}

/// Whether the scalar maps exactly; panics if it has a map that is wrong.
fn check_map(name: &str, text: &str, tree: &Tree, id: NodeId) -> bool {
    let value = tree.text(id).unwrap();
    let Some(map) = tree.source_map(text, id) else {
        return false;
    };
    assert_eq!(map.decoded_len(), value.len(), "{name}");
    let node = tree.node(id).span;
    let mut source_end = node.start;
    let mut decoded_end = 0;
    for segment in map.segments() {
        assert_eq!(segment.decoded.start, decoded_end, "{name}");
        decoded_end = segment.decoded.end;
        assert!(source_end <= segment.source.start, "{name}: {map:?}");
        source_end = segment.source.end;
        assert!(
            text.get(segment.source.range()).is_some(),
            "{name}: {map:?}"
        );
        let decoded = &value[segment.decoded.range()];
        if segment.verbatim {
            assert_eq!(segment.source.of(text), decoded, "{name}");
        } else {
            // A stretch that is not verbatim cannot be cut, so it must stand for one character: an escape,
            // or a line break (at the end of a file one that is not there).
            assert_eq!(decoded.chars().count(), 1, "{name}: {map:?}");
            let source = segment.source.of(text);
            let of_breaks = source.contains(['\n', '\r'])
                && source
                    .chars()
                    .all(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\\'));
            let right = match decoded {
                "'" if source == "''" => true,
                " " if of_breaks => true,
                "\n" if of_breaks => true,
                "\n" if source.is_empty() => segment.source.end as usize == text.len(),
                _ => yaml::parse(&format!("\"{source}\"")).text(NodeId(0)) == Some(decoded),
            };
            assert!(right, "{name}: {source:?} stands for {decoded:?}");
        }
    }
    true
}

/// Whether the node can stand alone in a file; panics if it then reads differently.
fn check_alone(name: &str, text: &str, tree: &Tree, id: NodeId) -> bool {
    let node = tree.node(id);
    let source = node.span.of(text);
    let alone = match &node.kind {
        NodeKind::Scalar(scalar) => matches!(
            scalar.style,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
        ),
        NodeKind::Sequence(sequence) => sequence.flow,
        NodeKind::Mapping(mapping) => mapping.flow && source.starts_with('{'),
        NodeKind::Alias { .. } => false,
    };
    // What needs something from outside cannot stand alone, and neither can half a node.
    if !alone || tree.error().is_some() || source.contains(['*', '!', '%']) {
        return false;
    }
    if let Some(open) = source.chars().next()
        && matches!(open, '{' | '[')
        && !source.ends_with(if open == '{' { '}' } else { ']' })
    {
        return false;
    }
    let other = yaml::parse(source);
    assert_eq!(other.error(), None, "{name}: {source:?} alone");
    let root = other.root().unwrap();
    assert_eq!(
        other.node(root).span,
        Span::new(0, source.len()),
        "{name}: {source:?}"
    );
    assert!(
        same(tree, id, &other, root),
        "{name}: {source:?} alone reads differently"
    );
    true
}

/// Whether two nodes have the same shape, styles and values.
pub(crate) fn same(a: &Tree, left: NodeId, b: &Tree, right: NodeId) -> bool {
    match (&a.node(left).kind, &b.node(right).kind) {
        (NodeKind::Scalar(x), NodeKind::Scalar(y)) => x.style == y.style && x.value == y.value,
        (NodeKind::Sequence(x), NodeKind::Sequence(y)) => {
            x.flow == y.flow
                && x.items.len() == y.items.len()
                && x.items
                    .iter()
                    .zip(&y.items)
                    .all(|(x, y)| same(a, *x, b, *y))
        }
        (NodeKind::Mapping(x), NodeKind::Mapping(y)) => {
            x.flow == y.flow
                && x.entries.len() == y.entries.len()
                && x.entries
                    .iter()
                    .zip(&y.entries)
                    .all(|(x, y)| same(a, x.key, b, y.key) && same(a, x.value, b, y.value))
        }
        (NodeKind::Alias { name: x, .. }, NodeKind::Alias { name: y, .. }) => x == y,
        _ => false,
    }
}

fn check_comments(name: &str, text: &str, tree: &Tree) {
    let mut end = 0;
    let mut comments = tree.comments().iter().peekable();
    for comment in tree.comments() {
        assert!(end <= comment.start, "{name}: comments are not in order");
        end = comment.end;
        let source = comment.of(text);
        assert!(source.starts_with('#'), "{name}: {source:?}");
        assert!(!source.contains(['\n', '\r']), "{name}: {source:?}");
    }
    for (_, node) in tree.nodes() {
        let NodeKind::Scalar(scalar) = &node.kind else {
            continue;
        };
        while comments
            .next_if(|comment| comment.end <= node.span.start)
            .is_some()
        {}
        let Some(comment) = comments.peek() else {
            continue;
        };
        if !comment.overlaps(node.span) {
            continue;
        }
        // Only the comment behind a block scalar's header lies inside a scalar.
        let header = text[node.span.start as usize..comment.start as usize].trim_end();
        assert!(
            matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded) && header.len() <= 3,
            "{name}: the comment {:?} lies in the scalar {:?}",
            comment.of(text),
            node.span.of(text)
        );
    }
}

/// A small generator of pseudo-random numbers (xorshift64*): the same seed gives the same tests.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 33) as usize) % limit
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// The number in the environment variable `name`, or `default`.
pub(crate) fn count(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// The own documents in `tests/data`, by file name.
pub(crate) fn data() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut documents: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    documents.sort();
    assert!(documents.len() >= 50, "tests/data has lost its documents");
    documents
}

/// The YAML files below the folder that `TAGWRIGHT_YAML_FOLDER` names, if it names one.
pub(crate) fn folder() -> Vec<(String, String)> {
    fn walk(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                walk(&path, found);
            } else if (name.ends_with(".yml") || name.ends_with(".yaml"))
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push((name, text));
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(folder) = std::env::var("TAGWRIGHT_YAML_FOLDER") {
        walk(std::path::Path::new(&folder), &mut found);
        found.sort();
    }
    found
}

/// `text` as other editors would have saved it: other line breaks, a byte-order mark, no final break.
pub(crate) fn variants(text: &str) -> Vec<(&'static str, String)> {
    let mut variants = vec![
        ("as is", text.to_owned()),
        (
            "without a final break",
            text.trim_end_matches('\n').to_owned(),
        ),
    ];
    if !text.contains('\r') {
        variants.push(("CRLF", text.replace('\n', "\r\n")));
        variants.push(("CR", text.replace('\n', "\r")));
    }
    if !text.starts_with('\u{feff}') {
        variants.push(("with a byte-order mark", format!("\u{feff}{text}")));
    }
    variants
}

const PIECES: [&str; 40] = [
    "\n", "\r", "\r\n", " ", "  ", "\t", ":", ": ", "- ", "-", "? ", "#", " #", "'", "\"", "\\",
    "|", ">", "|+\n", ">2-\n", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "!", "%", "---\n",
    "...\n", "\0", "\u{feff}", "é", "🚀", "\u{85}", "\u{2028}", "<<: ", "~",
];

/// `text` with a few bytes removed, copied, changed, or taken from `other`.
pub(crate) fn mutate(random: &mut Random, text: &str, other: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let length = random.below(8).min(bytes.len() - at);
        match random.below(6) {
            0 => {
                bytes.drain(at..at + length);
            }
            1 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            3 => {
                let start = random.below(other.len() + 1);
                let end = (start + random.below(30)).min(other.len());
                bytes.splice(at..at, other.as_bytes()[start..end].iter().copied());
            }
            4 => bytes.truncate(at),
            _ => {
                let piece = random.pick(&PIECES);
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
