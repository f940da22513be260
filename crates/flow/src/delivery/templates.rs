//! Files that Terraform reads as templates, whatever they are called: `templatefile`, `templatestring`, and the
//! data source `template_file`. `file` hands a text on as it is.

use tagwright_syntax::Span;

use super::hcl::{self, Attribute, Body};

/// A file that Terraform reads as a template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its path: relative to the folder of the Terraform file, or with [`Template::ANYWHERE`] in front; `*`
    /// stands for what is not written out.
    pub path: Box<str>,
    /// The names that it is given; `None` if they are not written out.
    pub variables: Option<Vec<Box<str>>>,
    /// The call, bytes of the Terraform file.
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

/// Whether the text may hold a template.
pub(crate) fn may_hold(text: &str) -> bool {
    ["templatefile", "templatestring", "template_file"]
        .iter()
        .any(|name| crate::kind::has(text, name))
}

/// The templates that the Terraform file reads. A file that is not understood to its end is searched for calls.
pub(crate) fn read(text: &str) -> Vec<Template> {
    let mut templates = Vec::new();
    let Some(body) = hcl::file(text) else {
        let whole = Attribute {
            name: "",
            value: text,
            start: 0,
        };
        calls(&Body::default(), whole, &mut templates);
        return templates;
    };
    each_attribute(&body, &mut |attribute| {
        calls(&body, attribute, &mut templates);
    });
    for data in body.blocks("data") {
        let Some(template) = data.body.attribute("template") else {
            continue;
        };
        if data.labels.first() == Some(&"template_file")
            && let Some(path) = path_in_file(&body, template.value)
        {
            let variables = data.body.attribute("vars");
            templates.push(Template {
                path,
                variables: variables.and_then(|it| keys(&body, it.value, 0)),
                span: Span::new(template.start, template.start + template.value.len()),
            });
        }
    }
    templates
}

fn each_attribute<'a>(body: &Body<'a>, found: &mut dyn FnMut(Attribute<'a>)) {
    for attribute in &body.attributes {
        found(*attribute);
    }
    for block in &body.blocks {
        each_attribute(&block.body, found);
    }
}

fn calls(file: &Body<'_>, attribute: Attribute<'_>, templates: &mut Vec<Template>) {
    for name in ["templatefile", "templatestring"] {
        for (at, _) in attribute.value.match_indices(name) {
            let before = &attribute.value[..at];
            let line = before.rsplit('\n').next().unwrap_or(before).trim_start();
            let part = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if part || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            let rest = &attribute.value[at + name.len()..];
            let Some((arguments, length)) = hcl::arguments(rest) else {
                continue;
            };
            let [first, second] = arguments[..] else {
                continue;
            };
            let path = match name {
                "templatefile" => path(file, first, 0),
                _ => path_in_file(file, first),
            };
            let start = attribute.start + at;
            templates.extend(path.map(|path| Template {
                path,
                variables: keys(file, second, 0),
                span: Span::new(start, start + name.len() + length),
            }));
        }
    }
}

/// Values of the file's own are followed through this many others.
const DEEPEST: u32 = 4;

/// The value of `local.NAME`, if the file has it.
fn local<'a>(file: &Body<'a>, expression: &str) -> Option<&'a str> {
    let name = expression.trim().strip_prefix("local.")?;
    let mut locals = file.blocks("locals");
    locals.find_map(|block| Some(block.body.attribute(name)?.value))
}

/// The path that the expression stands for.
fn path(file: &Body<'_>, expression: &str, depth: u32) -> Option<Box<str>> {
    let expression = expression.trim();
    if let Some(value) = local(file, expression).filter(|_| depth < DEEPEST) {
        return path(file, value, depth + 1);
    }
    let literal = expression
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .filter(|text| !text.contains(['"', '\\']));
    let Some(literal) = literal else {
        // `format`, `join` and the like: the last text in it that looks like a file.
        let texts = expression.split('"').skip(1).step_by(2);
        let name = texts
            .filter(|text| text.contains('.') && !text.contains("${"))
            .last()?;
        let name = name.rsplit('/').next().unwrap_or(name);
        return Some(format!("{}{name}", Template::ANYWHERE).into());
    };
    let mut pattern = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, after) = after.split_once('}')?;
        pattern.push_str(before);
        match inner.trim() {
            "path.module" if pattern.is_empty() => pattern.push('.'),
            _ => pattern.push('*'),
        }
        rest = after;
    }
    pattern.push_str(rest);
    // With nothing written out but an extension it may be any file.
    let named = pattern.strip_prefix('*');
    if named.is_some_and(|rest| !rest.starts_with('/') || rest.contains('*')) {
        return None;
    }
    Some(pattern.into())
}

/// The path of the file whose text the expression is: `file("…")`, or a value of the Terraform file's that is.
fn path_in_file(file: &Body<'_>, expression: &str) -> Option<Box<str>> {
    let expression = expression.trim();
    let expression = expression
        .strip_prefix("\"${")
        .and_then(|it| it.strip_suffix("}\""))
        .unwrap_or(expression);
    let value = local(file, expression).unwrap_or(expression);
    if let Some(rest) = value.trim().strip_prefix("file") {
        let (arguments, _) = hcl::arguments(rest)?;
        return path(file, arguments.first()?, 0);
    }
    let name = value.trim().strip_prefix("data.local_file.")?;
    let name = name.strip_suffix(".content")?;
    let mut data = file.blocks("data");
    let source = data.find(|block| block.labels[..] == ["local_file", name])?;
    path(file, source.body.attribute("filename")?.value, 0)
}

/// The keys of a map that is written out, also out of several by `merge`.
fn keys(file: &Body<'_>, expression: &str, depth: u32) -> Option<Vec<Box<str>>> {
    let expression = expression.trim();
    if depth > DEEPEST {
        return None;
    }
    if let Some(value) = local(file, expression) {
        return keys(file, value, depth + 1);
    }
    if let Some(rest) = expression.strip_prefix("merge") {
        let (maps, _) = hcl::arguments(rest)?;
        let mut all = Vec::new();
        for map in maps {
            all.extend(keys(file, map, depth + 1)?);
        }
        return Some(all);
    }
    let body = hcl::object(expression, 0)?;
    Some(body.attributes.iter().map(|it| it.name.into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Template {
        let mut found = read(text);
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
            assert!(read(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_names_that_a_template_is_given_are_known_where_they_are_written_out() {
        for (map, expected) in [
            ("{}", Some(vec![])),
            ("{ a = 1, \"b\" = x }", Some(vec!["a", "b"])),
            ("merge({ a = 1 }, local.more)", Some(vec!["a", "b"])),
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
}
