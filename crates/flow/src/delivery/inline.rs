//! Buildspecs that a description holds itself, as text: a CloudFormation template in any style of YAML or JSON, and
//! put together by `Fn::Sub` or `Fn::Join`; a configuration of Terraform.

use tagwright_syntax::yaml::{NodeId, NodeKind, Tree};
use tagwright_syntax::{SourceMap, Span};

/// A buildspec inside a description.
#[derive(Debug)]
pub struct Inline {
    /// Its text. In the place of what only CloudFormation or Terraform knows stands a variable of the shell.
    pub text: String,
    /// From the text to the file.
    pub map: SourceMap,
    /// The bytes of the text that only CloudFormation or Terraform knows, ascending.
    pub unknown: Vec<Span>,
    /// The whole value, bytes of the file.
    pub span: Span,
}

/// The keys that hold a buildspec: of a project, and of the action that starts one.
const KEYS: [&str; 2] = ["BuildSpec", "BuildspecOverride"];

/// The buildspecs that the template holds, in the order of the file. `text` is the template, `tree` its tree.
#[must_use]
pub fn in_template(text: &str, tree: &Tree) -> Vec<Inline> {
    let mut found = Vec::new();
    for (_, node) in tree.nodes() {
        let NodeKind::Mapping(mapping) = &node.kind else {
            continue;
        };
        for entry in &mapping.entries {
            let holds = tree.text(entry.key).is_some_and(|key| KEYS.contains(&key));
            let inline = holds.then(|| Inline::read(text, tree, entry.value));
            let Some(inline) = inline.flatten() else {
                continue;
            };
            if inline.is_text() {
                found.push(inline);
            }
        }
    }
    found
}

impl Inline {
    /// One without any text yet, whose value stands at `span`.
    pub(super) fn new(span: Span) -> Self {
        Self {
            text: String::new(),
            map: SourceMap::default(),
            unknown: Vec::new(),
            span,
        }
    }

    /// What the node stands for; `None` if that is no text.
    pub(crate) fn read(text: &str, tree: &Tree, id: NodeId) -> Option<Self> {
        let mut inline = Self::new(tree.node(id).span);
        inline.value(text, tree, id)?;
        Some(inline)
    }

    /// The text with `*` for each value that is not known.
    pub(crate) fn pattern(&self) -> Box<str> {
        let mut pattern = String::new();
        let mut at = 0;
        for span in &self.unknown {
            pattern.push_str(&self.text[at..span.start as usize]);
            pattern.push('*');
            at = span.end as usize;
        }
        pattern.push_str(&self.text[at..]);
        pattern.into()
    }

    /// Whether it is a buildspec. Anything else is the path of a file.
    pub(crate) fn is_text(&self) -> bool {
        let is_text = self.text.contains('\n') || self.text.trim_start().starts_with('{');
        is_text && self.text.contains("phases")
    }

    /// Appends what the node stands for; `None` if that is not a text at all.
    fn value(&mut self, text: &str, tree: &Tree, id: NodeId) -> Option<()> {
        let node = tree.node(id);
        let tag = node.tag.as_deref();
        match &node.kind {
            NodeKind::Scalar(scalar) => {
                let map = tree.source_map(text, id)?;
                match tag {
                    None => self.copy(&map, 0, &scalar.value),
                    Some("!Sub") => self.substituted(&map, &scalar.value),
                    Some("!Ref" | "!GetAtt" | "!ImportValue") => {
                        self.unknown(&scalar.value, node.span)
                    }
                    Some(_) => return None,
                }
                Some(())
            }
            NodeKind::Sequence(sequence) => match (tag?, &sequence.items[..]) {
                ("!Sub", [first, ..]) => self.substitution(text, tree, *first),
                ("!Join", [separator, items]) => self.joined(text, tree, *separator, *items),
                _ => None,
            },
            NodeKind::Mapping(mapping) => {
                let [entry] = mapping.entries[..] else {
                    return None;
                };
                let argument = entry.value;
                match (tree.text(entry.key)?, tree.sequence(argument)) {
                    ("Fn::Sub", None) => self.substitution(text, tree, argument),
                    ("Fn::Sub", Some(list)) => self.substitution(text, tree, *list.items.first()?),
                    ("Fn::Join", Some(list)) => match list.items[..] {
                        [separator, items] => self.joined(text, tree, separator, items),
                        _ => None,
                    },
                    ("Ref" | "Fn::GetAtt" | "Fn::ImportValue", _) => {
                        self.unknown(tree.text(argument).unwrap_or("VALUE"), node.span);
                        Some(())
                    }
                    _ => None,
                }
            }
            NodeKind::Alias { .. } => None,
        }
    }

    /// The text with what stands for it from `from` on in the value that `map` is of.
    fn copy(&mut self, map: &SourceMap, from: usize, part: &str) {
        let mut inner = SourceMap::default();
        inner.push(Span::new(from, from + part.len()), part.len(), true);
        for segment in map.compose(&inner).segments() {
            self.map
                .push(segment.source, segment.decoded.len(), segment.verbatim);
        }
        self.text.push_str(part);
    }

    /// A variable of the shell for a value that is not known.
    pub(super) fn unknown(&mut self, name: &str, source: Span) {
        let start = self.text.len();
        self.text.push('$');
        let named = name.bytes().filter(u8::is_ascii_alphanumeric);
        self.text.extend(named.map(char::from));
        if self.text.len() == start + 1 {
            self.text.push('X');
        }
        let length = self.text.len() - start;
        self.map.push(source, length, false);
        self.unknown.push(Span::new(start, start + length));
    }

    /// The text of `Fn::Sub`.
    fn substitution(&mut self, text: &str, tree: &Tree, id: NodeId) -> Option<()> {
        let value = tree.text(id).filter(|_| tree.node(id).tag.is_none())?;
        self.substituted(&tree.source_map(text, id)?, value);
        Some(())
    }

    /// `${!Name}` is `${Name}`; any other `${…}` is a value that is not known.
    fn substituted(&mut self, map: &SourceMap, value: &str) {
        let mut at = 0;
        while let Some(found) = value[at..].find("${") {
            let start = at + found;
            let Some(length) = value[start..].find('}') else {
                break;
            };
            let end = start + length + 1;
            self.copy(map, at, &value[at..start]);
            let inner = &value[start + 2..end - 1];
            if inner.starts_with('!') {
                self.copy(map, start, "${");
                self.copy(map, start + 3, &value[start + 3..end]);
            } else {
                let place = map.source(Span::new(start, end));
                self.unknown(inner, place.unwrap_or(Span::empty(0)));
            }
            at = end;
        }
        self.copy(map, at, &value[at..]);
    }

    fn joined(&mut self, text: &str, tree: &Tree, separator: NodeId, items: NodeId) -> Option<()> {
        let separator = tree.text(separator)?;
        let items = &tree.sequence(items)?.items;
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                let before = tree.node(*item).span.start as usize;
                self.map.push(Span::empty(before), separator.len(), false);
                self.text.push_str(separator);
            }
            // What no function of the template gives as text is a value that is not known.
            let length = self.text.len();
            if self.value(text, tree, *item).is_none() {
                if self.text.len() != length {
                    return None;
                }
                self.unknown("VALUE", tree.node(*item).span);
            }
        }
        Some(())
    }
}
