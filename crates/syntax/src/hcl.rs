//! HashiCorp's configuration language, as Terraform writes it: blocks, attributes and expressions, each with
//! its bytes in the file.
//!
//! `hcl-edit` reads the text; what it read is copied into the few kinds of expressions that readers here tell
//! apart. Nothing is ever written through it: its output does not keep how strings were spelled, so an edit
//! is one of bytes, at the spans given here, like in YAML.

mod insert;

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{self, ObjectKey, TraversalOperator};
use hcl_edit::structure::{self, Structure};
use hcl_edit::template::{Directive, Element, Template};

use crate::Span;

pub use insert::insert_behind;

/// What stands between two braces, or in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// Its attributes, in the order of the file.
    pub attributes: Vec<Attribute>,
    /// Its blocks, in the order of the file.
    pub blocks: Vec<Block>,
}

/// `name = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: Box<str>,
    /// The name's bytes in the file.
    pub name_span: Span,
    /// The value.
    pub value: Expression,
}

/// `kind "label" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its first word.
    pub kind: Box<str>,
    /// What stands between the first word and the brace, without quotes.
    pub labels: Vec<Box<str>>,
    /// From its first word to its opening brace, bytes of the file.
    pub header: Span,
    /// The whole of it, bytes of the file.
    pub span: Span,
    /// What is in it.
    pub body: Body,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Its bytes in the file, quotes and brackets included.
    pub span: Span,
}

/// The kinds of values that readers tell apart.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A quoted text without anything to be computed in it, decoded.
    Text(Box<str>),
    /// A quoted text with something to be computed in it.
    Template(Vec<Part>),
    /// A here-document (`<<EOF`); of one that is indented (`<<-EOF`) the text is without the indentation.
    Heredoc(Vec<Part>),
    /// A number, `true`, `false` or `null`: its bytes say which.
    Word,
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `{ key = value }`.
    Object(Vec<Entry>),
    /// `name(arguments)`.
    Call {
        /// The function.
        name: Box<str>,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// `var.name`, `aws_ecr_repository.app.name`: names joined by dots, without blanks between them.
    Address(Box<str>),
    /// Anything else that is computed, with the values that it is computed from.
    Other(Vec<Expression>),
}

/// An entry of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, if it is a name or a text; `None` if it is computed.
    pub key: Option<Box<str>>,
    /// Its value.
    pub value: Expression,
    /// From the start of the key to the end of the value, bytes of the file.
    pub span: Span,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its bytes in the file, `${` and `}` included.
    pub span: Span,
}

/// What a part of a text is.
#[derive(Clone, Debug, PartialEq)]
pub enum PartKind {
    /// Text, decoded.
    Text(Box<str>),
    /// `${ … }`.
    Value(Expression),
    /// `%{ if … }` or `%{ for … }` to its end, with the values in it.
    Directive(Vec<Expression>),
}

impl Body {
    /// The attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|it| &*it.name == name)
    }

    /// The value of the attribute of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Expression> {
        self.attribute(name).map(|it| &it.value)
    }

    /// The blocks of this kind.
    pub fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }

    /// Calls `found` for every value in the body and in its blocks, those inside of others included.
    pub fn every_expression<'b>(&'b self, found: &mut dyn FnMut(&'b Expression)) {
        for attribute in &self.attributes {
            attribute.value.every(found);
        }
        for block in &self.blocks {
            block.body.every_expression(found);
        }
    }
}

impl Block {
    /// Whether the block has exactly these labels.
    #[must_use]
    pub fn is_labelled(&self, labels: &[&str]) -> bool {
        self.labels.len() == labels.len()
            && self
                .labels
                .iter()
                .zip(labels)
                .all(|(own, it)| **own == **it)
    }

    /// Whether the block is made as often as something else says.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.body.attribute("for_each").is_some() || self.body.attribute("count").is_some()
    }
}

impl Expression {
    /// The text, if it is one without anything to be computed in it: quoted, or a here-document.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Text(text) => Some(text),
            ExpressionKind::Heredoc(parts) => match &parts[..] {
                [
                    Part {
                        kind: PartKind::Text(text),
                        ..
                    },
                ] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text with `unknown` in the place of everything that is computed.
    #[must_use]
    pub fn joined(&self, unknown: char) -> Option<String> {
        if let ExpressionKind::Text(text) = &self.kind {
            return Some(text.to_string());
        }
        let mut joined = String::new();
        for part in self.parts()? {
            match &part.kind {
                PartKind::Text(text) => joined.push_str(text),
                PartKind::Value(_) | PartKind::Directive(_) => joined.push(unknown),
            }
        }
        Some(joined)
    }

    /// The parts of a text with something to be computed in it, or of a here-document.
    #[must_use]
    pub fn parts(&self) -> Option<&[Part]> {
        match &self.kind {
            ExpressionKind::Template(parts) | ExpressionKind::Heredoc(parts) => Some(parts),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Expression]> {
        match &self.kind {
            ExpressionKind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a list, or the one value in its place.
    #[must_use]
    pub fn one_or_more(&self) -> &[Expression] {
        self.items().unwrap_or(std::slice::from_ref(self))
    }

    /// The entries of an object.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            ExpressionKind::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Expression> {
        let entry = |it: &&Entry| it.key.as_deref() == Some(key);
        self.entries()?.iter().find(entry).map(|it| &it.value)
    }

    /// The arguments, if it is a call of this function.
    #[must_use]
    pub fn call(&self, function: &str) -> Option<&[Expression]> {
        match &self.kind {
            ExpressionKind::Call { name, arguments } if &**name == function => Some(arguments),
            _ => None,
        }
    }

    /// The values that this one is directly made of.
    #[must_use]
    pub fn children(&self) -> Vec<&Expression> {
        match &self.kind {
            ExpressionKind::Text(_) | ExpressionKind::Word | ExpressionKind::Address(_) => {
                Vec::new()
            }
            ExpressionKind::Template(parts) | ExpressionKind::Heredoc(parts) => {
                parts.iter().flat_map(Part::values).collect()
            }
            ExpressionKind::List(items) | ExpressionKind::Other(items) => items.iter().collect(),
            ExpressionKind::Object(entries) => entries.iter().map(|it| &it.value).collect(),
            ExpressionKind::Call { arguments, .. } => arguments.iter().collect(),
        }
    }

    /// Calls `found` for this value and for every one inside it.
    pub fn every<'e>(&'e self, found: &mut dyn FnMut(&'e Expression)) {
        found(self);
        for child in self.children() {
            child.every(found);
        }
    }
}

impl Part {
    fn values(&self) -> &[Expression] {
        match &self.kind {
            PartKind::Text(_) => &[],
            PartKind::Value(value) => std::slice::from_ref(value),
            PartKind::Directive(values) => values,
        }
    }
}

/// Reads a file; `None` if it is not understood to its end, or nested deeper than 64 levels.
#[must_use]
pub fn parse(text: &str) -> Option<Body> {
    // The first version of the language let a brace close a block on the line of its last attribute, and
    // such files are still about. A line break before the brace makes it the present language.
    const MOST_BREAKS: usize = 16;
    let marked = text.strip_prefix('\u{feff}');
    let mut read = marked.unwrap_or(text).to_owned();
    let mut reader = Reader {
        text,
        skipped: text.len() - read.len(),
        breaks: Vec::new(),
    };
    loop {
        let error = match hcl_edit::parser::parse_body(&read) {
            Ok(body) => return Some(reader.body(&body)),
            Err(error) => error,
        };
        let at = error.location().offset();
        let closes = read.as_bytes().get(at) == Some(&b'}');
        if !closes || reader.breaks.len() >= MOST_BREAKS || reader.breaks.contains(&at) {
            return None;
        }
        for known in &mut reader.breaks {
            *known += usize::from(*known >= at);
        }
        reader.breaks.push(at);
        read.insert(at, '\n');
    }
}

/// Copies what `hcl-edit` read.
struct Reader<'a> {
    /// The file.
    text: &'a str,
    /// The bytes before what was read: a byte order mark.
    skipped: usize,
    /// Where line breaks were put into the text that was read, byte offsets in that text.
    breaks: Vec<usize>,
}

impl Reader<'_> {
    fn span(&self, range: Option<Range<usize>>) -> Span {
        let range = range.unwrap_or_default();
        let place =
            |at: usize| self.skipped + at - self.breaks.iter().filter(|known| **known < at).count();
        Span::new(place(range.start), place(range.end))
    }

    fn body(&self, body: &structure::Body) -> Body {
        let mut own = Body::default();
        for item in body {
            match item {
                Structure::Attribute(it) => own.attributes.push(Attribute {
                    name: it.key.as_str().into(),
                    name_span: self.span(it.key.span()),
                    value: self.expression(&it.value),
                }),
                Structure::Block(it) => own.blocks.push(self.block(it)),
            }
        }
        own
    }

    fn block(&self, block: &structure::Block) -> Block {
        let span = self.span(block.span());
        let name = self.span(block.ident.span());
        // The last label's own span is not kept, and a label may hold a brace.
        let mut at = name.end as usize;
        let mut quoted = false;
        for byte in &self.text.as_bytes()[at..] {
            at += 1;
            match byte {
                b'"' => quoted = !quoted,
                b'{' if !quoted => break,
                _ => {}
            }
        }
        Block {
            kind: block.ident.as_str().into(),
            labels: block.labels.iter().map(|it| it.as_str().into()).collect(),
            header: Span::new(name.start as usize, at),
            span,
            body: self.body(&block.body),
        }
    }

    fn expression(&self, expression: &expr::Expression) -> Expression {
        use expr::Expression as Read;
        let all = |values: &[&Read]| {
            ExpressionKind::Other(values.iter().map(|it| self.expression(it)).collect())
        };
        let kind = match expression {
            Read::Null(_) | Read::Bool(_) | Read::Number(_) => ExpressionKind::Word,
            Read::String(text) => ExpressionKind::Text(text.value().as_str().into()),
            Read::StringTemplate(template) => ExpressionKind::Template(self.parts(template)),
            Read::HeredocTemplate(it) => ExpressionKind::Heredoc(self.parts(&it.template)),
            Read::Array(items) => {
                ExpressionKind::List(items.iter().map(|it| self.expression(it)).collect())
            }
            Read::Object(object) => ExpressionKind::Object(
                object
                    .iter()
                    .map(|(key, value)| self.entry(key, value))
                    .collect(),
            ),
            Read::Parenthesis(inner) => return self.expression(inner.inner()),
            Read::Variable(name) => ExpressionKind::Address(name.value().as_str().into()),
            Read::Traversal(it) => match address(it) {
                Some(address) => ExpressionKind::Address(address),
                None => all(&values_of(it)),
            },
            Read::FuncCall(it) if !it.name.is_namespaced() => ExpressionKind::Call {
                name: it.name.name.value().as_str().into(),
                arguments: it.args.iter().map(|it| self.expression(it)).collect(),
            },
            Read::FuncCall(it) => all(&it.args.iter().collect::<Vec<_>>()),
            Read::Conditional(it) => all(&[&it.cond_expr, &it.true_expr, &it.false_expr]),
            Read::UnaryOp(it) => all(&[&it.expr]),
            Read::BinaryOp(it) => all(&[&it.lhs_expr, &it.rhs_expr]),
            Read::ForExpr(it) => {
                let mut values = vec![&it.intro.collection_expr, &it.value_expr];
                values.extend(&it.key_expr);
                values.extend(it.cond.as_ref().map(|it| &it.expr));
                all(&values)
            }
        };
        Expression {
            kind,
            span: self.span(expression.span()),
        }
    }

    fn entry(&self, key: &ObjectKey, value: &expr::ObjectValue) -> Entry {
        let span = match key {
            ObjectKey::Ident(name) => name.span(),
            ObjectKey::Expression(it) => it.span(),
        };
        let value = self.expression(value.expr());
        Entry {
            key: key_text(key),
            span: self.span(span).cover(value.span),
            value,
        }
    }

    fn parts(&self, template: &Template) -> Vec<Part> {
        let part = |element: &Element| Part {
            kind: match element {
                Element::Literal(text) => PartKind::Text(text.value().as_str().into()),
                Element::Interpolation(it) => PartKind::Value(self.expression(&it.expr)),
                Element::Directive(it) => PartKind::Directive(self.directive(it)),
            },
            span: self.span(element.span()),
        };
        template.iter().map(part).collect()
    }

    /// The values in a directive, at its start and in its text.
    fn directive(&self, directive: &Directive) -> Vec<Expression> {
        let (first, templates) = match directive {
            Directive::If(it) => {
                let other = it.else_expr.as_ref().map(|it| &it.template);
                (&it.if_expr.cond_expr, [Some(&it.if_expr.template), other])
            }
            Directive::For(it) => (
                &it.for_expr.collection_expr,
                [Some(&it.for_expr.template), None],
            ),
        };
        let mut values = vec![self.expression(first)];
        for part in templates
            .into_iter()
            .flatten()
            .flat_map(|it| self.parts(it))
        {
            match part.kind {
                PartKind::Text(_) => {}
                PartKind::Value(value) => values.push(value),
                PartKind::Directive(inner) => values.extend(inner),
            }
        }
        values
    }
}

fn key_text(key: &ObjectKey) -> Option<Box<str>> {
    match key {
        ObjectKey::Ident(name) => Some(name.value().as_str().into()),
        ObjectKey::Expression(expr::Expression::String(text)) => Some(text.value().as_str().into()),
        ObjectKey::Expression(expr::Expression::Variable(name)) => {
            Some(name.value().as_str().into())
        }
        ObjectKey::Expression(_) => None,
    }
}

/// The names of a traversal, joined by dots, if it is made of nothing else.
fn address(traversal: &expr::Traversal) -> Option<Box<str>> {
    let mut address = traversal.expr.as_variable()?.as_str().to_owned();
    for operator in &traversal.operators {
        address.push('.');
        match operator.value() {
            TraversalOperator::GetAttr(name) => address.push_str(name.as_str()),
            TraversalOperator::LegacyIndex(index) => address.push_str(&index.value().to_string()),
            _ => return None,
        }
    }
    Some(address.into())
}

/// The values in a traversal that is more than names.
fn values_of(traversal: &expr::Traversal) -> Vec<&expr::Expression> {
    let mut values = vec![&traversal.expr];
    values.extend(
        traversal
            .operators
            .iter()
            .filter_map(|it| match it.value() {
                TraversalOperator::Index(index) => Some(index),
                _ => None,
            }),
    );
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_attributes_and_their_places_are_seen() {
        let text = "# comment\nresource \"a\" \"b\" { // why\n  name = \"x-${var.y[\"k\"]}\" # why\n  list = [\n    \"a,b\", # }\n    f({ k = 1 })\n  ]\n  text = <<-EOF\n    } {\n  EOF\n  tags = { name = \"no\" }\n  inner {\n    on = true\n  }\n}\n";
        let body = parse(text).unwrap();
        let [block] = &body.blocks[..] else {
            panic!("{body:?}")
        };
        assert!(&*block.kind == "resource" && block.is_labelled(&["a", "b"]));
        assert_eq!(block.header.of(text), "resource \"a\" \"b\" {");
        assert!(block.span.of(text).ends_with("}\n}"));
        let name = block.body.value("name").unwrap();
        assert_eq!(name.span.of(text), "\"x-${var.y[\"k\"]}\"");
        let parts = name.parts().unwrap();
        assert_eq!(parts[1].span.of(text), "${var.y[\"k\"]}");
        let list = block.body.value("list").unwrap().items().unwrap();
        assert_eq!(list[0].text(), Some("a,b"));
        assert_eq!(list[1].span.of(text), "f({ k = 1 })");
        assert!(list[1].call("f").unwrap()[0].get("k").is_some());
        let lines = block.body.value("text").unwrap();
        assert_eq!(lines.text(), Some("} {\n"));
        assert!(lines.span.of(text).ends_with("EOF"));
        assert_eq!(block.body.blocks("inner").count(), 1);
    }

    #[test]
    fn addresses_are_names_and_dots_only() {
        let cases = [
            ("a = b.c.d", Some("b.c.d")),
            ("a = b.0.d", Some("b.0.d")),
            ("a = (b.c)", Some("b.c")),
            ("a = b[0].d", None),
            ("a = b[*].d", None),
            ("a = f(b).d", None),
        ];
        for (text, expected) in cases {
            let body = parse(text).unwrap();
            let address = match &body.attributes[0].value.kind {
                ExpressionKind::Address(address) => Some(&**address),
                _ => None,
            };
            assert_eq!(address, expected, "{text}");
        }
    }

    #[test]
    fn every_value_is_reached() {
        let text = "a = b ? [for x in c : \"${d}\"] : <<E\n%{ if e }${f}%{ endif }\nE\ng {\n  h = i(j[k])\n}\n";
        let body = parse(text).unwrap();
        let mut names = Vec::new();
        body.every_expression(&mut |it| {
            if let ExpressionKind::Address(name) = &it.kind {
                names.push(&**name);
            }
        });
        assert_eq!(names, ["b", "c", "d", "e", "f", "j", "k"]);
    }

    #[test]
    fn a_brace_may_close_the_last_attribute_s_line() {
        for text in [
            "\u{feff}a \"b\" {\n  c = \"é\"\n  d = { e = 1 } }\nf = g.h\n",
            "a \"b\" {\n  c = \"é\"\n  d = { e = 1 }}\nf = g.h\n",
        ] {
            let body = parse(text).unwrap();
            let inner = &body.blocks[0].body;
            assert_eq!(inner.value("d").unwrap().span.of(text), "{ e = 1 }");
            assert!(body.blocks[0].span.of(text).ends_with('}'), "{text}");
            assert_eq!(body.value("f").unwrap().span.of(text), "g.h");
        }
    }

    #[test]
    fn what_is_not_closed_is_not_read() {
        for text in [
            "a {",
            "a = [",
            "a = \"x",
            "a = <<EOF\nx",
            "}",
            "a b = c",
            "a = )",
            "a = /* b",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep).is_none());
    }
}
