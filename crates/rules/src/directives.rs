//! Comments that tell tagwright to keep quiet: `# tagwright: ignore[rule] reason`.
//!
//! A directive stands in a YAML comment, or in a shell comment of a literal (`|`) script. Behind something it
//! holds for its line; alone on its line, for the line below. A scalar that begins on that line, or ends
//! there, is covered whole, because no comment can stand inside most of them. `ignore-block` covers
//! everything below the key or item that comes next, `ignore-file` the whole file.

use tagwright_flow::FileId;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::{NodeId, NodeKind, ScalarStyle, Tree};

use crate::{Change, ChangeKind, WordEffect};

/// What every directive begins with, after the `#` and blanks.
pub const MARK: &str = "tagwright:";

/// The words that silence something. A comment with any other word silences nothing.
pub const WORDS: [&str; 3] = ["ignore", "ignore-block", "ignore-file"];

/// A comment that is addressed to tagwright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The file.
    pub file: FileId,
    /// The comment, from its `#` to the end of its line.
    pub span: Span,
    /// The word after the mark: `ignore`, `ignore-block`, `ignore-file`, or something unknown.
    pub word: Box<str>,
    /// The rules in brackets, with their bytes in the file.
    pub names: Vec<(Span, Box<str>)>,
    /// Whether there were brackets at all.
    pub has_brackets: bool,
    /// What stands behind the brackets.
    pub reason: Option<Box<str>>,
    /// The bytes of the file that it holds for.
    pub covers: Result<Span, Misplaced>,
    /// What the comment is part of.
    pub host: Host,
}

/// What a directive is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// A YAML comment.
    Yaml,
    /// A comment of the literal script `node`, at `range` of its decoded value.
    Shell {
        /// The scalar.
        node: NodeId,
        /// Decoded bytes, from the `#` to the end of the line.
        range: Span,
    },
    /// A comment of a file that is not YAML.
    Other,
    /// No comment at all: text that is handed to the shell.
    Text,
}

/// Why a directive holds for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// What stands there is no comment but part of a value.
    NotAComment,
    /// Nothing follows that it could hold for.
    NothingBelow,
    /// `ignore-file` below the first line of the content.
    BelowContent,
    /// `ignore-file` or `ignore-block` behind something, or in a script.
    NotAlone,
}

impl Directive {
    /// Whether its word is one of [`WORDS`].
    #[must_use]
    pub fn is_known(&self) -> bool {
        WORDS.contains(&&*self.word)
    }

    /// Whether it silences `rule` at `place`, the first byte of a finding; then the index of the name that does.
    #[must_use]
    pub fn silences(&self, rule: &str, place: u32) -> Option<usize> {
        if !self.is_known() {
            return None;
        }
        let covers = self.covers.ok()?;
        // A finding at the very end of a line or file belongs to it too.
        if place < covers.start || place > covers.end {
            return None;
        }
        self.names.iter().position(|(_, name)| &**name == rule)
    }

    /// The change that gives the comment the text `text`, which starts with `#`; nothing removes it.
    #[must_use]
    pub fn rewrite(&self, tree: &Tree, file_text: &str, text: &str) -> Option<Change> {
        match self.host {
            Host::Yaml => Some(Change {
                file: self.file,
                node: tree.root()?,
                kind: ChangeKind::ReplaceComment {
                    comment: self.span,
                    text: text.to_owned(),
                },
            }),
            Host::Shell { node, range } => {
                let value = tree.text(node)?;
                let range = if text.is_empty() {
                    without_comment(value, range)
                } else {
                    range
                };
                // A scalar that cannot be mapped byte by byte is never rewritten.
                tree.source_map(file_text, node)?;
                Some(Change {
                    file: self.file,
                    node,
                    kind: ChangeKind::Replace {
                        range,
                        text: text.to_owned(),
                        words: WordEffect::Comment,
                    },
                })
            }
            Host::Other | Host::Text => None,
        }
    }

    /// The comment's text with `names` in its brackets and `word` before them.
    #[must_use]
    pub fn with(&self, word: &str, names: &[&str]) -> String {
        let reason = self.reason.as_deref().unwrap_or("");
        comment(word, names, reason)
    }
}

/// A directive's text: `# tagwright: ignore[a, b] reason`.
#[must_use]
pub fn comment(word: &str, names: &[&str], reason: &str) -> String {
    let space = if reason.is_empty() { "" } else { " " };
    format!("# {MARK} {word}[{}]{space}{reason}", names.join(", "))
}

/// The range that goes when the shell comment at `range` goes: its whole line if it is alone there, else the
/// blanks before it too.
fn without_comment(value: &str, range: Span) -> Span {
    let before = value.get(..range.start as usize).unwrap_or("");
    let kept = before.trim_end_matches([' ', '\t']);
    let end = range.end as usize;
    if kept.is_empty() || kept.ends_with('\n') {
        let whole = end + usize::from(value[end..].starts_with('\n'));
        return Span::new(kept.len(), whole);
    }
    Span::new(kept.len(), end)
}

/// The directives of a file that was read as YAML.
#[must_use]
pub fn of_yaml(file: FileId, text: &str, tree: &Tree) -> Vec<Directive> {
    let scalars = Scalars::new(tree);
    occurrences(text)
        .filter_map(|hash| {
            let span = Span::new(hash, line_end(text, hash));
            let comment = tree
                .comments()
                .binary_search_by_key(&span.start, |comment| comment.start)
                .is_ok();
            let (host, span) = if comment {
                (Host::Yaml, span)
            } else {
                scalars.host(text, tree, span)?
            };
            Some(read(file, text, span, host, |kind| {
                scalars.covers(text, tree, span, host, kind)
            }))
        })
        .collect()
}

/// The directives of a file of another language whose comments start with `#`. Each is alone on its line.
#[must_use]
pub fn of_lines(file: FileId, text: &str) -> Vec<Directive> {
    occurrences(text)
        .filter(|hash| is_alone(text, *hash))
        .map(|hash| {
            let span = Span::new(hash, line_end(text, hash));
            read(file, text, span, Host::Other, |kind| match kind {
                Kind::File => Ok(Span::new(0, text.len())),
                Kind::Block => Err(Misplaced::NotAlone),
                Kind::Line => next_line(text, span.end as usize, text.len())
                    .map(|start| Span::new(start, line_end(text, start)))
                    .ok_or(Misplaced::NothingBelow),
            })
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Block,
    File,
}

/// The offsets of every `#` that only blanks separate from [`MARK`].
fn occurrences(text: &str) -> impl Iterator<Item = usize> + '_ {
    memchr::memmem::find_iter(text.as_bytes(), MARK).filter_map(|mark| {
        let before = text[..mark].trim_end_matches([' ', '\t']);
        before.ends_with('#').then(|| before.len() - 1)
    })
}

fn read(
    file: FileId,
    text: &str,
    span: Span,
    host: Host,
    covers: impl FnOnce(Kind) -> Result<Span, Misplaced>,
) -> Directive {
    let comment = span.of(text);
    let after = comment
        .find(MARK)
        .map_or(comment.len(), |at| at + MARK.len());
    let rest = comment[after..].trim_start();
    let start = comment.len() - rest.len();
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(rest.len());
    let word = &rest[..length];
    let mut names = Vec::new();
    let tail = &rest[length..];
    let brackets = tail
        .strip_prefix('[')
        .and_then(|inside| inside.split_once(']'));
    let mut reason = tail;
    if let Some((inside, behind)) = brackets {
        reason = behind;
        let mut at = span.start as usize + start + length + 1;
        for piece in inside.split(',') {
            let name = piece.trim();
            if !name.is_empty() {
                let from = at + (piece.len() - piece.trim_start().len());
                names.push((Span::new(from, from + name.len()), name.into()));
            }
            at += piece.len() + 1;
        }
    }
    let reason = reason
        .trim()
        .trim_start_matches([':', '-', '–', '—'])
        .trim();
    let kind = match word {
        "ignore-block" => Kind::Block,
        "ignore-file" => Kind::File,
        _ => Kind::Line,
    };
    Directive {
        file,
        span,
        word: word.into(),
        names,
        has_brackets: brackets.is_some(),
        reason: (!reason.is_empty()).then(|| reason.into()),
        covers: covers(kind),
        host,
    }
}

/// The scalars of a tree in the order of the text, in which none lies inside another.
struct Scalars(Vec<(Span, NodeId)>);

impl Scalars {
    fn new(tree: &Tree) -> Self {
        let scalars = tree
            .nodes()
            .filter(|(_, node)| matches!(node.kind, NodeKind::Scalar(_)) && !node.span.is_empty());
        Self(scalars.map(|(id, node)| (node.span, id)).collect())
    }

    /// What a mark inside a scalar is; `None` if no scalar holds it, as in the part of a file that could not be
    /// read.
    fn host(&self, text: &str, tree: &Tree, span: Span) -> Option<(Host, Span)> {
        let behind = self.0.partition_point(|(it, _)| it.start <= span.start);
        let (holder, node) = *self.0.get(behind.checked_sub(1)?)?;
        let scalar = tree.scalar(node).filter(|_| holder.contains(span))?;
        if scalar.style != ScalarStyle::Literal {
            return Some((Host::Text, span));
        }
        let blank = text[..span.start as usize].ends_with([' ', '\t', '\n', '\r']);
        let range = tree.source_map(text, node).and_then(|map| {
            let start = map.decoded(span.start)?;
            let value = scalar.value.get(start as usize..)?;
            let length = value.find('\n').unwrap_or(value.len());
            Some(Span::new(start as usize, start as usize + length))
        });
        match range {
            Some(range) if blank => Some((Host::Shell { node, range }, span)),
            _ => Some((Host::Text, span)),
        }
    }

    fn covers(
        &self,
        text: &str,
        tree: &Tree,
        span: Span,
        host: Host,
        kind: Kind,
    ) -> Result<Span, Misplaced> {
        let at = span.start as usize;
        match host {
            Host::Text | Host::Other => Err(Misplaced::NotAComment),
            Host::Shell { node, .. } => {
                if kind != Kind::Line {
                    return Err(Misplaced::NotAlone);
                }
                let script = tree.node(node).span;
                let first = if is_alone(text, at) {
                    next_line(text, span.end as usize, script.end as usize)
                        .ok_or(Misplaced::NothingBelow)?
                } else {
                    line_start(text, at)
                };
                Ok(continued(text, script, first))
            }
            Host::Yaml if kind == Kind::File => {
                let content = tree.root().map(|root| tree.node(root).span.start);
                if !is_alone(text, at) {
                    Err(Misplaced::NotAlone)
                } else if content.is_some_and(|content| content < span.start) {
                    Err(Misplaced::BelowContent)
                } else {
                    Ok(Span::new(0, text.len()))
                }
            }
            Host::Yaml => {
                let alone = is_alone(text, at);
                if kind == Kind::Block && !alone {
                    return Err(Misplaced::NotAlone);
                }
                let line = if alone {
                    next_line(text, span.end as usize, text.len()).ok_or(Misplaced::NothingBelow)?
                } else {
                    line_start(text, at)
                };
                let line = Span::new(line, line_end(text, line));
                Ok(if kind == Kind::Block {
                    block(tree, line)
                } else {
                    self.with_line(text, line)
                })
            }
        }
    }

    /// The line with all scalars that begin or end on it.
    fn with_line(&self, text: &str, line: Span) -> Span {
        let mut covered = line;
        let first = self.0.partition_point(|(it, _)| it.end <= line.start);
        for (span, _) in self.0[first..]
            .iter()
            .take_while(|(it, _)| it.start < line.end)
        {
            let begins = line.start <= span.start;
            let ends = span.end <= line.end;
            if begins || ends {
                let start = line_start(text, span.start as usize);
                covered = covered.cover(Span::new(start, span.end as usize));
            }
        }
        covered
    }
}

/// The line with everything below the keys and items that begin on it.
fn block(tree: &Tree, line: Span) -> Span {
    let within = |offset: u32| line.start <= offset && offset < line.end;
    let mut covered = line;
    for (_, node) in tree.nodes() {
        match &node.kind {
            NodeKind::Mapping(mapping) => {
                for entry in &mapping.entries {
                    if within(tree.node(entry.key).span.start) {
                        covered = covered.cover(tree.node(entry.value).span);
                    }
                }
            }
            NodeKind::Sequence(sequence) => {
                for (dash, item) in sequence.dashes.iter().zip(&sequence.items) {
                    if within(*dash) {
                        covered = covered.cover(tree.node(*item).span);
                    }
                }
            }
            NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
        }
    }
    covered
}

/// The line that starts at `first` with the lines that backslashes join to it.
fn continued(text: &str, script: Span, first: usize) -> Span {
    let (mut start, mut end) = (first, line_end(text, first));
    while start > script.start as usize {
        let before = text[..start].trim_end_matches(['\n', '\r']);
        if !before.ends_with('\\') {
            break;
        }
        start = line_start(text, before.len());
    }
    while text[..end].ends_with('\\') && end < script.end as usize {
        let next = end + text[end..].len() - text[end..].trim_start_matches(['\r', '\n']).len();
        end = line_end(text, next);
    }
    Span::new(start, end)
}

/// The start of the first line behind `from`, before `end`, that holds more than blanks and a comment.
pub(crate) fn next_line(text: &str, from: usize, end: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let length = text.get(at..end)?.find(['\n', '\r'])?;
        at += length + 1;
        let line = text
            .get(at..line_end(text, at))?
            .trim_start_matches([' ', '\t']);
        if at < end && !line.is_empty() && !line.starts_with('#') {
            return Some(at);
        }
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |found| found + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find(['\n', '\r'])
        .map_or(text.len(), |found| at + found)
}

/// Whether only blanks stand before `at` on its line.
fn is_alone(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at]
        .trim_start_matches('\u{feff}')
        .bytes()
        .all(|byte| byte == b' ' || byte == b'\t')
}

/// The changes that make `rules` quiet at `place` (a byte of the file), with `reason`: a directive above the
/// scalar that holds the place, or more names in one that is there already. `None` where no comment can do that.
#[must_use]
pub fn add(
    file: FileId,
    text: &str,
    tree: &Tree,
    place: u32,
    rules: &[&str],
    reason: &str,
) -> Option<Change> {
    if tree.is_whole() {
        // In a script the comment's place is among commands that only the shell understands.
        return None;
    }
    // A comment ends with its line, and what looks like brackets would be read as such.
    let reason: String = reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let reason = reason.trim();
    let holder = tree
        .nodes()
        .filter(|(_, node)| {
            matches!(node.kind, NodeKind::Scalar(_) | NodeKind::Alias { .. })
                && !node.span.is_empty()
                && node.span.start <= place
                && place <= node.span.end
        })
        .map(|(id, _)| id)
        .last()
        .or_else(|| {
            // A finding about a whole mapping or list stands at its first key or item.
            let mut inside = tree.nodes().filter(|(_, node)| {
                matches!(node.kind, NodeKind::Scalar(_)) && node.span.start >= place
            });
            inside.next().map(|(id, _)| id)
        });
    let node = holder?;
    let line = line_start(text, tree.node(node).span.start as usize);
    let covered = Scalars::new(tree).with_line(text, Span::new(line, line_end(text, line)));
    let whole = place < covered.start || place > covered.end;
    let word = if whole { "ignore-file" } else { "ignore" };
    let existing = of_yaml(file, text, tree).into_iter().find(|directive| {
        &*directive.word == word
            && directive.host == Host::Yaml
            && directive
                .covers
                .is_ok_and(|covers| covers.start <= place && place <= covers.end)
    });
    if let Some(directive) = existing {
        let mut names: Vec<&str> = directive.names.iter().map(|(_, name)| &**name).collect();
        names.extend(
            rules
                .iter()
                .filter(|rule| !directive.names.iter().any(|(_, name)| **name == ***rule)),
        );
        return directive.rewrite(tree, text, &directive.with(word, &names));
    }
    Some(Change {
        file,
        node: if whole { tree.root()? } else { node },
        kind: ChangeKind::InsertComment {
            text: comment(word, rules, reason),
        },
    })
}
