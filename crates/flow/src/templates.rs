//! Files that Terraform reads as templates, whatever they are called: `templatefile`, `templatestring`, and the
//! data source `template_file`. `file` hands a text on as it is.
//!
//! Beside these there are files that something else fills in, nobody knows how: what a value called a template
//! names, or an argument of `replace`.

use tagwright_syntax::hcl::{Body, Expression, ExpressionKind, PartKind};
use tagwright_syntax::{SmolStr, Span};

/// A file that a Terraform file has filled in before anybody else reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its path: relative to the folder of the Terraform file, or with [`Template::ANYWHERE`] in front; `*`
    /// stands for what is not written out.
    pub path: Box<str>,
    /// Whether Terraform expands `${…}` in it; otherwise it is filled in, but not known how.
    pub expanded: bool,
    /// The names that it is given; `None` if they are not written out.
    pub variables: Option<Vec<Box<str>>>,
    /// What says so, bytes of the Terraform file.
    pub span: Span,
}

impl Template {
    /// In front of a path that begins nobody knows where.
    pub const ANYWHERE: &'static str = "*/";

    /// Whether the template is this file, read by a Terraform file at `reader`. Paths use `/`.
    #[must_use]
    pub fn is(&self, file: &str, reader: &str) -> bool {
        if let Some(path) = self.path.strip_prefix(Self::ANYWHERE) {
            let path = path.trim_start_matches("../");
            return glob(path, file) || glob(&format!("*/{path}"), file);
        }
        let folder = reader.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
        for part in self.path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        glob(&parts.join("/"), file)
    }

    /// Whether it is certain which file is meant.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !self.path.contains('*')
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

/// The templates that the Terraform file reads.
pub(crate) fn read(file: &Body) -> Vec<Template> {
    let mut templates = Vec::new();
    file.every_expression(&mut |it| templates.extend(call(file, it)));
    for data in file.blocks("data") {
        let named = data.labels.first().map(|label| &**label);
        if let Some(template) = data.body.value("template")
            && named == Some("template_file")
            && let Some(path) = path_in_file(file, template)
        {
            let variables = data.body.value("vars");
            templates.push(Template {
                path,
                expanded: true,
                variables: variables.and_then(|it| keys(file, it, 0)),
                span: template.span,
            });
        }
    }
    filled_in(file, &mut templates);
    templates
}

/// The template that the call reads, if it is one that does.
fn call(file: &Body, expression: &Expression) -> Option<Template> {
    let ExpressionKind::Call { name, arguments } = &expression.kind else {
        return None;
    };
    let [text, variables] = &arguments[..] else {
        return None;
    };
    let path = match &**name {
        "templatefile" => path(file, text, 0),
        "templatestring" => path_in_file(file, text),
        _ => None,
    }?;
    Some(Template {
        path,
        expanded: true,
        variables: keys(file, variables, 0),
        span: expression.span,
    })
}

/// Values of the file's own are followed through this many others.
const DEEPEST: u32 = 4;

/// The value of `local.NAME`, if the file has it.
fn local<'a>(file: &'a Body, expression: &Expression) -> Option<&'a Expression> {
    let ExpressionKind::Address(address) = &expression.kind else {
        return None;
    };
    let name = address.strip_prefix("local.")?;
    let mut locals = file.blocks("locals");
    locals.find_map(|block| block.body.value(name))
}

/// The value that `"${…}"` is, if nothing else stands in the quotes.
fn unquoted(expression: &Expression) -> &Expression {
    match expression.parts() {
        Some([part]) => match &part.kind {
            PartKind::Value(value) => value,
            _ => expression,
        },
        _ => expression,
    }
}

/// The path that the expression stands for.
fn path(file: &Body, expression: &Expression, depth: u32) -> Option<Box<str>> {
    let expression = unquoted(expression);
    if let Some(value) = local(file, expression).filter(|_| depth < DEEPEST) {
        return path(file, value, depth + 1);
    }
    let mut pattern = String::new();
    if let Some(text) = expression.text() {
        pattern.push_str(text);
    } else if let Some(parts) = expression.parts() {
        for part in parts {
            match &part.kind {
                PartKind::Text(text) => pattern.push_str(text),
                PartKind::Value(value) if pattern.is_empty() && is_folder_of_file(value) => {
                    pattern.push('.');
                }
                PartKind::Value(_) | PartKind::Directive(_) => pattern.push('*'),
            }
        }
    } else {
        // `format`, `join` and the like: the last text in it that looks like a file.
        let mut names = Vec::new();
        file_names(expression, &mut |name, _| names.push(anywhere(name)));
        return names.pop();
    }
    // With nothing written out but an extension it may be any file.
    let named = pattern.strip_prefix('*');
    if named.is_some_and(|rest| !rest.starts_with('/') || rest.contains('*')) {
        return None;
    }
    Some(pattern.into())
}

fn is_folder_of_file(value: &Expression) -> bool {
    matches!(&value.kind, ExpressionKind::Address(address) if &**address == "path.module")
}

fn anywhere(name: &str) -> Box<str> {
    format!("{}{name}", Template::ANYWHERE).into()
}

/// The path of the file whose text the expression is: `file("…")`, or a value of the Terraform file's that is.
fn path_in_file(file: &Body, expression: &Expression) -> Option<Box<str>> {
    let expression = unquoted(expression);
    let value = local(file, expression).unwrap_or(expression);
    if let Some(arguments) = value.call("file") {
        return path(file, arguments.first()?, 0);
    }
    let ExpressionKind::Address(address) = &value.kind else {
        return None;
    };
    let name = address.strip_prefix("data.local_file.")?;
    let name = name.strip_suffix(".content")?;
    let mut data = file.blocks("data");
    let source = data.find(|block| block.is_labelled(&["local_file", name]))?;
    path(file, source.body.value("filename")?, 0)
}

/// The keys of a map that is written out, also out of several by `merge`.
fn keys(file: &Body, expression: &Expression, depth: u32) -> Option<Vec<Box<str>>> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(value) = local(file, expression) {
        return keys(file, value, depth + 1);
    }
    if let Some(entries) = expression.entries() {
        return entries.iter().map(|entry| entry.key.clone()).collect();
    }
    let maps = expression
        .call("merge")
        .or_else(|| expression.call("tomap"))?;
    let mut all = Vec::new();
    for map in maps {
        all.extend(keys(file, map, depth + 1)?);
    }
    Some(all)
}

/// Files that something fills in: an argument of a function that does, the value of an attribute that is called
/// a template, or anything in a block that is.
fn filled_in(body: &Body, templates: &mut Vec<Template>) {
    let is_template = |name: &str| name.contains("template");
    for attribute in &body.attributes {
        if is_template(&attribute.name) {
            add(&attribute.value, templates);
            continue;
        }
        attribute.value.every(&mut |it| match &it.kind {
            ExpressionKind::Call { name, arguments }
                if is_template(name) || matches!(&**name, "replace" | "format") =>
            {
                arguments.iter().for_each(|it| add(it, templates));
            }
            ExpressionKind::Object(entries) => {
                let named = |key: &Option<Box<str>>| key.as_deref().is_some_and(is_template);
                let entries = entries.iter().filter(|entry| named(&entry.key));
                entries.for_each(|entry| add(&entry.value, templates));
            }
            _ => {}
        });
    }
    for block in &body.blocks {
        if block.labels.first().is_some_and(|label| is_template(label)) {
            block.body.every_expression(&mut |it| add(it, templates));
        } else {
            filled_in(&block.body, templates);
        }
    }
}

/// Adds the files that the expression names, unless they are known there.
fn add(expression: &Expression, templates: &mut Vec<Template>) {
    file_names(expression, &mut |name, span| {
        let known = |it: &Template| it.path.ends_with(name) && it.span.contains(span);
        if !templates.iter().any(known) {
            templates.push(Template {
                path: anywhere(name),
                expanded: false,
                variables: None,
                span,
            });
        }
    });
}

/// The last parts of the paths in the texts of an expression, each with the bytes of its text.
fn file_names(expression: &Expression, found: &mut dyn FnMut(&str, Span)) {
    expression.every(&mut |it| {
        if let Some(text) = it.joined('*')
            && let Some(name) = text.rsplit('/').next()
            && name.contains('.')
            && !name.contains([' ', '\n', '*', '%'])
        {
            found(name, it.span);
        }
    });
}

/// The names of the plain expressions `${NAME}` in the text of a template, each with its bytes, also where the
/// shell's operators follow the name, which Terraform does not know.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = (SmolStr, Span)> {
    text.match_indices("${").filter_map(|(at, _)| {
        if text[..at].ends_with('$') {
            return None;
        }
        let inner = &text[at + 2..];
        let inner = inner.strip_prefix('~').unwrap_or(inner).trim_start();
        let name = crate::expression::plain_name(inner);
        let rest = inner[name.len()..].trim_start_matches([' ', '~']);
        let ends = rest.starts_with(['}', ':', '#', '%', '.', '[']) || rest.starts_with("//");
        let length = text[at..].find('}')? + 1;
        (!name.is_empty() && ends).then(|| (name.into(), Span::new(at, at + length)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that Terraform expands.
    fn expanded(text: &str) -> Vec<Template> {
        let mut found = read(&tagwright_syntax::hcl::parse(text).unwrap());
        found.retain(|it| it.expanded);
        found
    }

    fn one(text: &str) -> Template {
        let mut found = expanded(text);
        assert_eq!(found.len(), 1, "{text} {found:?}");
        found.remove(0)
    }

    #[test]
    fn a_template_is_found_by_its_path_however_that_is_written() {
        for (call, file) in [
            (
                "templatefile(\"${path.module}/build.yml\", {})",
                "infra/build.yml",
            ),
            (
                "templatefile(\"${path.module}/../ci/build.yml\", {})",
                "ci/build.yml",
            ),
            ("templatefile(\"build.yml\", { a = 1 })", "infra/build.yml"),
            (
                "templatefile(\"${path.root}/ci/build.yml\", var.all)",
                "ci/build.yml",
            ),
            ("templatefile(local.spec, {})", "infra/specs/build.yml"),
            (
                "templatefile(\"${local.folder}/build.yml\", {})",
                "any/build.yml",
            ),
            (
                "templatefile(join(\"/\", [path.module, \"build.yml\"]), {})",
                "infra/build.yml",
            ),
            (
                "templatefile(\"${path.module}/${each.key}.yml\", {})",
                "infra/build.yml",
            ),
            ("templatestring(local.text, {})", "infra/build.yml"),
            (
                "jsonencode({ spec = templatefile(\"${path.module}/build.yml\", {\n a = 1\n}) })",
                "infra/build.yml",
            ),
        ] {
            let text = format!(
                "locals {{\n  spec = \"${{path.module}}/specs/build.yml\"\n  text = file(\"${{path.module}}/build.yml\")\n}}\nresource \"a\" \"b\" {{\n  source {{\n    buildspec = {call}\n  }}\n}}\n"
            );
            let template = one(&text);
            assert!(template.is(file, "infra/main.tf"), "{call} {template:?}");
            assert!(!template.is("other/spec.yml", "infra/main.tf"), "{call}");
            assert!(text[template.span.range()].ends_with(')'), "{call}");
        }
    }

    #[test]
    fn a_data_source_makes_a_template_and_a_file_does_not() {
        let text = "data \"template_file\" \"b\" {\n  template = file(\"${path.module}/build.yml\")\n  vars = {\n    region = \"x\"\n  }\n}\n";
        let template = one(text);
        assert!(template.is("build.yml", "main.tf"));
        assert_eq!(template.variables, Some(vec!["region".into()]));
        for text in [
            "a = file(\"${path.module}/build.yml\")\n",
            "# a = templatefile(\"build.yml\", {})\n",
            "a = my_templatefile(\"build.yml\", {})\n",
            "a = templatefile(var.path, {})\n",
        ] {
            assert!(expanded(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_names_that_a_template_is_given_are_known_where_they_are_written_out() {
        for (map, expected) in [
            ("{}", Some(vec![])),
            ("{ a = 1, \"b\" = x }", Some(vec!["a", "b"])),
            ("merge({ a = 1 }, local.more)", Some(vec!["a", "b"])),
            ("tomap({ a = 1 })", Some(vec!["a"])),
            ("var.all", None),
            ("merge({ a = 1 }, var.all)", None),
            ("{ for k, v in x : k => v }", None),
        ] {
            let text = format!(
                "locals {{\n  more = {{ b = 2 }}\n}}\na = templatefile(\"x.yml\", {map})\n"
            );
            let expected: Option<Vec<Box<str>>> =
                expected.map(|all| all.into_iter().map(Into::into).collect());
            assert_eq!(one(&text).variables, expected, "{map}");
        }
    }

    #[test]
    fn what_something_else_fills_in_is_no_template_of_terraform() {
        for text in [
            "module \"m\" {\n  buildspec_template = \"ci/x.yml\"\n}\n",
            "a = replace(file(\"${path.module}/x.yml\"), \"@\", var.b)\n",
            "a = { template = \"x.yml\" }\n",
        ] {
            let found = read(&tagwright_syntax::hcl::parse(text).unwrap());
            let [template] = &found[..] else {
                panic!("{text} {found:?}")
            };
            assert!(
                !template.expanded && template.is("ci/x.yml", "main.tf"),
                "{text}"
            );
        }
    }
}
