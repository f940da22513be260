//! saphyr-parser's events to a [`Tree`].
//!
//! The events say *what* comes next; *where* it stands is read from the text itself, by a cursor that
//! walks over blanks, comments and indicators from one node to the next. Of the parser's own markers
//! only two are used, because only they are reliable: how long a plain scalar is, and whether a mapping
//! that seems to start with `{` is a flow mapping or a block mapping whose first key is one.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle as ParserStyle, Span as ParserSpan, Tag};

use super::exact::{self, Cursor};
use super::{
    Entry, MAX_DEPTH, Mapping, Node, NodeId, NodeKind, Scalar, ScalarStyle, Sequence, SyntaxError,
    Tree,
};
use crate::{SmolStr, Span};

pub(super) fn parse(text: &str) -> Tree {
    if u32::try_from(text.len()).is_err() {
        return Tree {
            error: Some(SyntaxError {
                message: "the file is larger than 4 GB".to_owned(),
                offset: 0,
            }),
            ..Tree::default()
        };
    }
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(SyntaxError {
                message: error.info().to_owned(),
                offset: offset(after(text, 0, error.marker().index(), builder.ascii)),
            }),
        };
        if let Err(error) = outcome {
            builder.stop(error);
            break;
        }
    }
    builder.finish()
}

/// Offsets fit: the text's length was checked at the start.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The byte offset `characters` characters after byte `from`. The parser counts characters, and from
/// the start of the file not reliably, so only its distances within one node are used.
fn after(text: &str, from: usize, characters: usize, ascii: bool) -> usize {
    if ascii {
        return (from + characters).min(text.len());
    }
    text[from..]
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(length, _)| from + length)
}

/// The kinds of collection, by what stands between their children.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    BlockSequence,
    BlockMapping,
    FlowSequence,
    FlowMapping,
    /// `[a: b]`: a mapping without brackets inside a flow sequence.
    FlowPair,
}

/// A collection that is not closed yet.
struct Open {
    id: NodeId,
    shape: Shape,
    /// Whether its span's start is known: a block collection starts with its first child.
    started: bool,
    /// 0-based column in characters, of a block collection that has started.
    column: usize,
    /// A mapping's key that waits for its value.
    key: Option<NodeId>,
}

struct Builder<'t> {
    text: &'t str,
    ascii: bool,
    cursor: Cursor<'t>,
    tree: Tree,
    open: Vec<Open>,
    /// Anchored nodes by the parser's anchor number.
    anchors: Vec<Option<NodeId>>,
    /// The first node of the current document: aliases do not reach back beyond it.
    document_start: u32,
}

/// What stands before a node.
#[derive(Default)]
struct Lead {
    properties: Option<Span>,
    anchor: Option<Box<str>>,
    tag: Option<Box<str>>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            ascii: text.is_ascii(),
            cursor: Cursor::new(text),
            tree: Tree {
                nodes: Vec::with_capacity(text.len() / 24),
                ..Tree::default()
            },
            open: Vec::new(),
            anchors: Vec::new(),
            document_start: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, span: ParserSpan) -> Result<(), SyntaxError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::StreamEnd => self.cursor.between_documents(false),
            Event::DocumentStart(explicit) => {
                self.cursor.between_documents(explicit);
                self.document_start = offset(self.tree.nodes.len());
            }
            Event::Alias(number) => self.alias(number)?,
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(value, style, anchor, tag, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.indicator(true);
                let lead = self.properties(anchor > 0, tag);
                let flow = self.cursor.peek() == Some(b'[');
                let shape = if flow {
                    Shape::FlowSequence
                } else {
                    Shape::BlockSequence
                };
                let kind = NodeKind::Sequence(Sequence {
                    flow,
                    items: Vec::new(),
                    dashes: Vec::new(),
                });
                self.start_collection(shape, lead, kind, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                let pair = self.starts_pair(&span);
                self.indicator(true);
                let lead = self.properties(anchor > 0, tag);
                let shape = if pair {
                    Shape::FlowPair
                } else if self.cursor.peek() == Some(b'{') && self.covers_bracket(&span, &lead) {
                    Shape::FlowMapping
                } else {
                    Shape::BlockMapping
                };
                let kind = NodeKind::Mapping(Mapping {
                    flow: shape != Shape::BlockMapping,
                    entries: Vec::new(),
                });
                self.start_collection(shape, lead, kind, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end_collection(),
        }
        Ok(())
    }

    /// Whether the mapping that starts here is a pair without brackets in a flow collection. The parser's
    /// marker is empty for one with a simple key, and covers the `?` of one with an explicit key.
    fn starts_pair(&mut self, span: &ParserSpan) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        if matches!(open.shape, Shape::BlockSequence | Shape::BlockMapping) {
            return false;
        }
        if span.start.index() == span.end.index() {
            return true;
        }
        let in_sequence = open.shape == Shape::FlowSequence;
        self.cursor.skip_commas();
        in_sequence && self.cursor.indicator_here(b'?')
    }

    /// Whether the parser's marker of the mapping before the cursor covers the `{` at the cursor: then it
    /// is a flow mapping, and not a block mapping whose first key is one.
    fn covers_bracket(&self, span: &ParserSpan, lead: &Lead) -> bool {
        let before = lead.properties.map_or(0, |properties| {
            let before = &self.text[properties.start as usize..self.cursor.at()];
            before.chars().count()
        });
        span.end.index() - span.start.index() > before
    }

    /// Walks over what stands between the last token and the next node: separators, the dash of an item,
    /// the `?` of a key, the `:` of a value. `present` is false for an absent node, whose `?` or `:` may
    /// be absent too; the result says whether there was one.
    fn indicator(&mut self, present: bool) -> bool {
        let Some(open) = self.open.last() else {
            return true;
        };
        let (id, shape, has_key, column) = (open.id, open.shape, open.key.is_some(), open.column);
        let cursor = &mut self.cursor;
        match shape {
            Shape::BlockSequence => {
                cursor.skip_trivia();
                if cursor.peek() != Some(b'-') {
                    return false;
                }
                let dash = cursor.at();
                cursor.take(1);
                if let NodeKind::Sequence(sequence) = &mut self.tree.nodes[id.0 as usize].kind {
                    sequence.dashes.push(offset(dash));
                }
                self.start_open(dash);
                true
            }
            Shape::FlowSequence => {
                cursor.skip_commas();
                true
            }
            Shape::BlockMapping if !has_key => {
                cursor.skip_trivia();
                let start = cursor.at();
                let explicit = cursor.indicator_here(b'?');
                self.start_open(start);
                if explicit {
                    self.cursor.take(1);
                }
                explicit || present
            }
            Shape::FlowMapping | Shape::FlowPair if !has_key => {
                cursor.skip_commas();
                let start = cursor.at();
                let explicit = cursor.indicator_here(b'?');
                self.start_open(start);
                if explicit {
                    self.cursor.take(1);
                }
                explicit || present
            }
            Shape::BlockMapping => {
                let key_end = cursor.last_end();
                cursor.skip_trivia();
                let own = present
                    || (cursor.indicator_here(b':')
                        && (!exact::has_break(&self.text[key_end..cursor.at()])
                            || exact::column(self.text, cursor.at()) == column));
                if own && cursor.peek() == Some(b':') {
                    cursor.take(1);
                    return true;
                }
                false
            }
            Shape::FlowMapping | Shape::FlowPair => {
                cursor.skip_trivia();
                if cursor.peek() == Some(b':') {
                    cursor.take(1);
                    return true;
                }
                false
            }
        }
    }

    /// Fixes the start of the innermost open collection, if it is not fixed yet.
    fn start_open(&mut self, at: usize) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        if open.started {
            return;
        }
        open.started = true;
        // In flow collections columns mean nothing, and a long line would have to be counted often.
        if matches!(open.shape, Shape::BlockSequence | Shape::BlockMapping) {
            open.column = exact::column(self.text, at);
        }
        self.tree.nodes[open.id.0 as usize].span = Span::empty(at);
    }

    /// Reads anchor and tag, where the event says that the node has them, and walks up to the node.
    fn properties(&mut self, anchored: bool, tag: Option<Cow<'_, Tag>>) -> Lead {
        let mut lead = Lead::default();
        if !anchored && tag.is_none() {
            self.cursor.skip_trivia();
            return lead;
        }
        let mut missing = usize::from(anchored) + usize::from(tag.is_some());
        while missing > 0 {
            self.cursor.skip_trivia();
            let span = match self.cursor.peek() {
                Some(b'&') => {
                    let span = self.cursor.take_name();
                    lead.anchor = Some(self.text[span.range()][1..].into());
                    span
                }
                Some(b'!') => self.cursor.take_tag(),
                _ => break,
            };
            lead.properties = Some(lead.properties.map_or(span, |before| before.cover(span)));
            missing -= 1;
        }
        self.cursor.skip_trivia();
        lead.tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix).into());
        lead
    }

    fn add(&mut self, span: Span, lead: Lead, kind: NodeKind, anchor: usize) -> NodeId {
        let id = NodeId(offset(self.tree.nodes.len()));
        let parent = self.open.last().map(|open| open.id);
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(id);
        }
        self.tree.nodes.push(Node {
            span,
            properties: lead.properties,
            anchor: lead.anchor,
            tag: lead.tag,
            parent,
            kind,
        });
        match self.open.last_mut() {
            None => self.tree.documents.push(id),
            Some(open) => match &mut self.tree.nodes[open.id.0 as usize].kind {
                NodeKind::Sequence(sequence) => sequence.items.push(id),
                NodeKind::Mapping(mapping) => match open.key.take() {
                    None => open.key = Some(id),
                    Some(key) => mapping.entries.push(Entry { key, value: id }),
                },
                NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
            },
        }
        id
    }

    fn alias(&mut self, number: usize) -> Result<(), SyntaxError> {
        self.indicator(true);
        self.cursor.skip_trivia();
        let span = self.cursor.take_name();
        let name: Box<str> = span.of(self.text).get(1..).unwrap_or("").into();
        let target = self.anchors.get(number).copied().flatten();
        if target.is_none_or(|target| target.0 < self.document_start) {
            return Err(SyntaxError {
                message: format!("the anchor `{name}` is not defined in this document"),
                offset: span.start,
            });
        }
        // An alias of a collection that it stands in has no end; nobody may follow it.
        let target = target.filter(|target| !self.open.iter().any(|open| open.id == *target));
        self.add(span, Lead::default(), NodeKind::Alias { name, target }, 0);
        Ok(())
    }

    fn scalar(
        &mut self,
        value: Cow<'_, str>,
        style: ParserStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        marks: ParserSpan,
    ) {
        let style = match style {
            ParserStyle::Plain => ScalarStyle::Plain,
            ParserStyle::SingleQuoted => ScalarStyle::SingleQuoted,
            ParserStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
            ParserStyle::Literal => ScalarStyle::Literal,
            ParserStyle::Folded => ScalarStyle::Folded,
        };
        let has_properties = anchor > 0 || tag.is_some();
        let absent = style == ScalarStyle::Plain && value.is_empty();
        let found = self.indicator(!absent || has_properties);
        let (span, lead) = if absent {
            let lead = if has_properties {
                let end = self.cursor.last_end();
                let lead = self.properties(anchor > 0, tag);
                debug_assert!(lead.properties.is_none_or(|p| p.start as usize >= end));
                lead
            } else {
                Lead::default()
            };
            // An absent key before its `:` stands at the colon; everything else right after what
            // announced it.
            let waits_for_key = self.open.last().is_some_and(|open| {
                open.key.is_none()
                    && matches!(
                        open.shape,
                        Shape::BlockMapping | Shape::FlowMapping | Shape::FlowPair
                    )
            });
            if waits_for_key && !found && lead.properties.is_none() {
                self.cursor.take(0);
            }
            (Span::empty(self.cursor.last_end()), lead)
        } else {
            let lead = self.properties(anchor > 0, tag);
            (self.scalar_span(style, &marks, &lead), lead)
        };
        let value = SmolStr::from(value);
        self.add(
            span,
            lead,
            NodeKind::Scalar(Scalar { style, value }),
            anchor,
        );
    }

    /// The bytes of the scalar at the cursor; moves behind it.
    fn scalar_span(&mut self, style: ScalarStyle, marks: &ParserSpan, lead: &Lead) -> Span {
        let start = self.cursor.at();
        let end = match style {
            ScalarStyle::Plain => {
                let from = lead.properties.map_or(start, |p| p.start as usize);
                let length = marks.end.index() - marks.start.index();
                after(self.text, from, length, self.ascii)
            }
            ScalarStyle::SingleQuoted => exact::single_quoted_end(self.text, start),
            ScalarStyle::DoubleQuoted => exact::double_quoted_end(self.text, start),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let parent = self.open.last().map(|open| open.column);
                match exact::Block::read(self.text, start, parent) {
                    Some(block) => {
                        // Behind a header without content the cursor will meet it anyway.
                        let inside = block.comment.filter(|c| c.end as usize <= block.end);
                        self.cursor.comments.extend(inside);
                        block.end
                    }
                    None => exact::line_end(self.text, start),
                }
            }
        };
        let span = Span::new(start, end);
        self.cursor.move_to(span.end as usize);
        span
    }

    fn start_collection(
        &mut self,
        shape: Shape,
        lead: Lead,
        kind: NodeKind,
        anchor: usize,
    ) -> Result<(), SyntaxError> {
        let at = self.cursor.at();
        if self.open.len() >= MAX_DEPTH {
            return Err(SyntaxError {
                message: format!("nested more than {MAX_DEPTH} levels deep"),
                offset: offset(at),
            });
        }
        let id = self.add(Span::empty(at), lead, kind, anchor);
        let brackets = matches!(shape, Shape::FlowSequence | Shape::FlowMapping);
        if brackets {
            self.cursor.take(1);
        }
        self.open.push(Open {
            id,
            shape,
            started: brackets,
            column: 0,
            key: None,
        });
        Ok(())
    }

    fn end_collection(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let bracket = match open.shape {
            Shape::FlowSequence => Some(b']'),
            Shape::FlowMapping => Some(b'}'),
            _ => None,
        };
        if let Some(bracket) = bracket {
            self.cursor.skip_commas();
            if self.cursor.peek() == Some(bracket) {
                self.cursor.take(1);
            }
        } else if open.shape == Shape::FlowPair {
            // The parser lets `}` close a pair, and notices only at the end of the brackets around it.
            self.cursor.skip_trivia();
            if self.cursor.peek() == Some(b'}') {
                self.cursor.take(1);
            }
        }
        self.close(&open);
    }

    fn close(&mut self, open: &Open) {
        let end = offset(self.cursor.last_end());
        let node = &mut self.tree.nodes[open.id.0 as usize];
        if !open.started {
            node.span.start = end;
        }
        node.span.end = end.max(node.span.start);
        if let NodeKind::Sequence(sequence) = &mut node.kind {
            // The reading may have stopped between a dash and its item.
            sequence.dashes.truncate(sequence.items.len());
        }
    }

    /// Keeps what was read before `error`: open collections end where reading ended.
    fn stop(&mut self, error: SyntaxError) {
        self.tree.error = Some(error);
        while let Some(open) = self.open.last() {
            if open.key.is_some() {
                let span = Span::empty(self.cursor.last_end());
                let absent = NodeKind::Scalar(Scalar {
                    style: ScalarStyle::Plain,
                    value: "".into(),
                });
                self.add(span, Lead::default(), absent, 0);
            }
            if let Some(open) = self.open.pop() {
                self.close(&open);
            }
        }
        self.cursor.skip_trivia();
    }

    fn finish(mut self) -> Tree {
        self.tree.comments = self.cursor.comments;
        self.tree
    }
}
