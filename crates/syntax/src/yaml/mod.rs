//! The YAML tree: nodes with exact byte spans.
//!
//! A tree is an arena; [`NodeId`]s are indices into it. What a node's bytes are is settled here and in
//! the two modules below it: `adapter` is the only place that knows which library parsed, `exact`
//! re-derives the ends that the library's markers do not give, `decode` reads a scalar a second time
//! to learn which decoded byte came from which source byte. `plain` reads simple files without a library.

mod adapter;
pub(crate) mod decode;
pub(crate) mod exact;
mod plain;

use crate::file::FileKind;
use crate::{SmolStr, SourceMap, Span};

/// Trees deeper than this are cut off with an error: no real file is, and recursion below stays safe.
pub const MAX_DEPTH: usize = 128;

/// A node of one [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A file read as YAML: as much of it as could be read.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    documents: Vec<NodeId>,
    /// Comments, in order, each from `#` to before the line break.
    comments: Vec<Span>,
    /// What stopped the reader, if anything did. The nodes before it are in the tree.
    error: Option<SyntaxError>,
    /// The text is no YAML: all of it is one scalar, as it stands.
    whole: bool,
}

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The reader's own words.
    pub message: String,
    /// Byte offset, 0-based, where the reader stopped.
    pub offset: u32,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node's own bytes: a quoted scalar with its quotes, a block scalar from its `|` or `>` to the
    /// end of its last line that belongs to it (without the final line break), a flow collection with
    /// its brackets, a block collection from its first key or dash to the end of its last item. Anchor
    /// and tag are outside. An absent value is the empty span where it would stand.
    pub span: Span,
    /// Anchor and tag, from the first to the last byte of both, if there is either.
    pub properties: Option<Span>,
    /// The anchor's name, without `&`.
    pub anchor: Option<Box<str>>,
    /// The tag as resolved by the parser (`!` alone for the non-specific tag).
    pub tag: Option<Box<str>>,
    /// The collection that holds this node.
    pub parent: Option<NodeId>,
    /// What the node is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A scalar of any style; an absent value is a plain scalar with an empty span.
    Scalar(Scalar),
    /// A list.
    Sequence(Sequence),
    /// A mapping.
    Mapping(Mapping),
    /// `*name`; the target if it was defined before.
    Alias {
        /// The anchor's name, without `*`.
        name: Box<str>,
        /// The anchored node.
        target: Option<NodeId>,
    },
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// `text`
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// How it is written.
    pub style: ScalarStyle,
    /// The decoded value, as the parser gives it.
    pub value: SmolStr,
}

/// A list.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// `[a, b]` rather than `- a`.
    pub flow: bool,
    /// The items, in order.
    pub items: Vec<NodeId>,
    /// For a block sequence the byte offset of each item's `-`; empty for a flow sequence.
    pub dashes: Vec<u32>,
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// `{a: b}` rather than `a: b`.
    pub flow: bool,
    /// Keys and values, in order, duplicates included.
    pub entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: NodeId,
    /// The value; where there is none, a plain scalar with an empty span.
    pub value: NodeId,
}

/// One step from a collection to a node in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The value of the key with this decoded text. The second field counts earlier keys of the same
    /// text in the mapping (0 unless the file has duplicate keys).
    Key(Box<str>, u32),
    /// The item with this 0-based index.
    Index(u32),
    /// The key node itself, not its value, of the entry with this 0-based index.
    KeyOf(u32),
}

/// The way from a document's root to a node; the first field is the document's 0-based index.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// 0-based index of the document in the stream.
    pub document: u32,
    /// The steps from its root.
    pub steps: Vec<Step>,
}

impl std::fmt::Display for Path {
    /// `phases.build.commands[2]`, for messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.document > 0 {
            write!(f, "document {}: ", self.document + 1)?;
        }
        let mut first = true;
        for step in &self.steps {
            match step {
                Step::Key(key, _) => {
                    if !first {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::KeyOf(index) => write!(f, "(key {index})")?,
            }
            first = false;
        }
        Ok(())
    }
}

/// Reads `text` as YAML: all documents, with exact spans. Never fails: what could be read before an error
/// is in the tree, and the error with it.
#[must_use]
pub fn parse(text: &str) -> Tree {
    plain::parse(text).unwrap_or_else(|| adapter::parse(text))
}

/// The tree of a file of this kind: of a script [`Tree::whole`], of all others what [`parse`] reads.
#[must_use]
pub fn parse_as(kind: FileKind, text: &str) -> Tree {
    match kind {
        FileKind::Script => Tree::whole(text),
        _ => parse(text),
    }
}

impl Tree {
    /// A text that is no YAML, as a tree of one scalar: what stands in a command of a buildspec and what stands in
    /// a script of its own are then read, changed and proved alike.
    #[must_use]
    pub fn whole(text: &str) -> Self {
        let node = Node {
            span: Span::new(0, text.len()),
            properties: None,
            anchor: None,
            tag: None,
            parent: None,
            kind: NodeKind::Scalar(Scalar {
                style: ScalarStyle::Literal,
                value: text.into(),
            }),
        };
        Self {
            nodes: vec![node],
            documents: vec![NodeId(0)],
            whole: true,
            ..Self::default()
        }
    }

    /// Whether the text is no YAML, and its only node all of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The same with other names for its keys, where `renamed` knows one: what one language says is then read as
    /// another one's. Places and ids stay what they are.
    #[must_use]
    pub fn with_keys(mut self, renamed: impl Fn(&str) -> Option<SmolStr>) -> Self {
        let mappings = self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Mapping(mapping) => Some(&mapping.entries),
            _ => None,
        });
        let keys: Vec<NodeId> = mappings.flatten().map(|entry| entry.key).collect();
        for key in keys {
            if let NodeKind::Scalar(scalar) = &mut self.nodes[key.0 as usize].kind
                && let Some(name) = renamed(&scalar.value)
            {
                scalar.value = name;
            }
        }
        self
    }

    /// The node with this id. Ids come from this tree only.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// All nodes in the order in which they start.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0u32..).map(NodeId).zip(&self.nodes)
    }

    /// The roots of the stream's documents.
    #[must_use]
    pub fn documents(&self) -> &[NodeId] {
        &self.documents
    }

    /// The root of the first document.
    #[must_use]
    pub fn root(&self) -> Option<NodeId> {
        self.documents.first().copied()
    }

    /// All comments, each from `#` to before the line break.
    #[must_use]
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// What stopped the reader, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&SyntaxError> {
        self.error.as_ref()
    }

    /// The node itself, or what it is an alias of.
    #[must_use]
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match &self.node(id).kind {
            NodeKind::Alias {
                target: Some(target),
                ..
            } => *target,
            _ => id,
        }
    }

    /// The scalar at `id`, through an alias.
    #[must_use]
    pub fn scalar(&self, id: NodeId) -> Option<&Scalar> {
        match &self.node(self.resolve(id)).kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The decoded text of the scalar at `id`, through an alias. An absent value is `""`.
    #[must_use]
    pub fn text(&self, id: NodeId) -> Option<&str> {
        self.scalar(id).map(|scalar| &*scalar.value)
    }

    /// The mapping at `id`, through an alias.
    #[must_use]
    pub fn mapping(&self, id: NodeId) -> Option<&Mapping> {
        match &self.node(self.resolve(id)).kind {
            NodeKind::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The list at `id`, through an alias.
    #[must_use]
    pub fn sequence(&self, id: NodeId) -> Option<&Sequence> {
        match &self.node(self.resolve(id)).kind {
            NodeKind::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// Whether there is nothing at `id`: an absent value, or a plain `~` or `null`.
    #[must_use]
    pub fn is_null(&self, id: NodeId) -> bool {
        self.scalar(id).is_some_and(|scalar| {
            scalar.style == ScalarStyle::Plain
                && matches!(&*scalar.value, "" | "~" | "null" | "Null" | "NULL")
        })
    }

    /// The last entry of the mapping at `id` whose key reads `key`: the one that a libyaml reader keeps.
    #[must_use]
    pub fn entry(&self, id: NodeId, key: &str) -> Option<Entry> {
        let mapping = self.mapping(id)?;
        mapping
            .entries
            .iter()
            .rev()
            .find(|entry| self.text(entry.key) == Some(key))
            .copied()
    }

    /// The value of the last entry of the mapping at `id` whose key reads `key`.
    #[must_use]
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.entry(id, key).map(|entry| entry.value)
    }

    /// The nodes inside the collection at `id`, at any depth, itself not included. Does not follow aliases.
    #[must_use]
    pub fn inside(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            let from = found.len();
            match &self.node(at).kind {
                NodeKind::Sequence(sequence) => found.extend(&sequence.items),
                NodeKind::Mapping(mapping) => {
                    found.extend(mapping.entries.iter().flat_map(|it| [it.key, it.value]));
                }
                NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
            }
            open.extend(&found[from..]);
        }
        found
    }

    /// The way to `id` from its document's root.
    #[must_use]
    pub fn path(&self, id: NodeId) -> Path {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some(parent) = self.node(at).parent {
            match &self.node(parent).kind {
                NodeKind::Sequence(sequence) => {
                    if let Some(index) = sequence.items.iter().position(|item| *item == at) {
                        steps.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                    }
                }
                NodeKind::Mapping(mapping) => {
                    for (index, entry) in mapping.entries.iter().enumerate() {
                        if entry.value == at {
                            let key = self.text(entry.key).unwrap_or("");
                            let earlier = mapping.entries[..index]
                                .iter()
                                .filter(|other| self.text(other.key) == Some(key))
                                .count();
                            steps.push(Step::Key(
                                key.into(),
                                u32::try_from(earlier).unwrap_or(u32::MAX),
                            ));
                        } else if entry.key == at {
                            steps.push(Step::KeyOf(u32::try_from(index).unwrap_or(u32::MAX)));
                        }
                    }
                }
                NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
            }
            at = parent;
        }
        steps.reverse();
        let document = self.documents.iter().position(|root| *root == at);
        Path {
            document: document.map_or(0, |index| u32::try_from(index).unwrap_or(u32::MAX)),
            steps,
        }
    }

    /// The node at the end of `path`, if the tree has it. Does not follow aliases.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<NodeId> {
        let mut at = *self.documents.get(path.document as usize)?;
        for step in &path.steps {
            at = match (step, &self.node(at).kind) {
                (Step::Index(index), NodeKind::Sequence(sequence)) => {
                    *sequence.items.get(*index as usize)?
                }
                (Step::KeyOf(index), NodeKind::Mapping(mapping)) => {
                    mapping.entries.get(*index as usize)?.key
                }
                (Step::Key(key, earlier), NodeKind::Mapping(mapping)) => {
                    mapping
                        .entries
                        .iter()
                        .filter(|entry| self.text(entry.key) == Some(key))
                        .nth(*earlier as usize)?
                        .value
                }
                _ => return None,
            };
        }
        Some(at)
    }

    /// Where each decoded byte of the scalar at `id` stands in `text` (the text this tree was read from).
    /// `None` if the node is no scalar or if our own decoding differs from the parser's value: such a
    /// scalar is *inexact* and must not be rewritten.
    #[must_use]
    pub fn source_map(&self, text: &str, id: NodeId) -> Option<SourceMap> {
        let node = self.node(id);
        let NodeKind::Scalar(scalar) = &node.kind else {
            return None;
        };
        if self.whole {
            return Some(SourceMap::verbatim(node.span));
        }
        decode::source_map(text, self, node, scalar)
    }
}
