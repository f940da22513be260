//! Expressions: what a word stands for, as far as the text tells.
//!
//! An expression is a row of atoms: text, variables, and things only the shell can compute. Every atom
//! of text remembers where it is written, so that `latest` found behind two assignments can be shown,
//! and replaced, where it stands. [`Environment`] holds what simple assignments have said so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwright_syntax::shell::{Part, PartKind, Quoting, Word};
use tagwright_syntax::yaml::NodeId;
use tagwright_syntax::{SmolStr, Span};

/// What `${X}` would become if it were written at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expansion {
    /// The shell of the build expands it.
    Shell,
    /// Inside shell single quotes: only if the quotes are closed around it.
    SingleQuoted,
    /// In the text of an inner shell, behind single quotes: expands there if the variable is exported.
    InnerShell,
    /// AWS Copilot replaces it while reading the manifest, from the exported environment.
    CopilotManifest,
    /// Nothing expands it; the reason, to be read after "because".
    Never(Reason),
}

/// Why nothing expands a variable at a place. One byte, since every place of a workspace may hold one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// In single quotes of a nested script.
    NestedSingleQuotes,
    /// In `env.variables`.
    EnvVariables,
    /// In PowerShell.
    PowerShell,
    /// For cmd.exe.
    Cmd,
    /// In a template of another tool.
    Template,
    /// In a command that is no complete shell text.
    Repaired,
    /// In a buildspec of version 0.1.
    Isolated,
    /// In a step of a runner, or in what it is given.
    Step,
    /// In a here-document with a quoted delimiter.
    QuotedDocument,
    /// In a command for another machine.
    Elsewhere,
    /// In a shell that gets an environment of its own.
    OwnEnvironment,
    /// In a nested script that is no complete shell text.
    NestedRepaired,
    /// In a task definition.
    TaskDefinition,
    /// In a file for CodePipeline.
    ImageDefinitions,
    /// In Dockerrun.aws.json.
    Dockerrun,
    /// In a Kubernetes manifest.
    Kubernetes,
    /// In the `batch` section.
    Batch,
    /// In a Copilot pipeline manifest.
    PipelineManifest,
    /// In a Compose file.
    Compose,
    /// In a CloudFormation template.
    CloudFormation,
}

impl Reason {
    /// The reason, to be read after "because".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::NestedSingleQuotes => "it stands in single quotes inside a nested script",
            Reason::EnvVariables => "env.variables is literal text, in which nothing is expanded",
            Reason::PowerShell => {
                "the commands are PowerShell, which tagwright reads but does not rewrite"
            }
            Reason::Cmd => "the commands run in cmd.exe, which tagwright does not rewrite",
            Reason::Template => "the file is a template, whose own language may read `${…}`",
            Reason::Repaired => "the command could only be read after a repair",
            Reason::Isolated => {
                "in version 0.1 every command runs in a shell of its own, so no variable reaches it"
            }
            Reason::Step => {
                "every step runs in a shell of its own, so no variable of an earlier one reaches it"
            }
            Reason::QuotedDocument => {
                "the here-document's delimiter is quoted, so nothing in it is expanded"
            }
            Reason::Elsewhere => {
                "the command runs on another machine or in a container, where the variable does not exist"
            }
            Reason::OwnEnvironment => {
                "the command runs in a shell of its own environment, where the variable does not exist"
            }
            Reason::NestedRepaired => "the nested command could only be read after a repair",
            Reason::TaskDefinition => "a task definition is read as it is",
            Reason::ImageDefinitions => "CodePipeline reads the file as it is",
            Reason::Dockerrun => "Elastic Beanstalk reads the file as it is",
            Reason::Kubernetes => "Kubernetes expands no variables in a manifest",
            Reason::Batch => "CodeBuild reads the batch section as it is",
            Reason::PipelineManifest => "Copilot expands nothing in a pipeline manifest",
            Reason::CloudFormation => "CloudFormation expands no shell variables",
            Reason::Compose => {
                "the Compose file is also read outside the build, where the variable is not set"
            }
        }
    }
}

/// Where a piece of text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// The scalar.
    pub node: NodeId,
    /// Bytes of the scalar's decoded value.
    pub range: Span,
    /// Bytes of the file, for printing.
    pub source: Span,
    /// What a variable would become here.
    pub expansion: Expansion,
    /// Whether the text stands inside double quotes of an outer shell (`sh -c "…"`), where a further
    /// double quote would end them.
    pub inside_quotes: bool,
}

impl Site {
    /// A part of this site: `start..end` in bytes from its start. Only for sites whose decoded and
    /// source ranges have one length, which all sites of literal atoms do.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Site {
        let cut = |span: Span| Span::new(span.start as usize + start, span.start as usize + end);
        Site {
            range: cut(self.range),
            source: cut(self.source),
            ..*self
        }
    }
}

/// How a piece of text came to the place where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It is written there.
    Written,
    /// Through an assignment to this variable.
    Assigned(SmolStr),
    /// As the fallback of `${X:-…}` of this variable.
    Fallback(SmolStr),
    /// From `env.variables`, where text is literal.
    EnvVariables(SmolStr),
    /// As this variable, or the argument of this number, from what runs the script.
    Given(SmolStr),
}

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Atom {
    /// What it is.
    pub kind: AtomKind,
    /// Where it is written, if that is certain.
    pub site: Option<Site>,
    /// How it came here.
    pub origin: Origin,
}

/// What a piece of an expression is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AtomKind {
    /// Text.
    Literal(SmolStr),
    /// A variable that nothing in the file defines; the name, with its operator if it has one
    /// (`CODEBUILD_BUILD_ID##*:`).
    Variable(SmolStr),
    /// What only the shell can compute; its source text.
    Computed(SmolStr),
}

impl AtomKind {
    /// Bytes of it in [`Expression::key`].
    fn length(&self) -> usize {
        match self {
            AtomKind::Literal(text) | AtomKind::Computed(text) => text.len(),
            AtomKind::Variable(name) => name.len() + "${}".len(),
        }
    }
}

/// A row of atoms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Expression {
    /// The atoms, in order; neighbouring literals are not joined.
    pub atoms: Vec<Atom>,
}

impl Expression {
    /// Text that stands at `site`.
    #[must_use]
    pub fn literal(text: &str, site: Option<Site>, origin: Origin) -> Self {
        Self {
            atoms: vec![Atom {
                kind: AtomKind::Literal(text.into()),
                site,
                origin,
            }],
        }
    }

    /// One atom.
    fn of(atom: &Atom) -> Self {
        Self {
            atoms: vec![atom.clone()],
        }
    }

    /// The text, if nothing in it is unknown.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        let mut text = String::new();
        for atom in &self.atoms {
            let AtomKind::Literal(literal) = &atom.kind else {
                return None;
            };
            text.push_str(literal);
        }
        Some(text)
    }

    /// A canonical spelling: equal for expressions that stand for the same text.
    #[must_use]
    pub fn key(&self) -> String {
        let length = self.atoms.iter().map(|atom| atom.kind.length()).sum();
        let mut key = String::with_capacity(length);
        for atom in &self.atoms {
            match &atom.kind {
                AtomKind::Literal(text) => key.push_str(text),
                AtomKind::Variable(name) => {
                    key.push_str("${");
                    key.push_str(name);
                    key.push('}');
                }
                AtomKind::Computed(text) => key.push_str(text),
            }
        }
        key
    }

    /// Whether any atom is a variable or computed.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.atoms
            .iter()
            .any(|atom| !matches!(atom.kind, AtomKind::Literal(_)))
    }

    /// The names of the variables left in it, without operators.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.atoms.iter().filter_map(|atom| match &atom.kind {
            AtomKind::Variable(name) => Some(plain_name(name)),
            _ => None,
        })
    }

    fn push(&mut self, atom: Atom) {
        if !matches!(&atom.kind, AtomKind::Literal(text) if text.is_empty()) {
            self.atoms.push(atom);
        }
    }

    /// Splits the expression at byte `at` of the literal atom `atom`, leaving out `skip` bytes there.
    fn split(&self, atom: usize, at: usize, skip: usize) -> (Expression, Expression) {
        let mut left = Expression {
            atoms: self.atoms[..atom].to_vec(),
        };
        let mut right = Expression::default();
        if let AtomKind::Literal(text) = &self.atoms[atom].kind {
            let piece = |start: usize, end: usize| Atom {
                kind: AtomKind::Literal(text.get(start..end).unwrap_or("").into()),
                site: self.atoms[atom].site.map(|site| site.slice(start, end)),
                origin: self.atoms[atom].origin.clone(),
            };
            left.push(piece(0, at));
            right.push(piece(at + skip, text.len()));
        }
        right.atoms.extend(self.atoms[atom + 1..].iter().cloned());
        (left, right)
    }
}

/// The repository of an image, resolved: what [`Expression::key`] gives, and which pieces of it are not
/// text. Kept for every use of a workspace, so it is compact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Repository {
    /// Shared by the places of a file that name the same; `None` where nothing is known.
    named: Option<Arc<Named>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Named {
    key: SmolStr,
    /// The pieces that are not text, and whether they are variables.
    unknown: Box<[(Span, bool)]>,
}

/// A piece of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// A variable; its name, with its operator if it has one.
    Variable(&'a str),
    /// What only the shell can compute.
    Computed(&'a str),
}

impl Repository {
    /// Equal for repositories that stand for the same text within one file; empty where nothing is known.
    #[must_use]
    pub fn key(&self) -> &str {
        self.named.as_ref().map_or("", |named| &named.key)
    }

    /// The same, to keep.
    pub(crate) fn name(&self) -> SmolStr {
        self.named
            .as_ref()
            .map_or_else(SmolStr::default, |named| named.key.clone())
    }

    /// What is text behind the last piece that is not.
    pub(crate) fn final_text(&self) -> &str {
        let start = self.unknown().last().map_or(0, |(span, _)| span.end);
        self.key().get(start as usize..).unwrap_or("")
    }

    fn unknown(&self) -> &[(Span, bool)] {
        self.named.as_ref().map_or(&[], |named| &named.unknown)
    }

    /// Whether it is what [`Repository::from`] makes of the expression.
    pub(crate) fn stands_for(&self, expression: &Expression) -> bool {
        let mut rest = self.key();
        let mut unknown = self.unknown().iter();
        let mut at = 0;
        for atom in &expression.atoms {
            let after = match &atom.kind {
                AtomKind::Literal(text) | AtomKind::Computed(text) => rest.strip_prefix(&**text),
                AtomKind::Variable(name) => rest
                    .strip_prefix("${")
                    .and_then(|rest| rest.strip_prefix(&**name))
                    .and_then(|rest| rest.strip_prefix('}')),
            };
            let Some(after) = after else {
                return false;
            };
            let span = Span::new(at, at + rest.len() - after.len());
            let variable = match &atom.kind {
                AtomKind::Literal(_) => None,
                AtomKind::Variable(_) => Some(true),
                AtomKind::Computed(_) => Some(false),
            };
            if variable.is_some_and(|variable| unknown.next() != Some(&(span, variable))) {
                return false;
            }
            at = span.end as usize;
            rest = after;
        }
        rest.is_empty() && unknown.next().is_none()
    }

    /// Whether any piece is not text.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        !self.unknown().is_empty()
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = Piece<'_>> {
        let (key, unknown) = (self.key(), self.unknown());
        let mut pieces = Vec::with_capacity(2 * unknown.len() + 1);
        let mut at = 0;
        for (span, variable) in unknown {
            if at < span.start {
                pieces.push(Piece::Text(
                    Span {
                        start: at,
                        end: span.start,
                    }
                    .of(key),
                ));
            }
            let text = span.of(key);
            pieces.push(if *variable {
                Piece::Variable(text.trim_start_matches("${").trim_end_matches('}'))
            } else {
                Piece::Computed(text)
            });
            at = span.end;
        }
        if (at as usize) < key.len() {
            pieces.push(Piece::Text(&key[at as usize..]));
        }
        pieces.into_iter()
    }
}

impl From<&Expression> for Repository {
    fn from(expression: &Expression) -> Self {
        let key = expression.key();
        let mut at = 0;
        let unknown = expression.atoms.iter().filter_map(|atom| {
            let span = Span::new(at, at + atom.kind.length());
            at = span.end as usize;
            match atom.kind {
                AtomKind::Literal(_) => None,
                AtomKind::Variable(_) => Some((span, true)),
                AtomKind::Computed(_) => Some((span, false)),
            }
        });
        let unknown: Box<[(Span, bool)]> = unknown.collect();
        Self {
            named: (!key.is_empty()).then(|| {
                Arc::new(Named {
                    key: key.into(),
                    unknown,
                })
            }),
        }
    }
}

/// A variable's name without the operator that follows it.
#[must_use]
pub fn plain_name(name: &str) -> &str {
    let end = name
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(name.len());
    &name[..end]
}

/// The plain variables in a text, `$NAME` and `${NAME}`, with names as the environment has them.
pub(crate) fn plain_variables(text: &str) -> impl Iterator<Item = Span> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let inner = rest.strip_prefix('{');
        let name = plain_name(inner.unwrap_or(rest));
        let closed = inner.is_none_or(|inner| inner[name.len()..].starts_with('}'));
        let upper = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        let alone = !text[..at].ends_with(['$', '\\']);
        let length = name.len() + if inner.is_some() { 3 } else { 1 };
        (closed && upper && alone).then(|| Span::new(at, at + length))
    })
}

/// An image reference, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The part before the tag.
    pub repository: Expression,
    /// What follows.
    pub tag: SplitTag,
}

/// What follows the repository in a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitTag {
    /// Nothing, and there is no place where a tag could hide.
    None,
    /// Nothing that is written; a variable in the last component may hold it.
    Hidden,
    /// `:tag`.
    Tag(Expression),
    /// `@sha256:…`.
    Digest,
}

/// Splits a reference into repository and tag: the tag is what follows the last colon after the last
/// slash (distribution/reference `regexp.go`, 2026-04), so a registry's port is none.
#[must_use]
pub fn split_reference(reference: &Expression) -> Split {
    let mut colon = None;
    let mut hidden = false;
    'scan: for (index, atom) in reference.atoms.iter().enumerate().rev() {
        match &atom.kind {
            AtomKind::Literal(text) => {
                for (at, byte) in text.bytes().enumerate().rev() {
                    match byte {
                        b'/' => break 'scan,
                        b'@' => {
                            let (repository, _) = reference.split(index, at, 1);
                            let repository = split_reference(&repository).repository;
                            return Split {
                                repository,
                                tag: SplitTag::Digest,
                            };
                        }
                        b':' if colon.is_none() => colon = Some((index, at)),
                        _ => {}
                    }
                }
            }
            AtomKind::Variable(_) | AtomKind::Computed(_) => {
                if colon.is_none() {
                    hidden = true;
                }
            }
        }
    }
    match colon {
        Some((index, at)) => {
            let (repository, tag) = reference.split(index, at, 1);
            Split {
                repository,
                tag: SplitTag::Tag(tag),
            }
        }
        None => Split {
            repository: reference.clone(),
            tag: if hidden {
                SplitTag::Hidden
            } else {
                SplitTag::None
            },
        },
    }
}

/// What is known of the variables at one point of a file.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    bindings: BTreeMap<SmolStr, Vec<Expression>>,
    /// What has to be put back at the end of a scope, last first; `None` outside of scopes.
    scope: Option<Vec<(SmolStr, Option<Vec<Expression>>)>>,
}

/// No more alternatives than this are followed; beyond it a variable stays a variable.
pub(crate) const MAX_ALTERNATIVES: usize = 6;

/// A value of more atoms, or of more bytes, is not put in place of its variable, which stays a variable: a
/// value that names itself twice would double with every assignment. The longest image reference that a
/// registry takes has less than 512 bytes.
const MAX_ATOMS: usize = 64;
const MAX_BYTES: usize = 4096;

impl Environment {
    /// Records `name=value`. A conditional assignment adds an alternative; without an earlier value the
    /// unknown one stays among them.
    pub fn assign(&mut self, name: &str, values: Vec<Expression>, conditional: bool) {
        self.remember(name);
        if !conditional {
            self.bindings.insert(name.into(), values);
            return;
        }
        let known = self.bindings.entry(name.into()).or_insert_with(|| {
            vec![Expression {
                atoms: vec![Atom {
                    kind: AtomKind::Variable(name.into()),
                    site: None,
                    origin: Origin::Written,
                }],
            }]
        });
        for value in values {
            // One more than are followed is enough to know that they are too many.
            if known.len() > MAX_ALTERNATIVES {
                return;
            }
            if !known.contains(&value) {
                known.push(value);
            }
        }
    }

    /// Forgets a variable: a loop or `read` sets it.
    pub fn forget(&mut self, name: &str) {
        self.remember(name);
        self.bindings.remove(name);
    }

    /// Forgets a variable; gives what was known of it, for [`Environment::restore`].
    pub(crate) fn take(&mut self, name: &str) -> Option<Vec<Expression>> {
        self.remember(name);
        self.bindings.remove(name)
    }

    /// Puts back what [`Environment::take`] gave.
    pub(crate) fn restore(&mut self, name: SmolStr, values: Option<Vec<Expression>>) {
        self.remember(&name);
        match values {
            Some(values) => self.bindings.insert(name, values),
            None => self.bindings.remove(&name),
        };
    }

    /// What is assigned and forgotten from here on is undone by [`Environment::end_scope`]. Scopes do not nest.
    pub fn begin_scope(&mut self) {
        self.scope = Some(Vec::new());
    }

    /// Puts back what was known at [`Environment::begin_scope`].
    pub fn end_scope(&mut self) {
        for (name, values) in self.scope.take().into_iter().flatten().rev() {
            match values {
                Some(values) => self.bindings.insert(name, values),
                None => self.bindings.remove(&name),
            };
        }
    }

    fn remember(&mut self, name: &str) {
        if let Some(scope) = &mut self.scope {
            scope.push((name.into(), self.bindings.get(name).cloned()));
        }
    }

    /// All variables that something is known of, by name.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&SmolStr, &[Expression])> {
        self.bindings
            .iter()
            .map(|(name, values)| (name, values.as_slice()))
    }

    /// What may stand behind `name`; empty if nothing in the file says.
    #[must_use]
    pub fn values(&self, name: &str) -> &[Expression] {
        self.bindings.get(name).map_or(&[], Vec::as_slice)
    }

    /// The values that `expression` may have, its variables replaced by what they hold. A variable stays a
    /// variable where too many values would come of it, or one that is too long.
    #[must_use]
    pub fn resolve(&self, expression: &Raw) -> Vec<Expression> {
        let mut results = vec![Expression::default()];
        for piece in &expression.pieces {
            // Mostly there is one alternative: nothing has to be copied for it.
            let single = match piece {
                RawPiece::Atom(atom) => Some(std::slice::from_ref(atom)),
                RawPiece::Variable { atom, name } => match self.values(name) {
                    [] => Some(std::slice::from_ref(atom)),
                    [value] if fits(&results, &value.atoms) => Some(&value.atoms[..]),
                    [_] => Some(std::slice::from_ref(atom)),
                    _ => None,
                },
                RawPiece::Fallback { .. } => None,
            };
            if let Some(atoms) = single {
                for result in &mut results {
                    result.atoms.reserve(atoms.len());
                    for atom in atoms {
                        result.push(atom.clone());
                    }
                }
                continue;
            }
            let alternatives = self.alternatives(piece);
            let few = results.len() * alternatives.len() <= MAX_ALTERNATIVES;
            if !few || !alternatives.iter().all(|it| fits(&results, &it.atoms)) {
                for result in &mut results {
                    result.push(piece.atom().clone());
                }
                continue;
            }
            results = results
                .iter()
                .flat_map(|result| {
                    alternatives.iter().map(|alternative| {
                        let mut longer = result.clone();
                        for atom in &alternative.atoms {
                            longer.push(atom.clone());
                        }
                        longer
                    })
                })
                .collect();
        }
        results
    }

    /// What a variable that has several values, or a fallback, may stand for.
    fn alternatives(&self, piece: &RawPiece) -> Vec<Expression> {
        let (name, operand) = match piece {
            RawPiece::Atom(atom) => return vec![Expression::of(atom)],
            RawPiece::Variable { name, .. } => (name, None),
            RawPiece::Fallback { name, operand, .. } => (name, Some(operand)),
        };
        let values = self.values(name);
        let mut alternatives = if values.is_empty() {
            vec![Expression::of(piece.atom())]
        } else {
            values.to_vec()
        };
        let Some(operand) = operand else {
            return alternatives;
        };
        // A variable that surely holds text never falls back.
        let certain = !values.is_empty()
            && values
                .iter()
                .all(|value| value.as_literal().is_some_and(|text| !text.is_empty()));
        if certain {
            return alternatives;
        }
        for mut value in self.resolve(operand) {
            for atom in &mut value.atoms {
                if atom.origin == Origin::Written {
                    atom.origin = Origin::Fallback(name.clone());
                }
            }
            if !alternatives.contains(&value) {
                alternatives.push(value);
            }
        }
        alternatives
    }
}

/// Whether the value `atoms` of a variable may be put behind each of `results`.
fn fits(results: &[Expression], atoms: &[Atom]) -> bool {
    let bytes = |atoms: &[Atom]| atoms.iter().map(|atom| atom.kind.length()).sum::<usize>();
    results.iter().all(|result| {
        result.atoms.len() + atoms.len() <= MAX_ATOMS
            && bytes(&result.atoms) + bytes(atoms) <= MAX_BYTES
    })
}

/// Marks every atom of `values` that was written at the assignment itself as coming through `name`.
#[must_use]
pub fn assigned(name: &str, mut values: Vec<Expression>) -> Vec<Expression> {
    for value in &mut values {
        for atom in &mut value.atoms {
            if atom.origin == Origin::Written {
                atom.origin = Origin::Assigned(name.into());
            }
        }
    }
    values
}

/// A word before its variables are looked up.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    pieces: Vec<RawPiece>,
}

#[derive(Clone, Debug)]
enum RawPiece {
    Atom(Atom),
    Variable {
        atom: Atom,
        name: SmolStr,
    },
    Fallback {
        atom: Atom,
        name: SmolStr,
        operand: Raw,
    },
}

impl RawPiece {
    fn atom(&self) -> &Atom {
        match self {
            RawPiece::Atom(atom)
            | RawPiece::Variable { atom, .. }
            | RawPiece::Fallback { atom, .. } => atom,
        }
    }
}

/// From bytes of a script to places in the file.
pub trait Locate {
    /// The place of `span` (bytes of the script), if it stands in the file exactly as it reads.
    fn locate(&self, span: Span, quoting: Quoting) -> Option<Site>;
}

impl Raw {
    /// Text that stands nowhere.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self {
            pieces: vec![RawPiece::Atom(Atom {
                kind: AtomKind::Literal(text.into()),
                site: None,
                origin: Origin::Written,
            })],
        }
    }

    /// The whole of `word`.
    #[must_use]
    pub fn word(word: &Word, script: &str, locate: &dyn Locate) -> Self {
        Self::parts(&word.parts, word.span, script, locate)
    }

    /// The bytes `span` of the script, which `parts` cover.
    #[must_use]
    pub fn parts(parts: &[Part], span: Span, script: &str, locate: &dyn Locate) -> Self {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            let inside = Span {
                start: part.span.start.max(span.start),
                end: part.span.end.min(span.end),
            };
            if inside.start >= inside.end {
                continue;
            }
            let source = inside.of(script);
            let atom = |kind| Atom {
                kind,
                site: locate.locate(inside, part.quoting),
                origin: Origin::Written,
            };
            match &part.kind {
                PartKind::Literal(value) => {
                    // Cut by the written text: where it has no escape, it is the value.
                    let escaped = part.quoting != Quoting::Single && source.contains('\\');
                    if escaped {
                        let whole = inside == part.span;
                        let text = if whole {
                            value.clone()
                        } else {
                            unescape(source).into()
                        };
                        pieces.push(RawPiece::Atom(Atom {
                            kind: AtomKind::Literal(text),
                            site: None,
                            origin: Origin::Written,
                        }));
                    } else {
                        pieces.push(RawPiece::Atom(atom(AtomKind::Literal(source.into()))));
                    }
                }
                PartKind::Variable(variable) => {
                    let name = variable.name.clone();
                    match &variable.operator {
                        None => pieces.push(RawPiece::Variable {
                            atom: atom(AtomKind::Variable(name.clone())),
                            name,
                        }),
                        Some(operator)
                            if matches!(&*operator.symbol, ":-" | "-" | ":=" | "=")
                                && operator.operand.is_some() =>
                        {
                            let operand = operator
                                .operand
                                .as_ref()
                                .map(|word| Self::word(word, script, locate))
                                .unwrap_or_default();
                            pieces.push(RawPiece::Fallback {
                                atom: atom(AtomKind::Variable(name.clone())),
                                name,
                                operand,
                            });
                        }
                        // `${X:?message}` is X, or the build ends.
                        Some(operator) if matches!(&*operator.symbol, ":?" | "?") => {
                            pieces.push(RawPiece::Variable {
                                atom: atom(AtomKind::Variable(name.clone())),
                                name,
                            });
                        }
                        Some(_) => {
                            let inner = source
                                .trim_start_matches("${")
                                .trim_end_matches('}')
                                .to_owned();
                            pieces.push(RawPiece::Atom(atom(AtomKind::Variable(inner.into()))));
                        }
                    }
                }
                PartKind::Substitution | PartKind::Arithmetic | PartKind::Other => {
                    pieces.push(RawPiece::Atom(atom(AtomKind::Computed(source.into()))));
                }
            }
        }
        Self { pieces }
    }
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            result.extend(characters.next());
        } else {
            result.push(character);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Expression {
        // `$name` is a variable, all else text.
        let mut expression = Expression::default();
        for (index, piece) in text.split('$').enumerate() {
            let (name, rest) = if index == 0 {
                ("", piece)
            } else {
                piece.split_at(plain_name(piece).len())
            };
            if !name.is_empty() {
                expression.push(Atom {
                    kind: AtomKind::Variable(name.into()),
                    site: None,
                    origin: Origin::Written,
                });
            }
            expression.push(Atom {
                kind: AtomKind::Literal(rest.into()),
                site: None,
                origin: Origin::Written,
            });
        }
        expression
    }

    #[test]
    fn a_tag_is_what_follows_the_last_colon_after_the_last_slash() {
        let cases = [
            ("app", "app", "none"),
            ("app:1", "app", "1"),
            ("localhost:5000/app", "localhost:5000/app", "none"),
            ("localhost:5000/app:x", "localhost:5000/app", "x"),
            ("$REPO:latest", "${REPO}", "latest"),
            ("$REPO", "${REPO}", "hidden"),
            ("$REG/app", "${REG}/app", "none"),
            ("$REG/$NAME", "${REG}/${NAME}", "hidden"),
            ("$REG/app:$TAG", "${REG}/app", "${TAG}"),
            ("app@sha256:abc", "app", "digest"),
            ("app:1@sha256:abc", "app", "digest"),
            (
                "$ID.dkr.ecr.$REGION.amazonaws.com/app:latest",
                "${ID}.dkr.ecr.${REGION}.amazonaws.com/app",
                "latest",
            ),
        ];
        for (text, repository, tag) in cases {
            let split = split_reference(&expression(text));
            assert_eq!(split.repository.key(), repository, "{text}");
            let found = match &split.tag {
                SplitTag::None => "none".to_owned(),
                SplitTag::Hidden => "hidden".to_owned(),
                SplitTag::Digest => "digest".to_owned(),
                SplitTag::Tag(tag) => tag.key(),
            };
            assert_eq!(found, tag, "{text}");
        }
    }

    #[test]
    fn a_value_that_names_itself_twice_does_not_double_without_end() {
        let mut environment = Environment::default();
        let variable = |name: &str| RawPiece::Variable {
            atom: Atom {
                kind: AtomKind::Variable(name.into()),
                site: None,
                origin: Origin::Written,
            },
            name: name.into(),
        };
        environment.assign("A", environment.resolve(&Raw::text("x")), false);
        for _ in 0..100 {
            let twice = Raw {
                pieces: vec![variable("A"), variable("A")],
            };
            environment.assign("A", environment.resolve(&twice), false);
            for value in environment.values("A") {
                // What is put in, and what is written.
                assert!(
                    value.atoms.len() <= MAX_ATOMS + 2,
                    "{} atoms",
                    value.atoms.len()
                );
            }
        }
        let long = Raw::text(&"x".repeat(MAX_BYTES));
        environment.assign("B", environment.resolve(&long), false);
        let twice = Raw {
            pieces: vec![variable("B"), variable("B")],
        };
        let [value] = &environment.resolve(&twice)[..] else {
            panic!("one value");
        };
        assert_eq!(value.variables().collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn no_more_alternatives_are_kept_than_show_that_they_are_too_many() {
        let mut environment = Environment::default();
        for number in 0..1000 {
            let value = environment.resolve(&Raw::text(&number.to_string()));
            environment.assign("A", value, true);
        }
        assert_eq!(environment.values("A").len(), MAX_ALTERNATIVES + 1);
    }

    #[test]
    fn a_scope_leaves_nothing_behind() {
        let mut environment = Environment::default();
        let value = |text: &str| vec![Expression::literal(text, None, Origin::Written)];
        environment.assign("A", value("1"), false);
        environment.begin_scope();
        environment.assign("A", value("2"), true);
        environment.assign("A", value("3"), false);
        environment.assign("B", value("4"), false);
        environment.forget("A");
        environment.end_scope();
        assert_eq!(environment.values("A"), value("1"));
        assert!(environment.values("B").is_empty());
    }

    #[test]
    fn a_conditional_assignment_adds_an_alternative() {
        let mut environment = Environment::default();
        let value = |text: &str| vec![Expression::literal(text, None, Origin::Written)];
        environment.assign("TAG", value("latest"), false);
        environment.assign("TAG", value("v1"), true);
        let keys: Vec<_> = environment
            .values("TAG")
            .iter()
            .map(Expression::key)
            .collect();
        assert_eq!(keys, ["latest", "v1"]);
        environment.assign("TAG", value("v2"), false);
        let keys: Vec<_> = environment
            .values("TAG")
            .iter()
            .map(Expression::key)
            .collect();
        assert_eq!(keys, ["v2"]);
        environment.assign("NEW", value("x"), true);
        let keys: Vec<_> = environment
            .values("NEW")
            .iter()
            .map(Expression::key)
            .collect();
        assert_eq!(keys, ["${NEW}", "x"]);
    }
}
