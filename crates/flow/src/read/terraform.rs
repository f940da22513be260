//! What Terraform says of image repositories, of the variables that builds get and of the files that it
//! renders. It is context, never something to rewrite.
//!
//! A file that cannot be read to its end says nothing.

use tagwright_syntax::Span;
use tagwright_syntax::hcl::{self, Block, Body, Expression, ExpressionKind, PartKind};

use crate::delivery::{self, UNKNOWN};
use crate::facts::{FileFacts, RepositoryDeclaration};
use crate::kind::has;

/// Without one of these words a file says nothing that is asked of it.
const MATTERS: [&str; 5] = [
    "aws_ecr_repository",
    "aws_codepipeline",
    "aws_codebuild_project",
    "aws_iam_role",
    "template",
];

/// Reads the file's text into its facts.
pub(super) fn terraform(facts: &mut FileFacts, text: &str) {
    if !MATTERS.iter().any(|word| has(text, word)) {
        return;
    }
    let Some(file) = hcl::parse(text) else {
        return;
    };
    for block in file.blocks("resource") {
        match block.labels.first().map(|label| &**label) {
            Some("aws_ecr_repository") => facts.repositories.push(repository(block)),
            Some("aws_codebuild_project") => of_project(&block.body, &mut facts.provided_variables),
            Some("aws_codepipeline") => of_pipeline(&block.body, &mut facts.provided_variables),
            _ => {}
        }
    }
    rendered(&file, &mut facts.rendered);
    file.every_expression(&mut |it| facts.latest_of_unknown.extend(latest_at(text, it)));
    let found = delivery::terraform::read(text, &file);
    super::shared::keep(facts, found);
}

fn repository(block: &Block) -> RepositoryDeclaration {
    let body = &block.body;
    let setting = body.value("image_tag_mutability");
    let mode = setting.map(|it| it.text().unwrap_or_default());
    let immutable = mode.is_some_and(|mode| mode.starts_with("IMMUTABLE"));
    let filters = "image_tag_mutability_exclusion_filter";
    let mut exclusions: Vec<Box<str>> = body
        .blocks(filters)
        .filter_map(|it| Some(it.body.value("filter")?.text().unwrap_or("*").into()))
        .collect();
    if body.blocks("dynamic").any(|it| it.is_labelled(&[filters])) {
        // Which tags they are is decided elsewhere.
        exclusions.push("*".into());
    }
    RepositoryDeclaration {
        name: body
            .value("name")
            .and_then(Expression::text)
            .map(Into::into),
        immutable,
        certain: mode.is_none_or(|mode| immutable || mode.starts_with("MUTABLE")),
        exclusions,
        span: block.header,
    }
}

/// The variables that a project gives to its builds.
fn of_project(project: &Body, names: &mut Vec<Box<str>>) {
    for environment in project.blocks("environment") {
        for variable in environment.body.blocks("environment_variable") {
            let name = variable.body.value("name").and_then(Expression::text);
            names.extend(name.map(Into::into));
        }
        for repeated in environment.body.blocks("dynamic") {
            let list = repeated.body.value("for_each");
            if let Some(list) = list.filter(|_| repeated.is_labelled(&["environment_variable"])) {
                names_in(list, names);
                for entry in list.entries().unwrap_or_default() {
                    names.extend(entry.key.clone());
                }
            }
        }
    }
}

/// The variables that a pipeline's actions pass to their builds.
fn of_pipeline(pipeline: &Body, names: &mut Vec<Box<str>>) {
    let actions = pipeline
        .blocks("stage")
        .flat_map(|stage| stage.body.blocks("action"));
    for action in actions {
        let configuration = action.body.value("configuration");
        // It may be merged from several.
        let mut objects = Vec::new();
        if let Some(it) = configuration {
            it.every(&mut |it| objects.extend(it.get("EnvironmentVariables")));
        }
        for variables in objects {
            match variables.joined(UNKNOWN) {
                Some(json) => names.extend(delivery::cloudformation::names_of_json(&json)),
                None => names_in(variables, names),
            }
        }
    }
}

/// The `name` of every object in the expression.
fn names_in(expression: &Expression, names: &mut Vec<Box<str>>) {
    expression.every(&mut |it| {
        let name = it.get("name").and_then(Expression::text);
        names.extend(name.map(Into::into));
    });
}

/// The names of the files that something renders: an argument of a function that does, the value of an
/// attribute that is called a template, or anything in a block that is.
fn rendered(body: &Body, files: &mut Vec<Box<str>>) {
    let is_template = |name: &str| name.contains("template");
    for attribute in &body.attributes {
        let all = is_template(&attribute.name);
        if all {
            file_names(&attribute.value, files);
            continue;
        }
        attribute.value.every(&mut |it| match &it.kind {
            ExpressionKind::Call { name, arguments }
                if is_template(name) || matches!(&**name, "replace" | "format") =>
            {
                arguments.iter().for_each(|it| file_names(it, files));
            }
            ExpressionKind::Object(entries) => {
                let named = |key: &Option<Box<str>>| key.as_deref().is_some_and(is_template);
                let entries = entries.iter().filter(|entry| named(&entry.key));
                entries.for_each(|entry| file_names(&entry.value, files));
            }
            _ => {}
        });
    }
    for block in &body.blocks {
        if block.labels.first().is_some_and(|label| is_template(label)) {
            block.body.every_expression(&mut |it| file_names(it, files));
        } else {
            rendered(&block.body, files);
        }
    }
}

/// The last parts of the paths in the texts of an expression.
fn file_names(expression: &Expression, files: &mut Vec<Box<str>>) {
    expression.every(&mut |it| {
        if let Some(text) = it.joined(UNKNOWN)
            && let Some(name) = text.rsplit('/').next()
            && name.contains('.')
            && !name.contains([' ', '\n'])
        {
            files.push(name.into());
        }
    });
}

/// Where a text takes `latest` of a repository of the configuration:
/// `"${aws_ecr_repository.app.repository_url}:latest"`.
fn latest_at(text: &str, expression: &Expression) -> Option<Span> {
    expression.parts()?.windows(2).find_map(|pair| {
        let (PartKind::Value(repository), PartKind::Text(_)) = (&pair[0].kind, &pair[1].kind)
        else {
            return None;
        };
        // With an index (`app[0]`) it is no mere address, but its own words still say what it is.
        let address = repository.span.of(text);
        let is_repository =
            address.contains("aws_ecr_repository.") && address.ends_with(".repository_url");
        let after = pair[1].span.of(text).strip_prefix(':')?;
        let at = pair[1].span.start as usize + 1;
        (is_repository && starts_with_latest(after)).then(|| Span::new(at, at + LATEST.len()))
    })
}

pub(crate) const LATEST: &str = "latest";

/// Whether the text starts with the tag `latest`, and not with a longer one.
pub(crate) fn starts_with_latest(text: &str) -> bool {
    text.strip_prefix(LATEST).is_some_and(|rest| {
        !rest.starts_with(|next: char| matches!(next, '-' | '_' | '.') || next.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::facts::FileFacts;
    use crate::{FileId, ReadOptions, read_file};

    fn facts(text: &str) -> FileFacts {
        let (path, text) = (Arc::from("main.tf"), Arc::from(text));
        read_file(FileId(0), &path, &text, &ReadOptions::default())
    }

    #[test]
    fn a_repository_is_declared_by_its_own_attributes() {
        let immutable = "image_tag_mutability = \"IMMUTABLE\"";
        let cases = [
            (
                format!("name = \"app\" # the name\n  {immutable} // why"),
                true,
            ),
            (
                format!("name = \"app\"\n  tags = {{ name = \"other\" }}\n  {immutable}"),
                true,
            ),
            (
                format!("tags = {{\n    name = \"other\"\n  }}\n  name = \"app\"\n  {immutable}"),
                true,
            ),
            (
                format!(
                    "/* a */ name = \"app\"\n  encryption_configuration {{ encryption_type = \"KMS\" }}\n  {immutable} }}\n#"
                ),
                true,
            ),
            (format!("name = \"app\"\n  /* {immutable} */"), false),
            (format!("name = \"app\"\n  # {immutable}"), false),
            (
                format!("name = \"app\"\n  note = <<EOF\n  {immutable}\nEOF"),
                false,
            ),
            (
                format!(
                    "name = \"app\"\n  note = \"{}\"",
                    immutable.replace('"', "\\\"")
                ),
                false,
            ),
        ];
        for (body, expected) in cases {
            let end = if body.ends_with('#') { "\n" } else { "\n}\n" };
            let text = format!("resource \"aws_ecr_repository\" \"app\" {{\n  {body}{end}");
            let found = facts(&text).repositories;
            let [repository] = &found[..] else {
                panic!("{text}")
            };
            assert_eq!(repository.name.as_deref(), Some("app"), "{text}");
            assert_eq!(repository.immutable, expected, "{text}");
        }
        let commented = "/*\nresource \"aws_ecr_repository\" \"app\" {\n  name = \"app\"\n}\n*/\n";
        assert!(facts(commented).repositories.is_empty());
        let one_line = "resource \"aws_ecr_repository\" \"app\" { name = \"app\" }\n";
        assert_eq!(facts(one_line).repositories.len(), 1);
    }

    #[test]
    fn exclusions_that_are_made_elsewhere_may_be_any() {
        let text = "resource \"aws_ecr_repository\" \"app\" {\n  name = \"app\"\n  image_tag_mutability = \"IMMUTABLE_WITH_EXCLUSION\"\n  dynamic \"image_tag_mutability_exclusion_filter\" {\n    for_each = var.free\n    content {\n      filter = image_tag_mutability_exclusion_filter.value\n    }\n  }\n}\n";
        assert_eq!(&*facts(text).repositories[0].exclusions[0], "*");
    }

    #[test]
    fn a_variable_is_provided_under_its_name_only() {
        let action = |variables: &str| {
            format!(
                "resource \"aws_codepipeline\" \"p\" {{\n  stage {{\n    name = \"BRANCH_NAME\"\n    action {{\n      name = \"Build\"\n      configuration = {{\n        EnvironmentVariables = {variables}\n      }}\n    }}\n  }}\n}}\n"
            )
        };
        let cases = [
            (
                "jsonencode([{ name = \"A\", value = \"name: BRANCH_NAME\" }])",
                &["A"][..],
            ),
            ("jsonencode([for it in var.x : { name = it }])", &[]),
            (
                "jsonencode(concat(local.x, [{ name = \"A\" }, { \"name\" : \"B\" }]))",
                &["A", "B"],
            ),
            (
                "\"[{\\\"name\\\":\\\"A\\\",\\\"value\\\":\\\"BRANCH_NAME\\\"}]\"",
                &["A"],
            ),
            (
                "<<EOF\n[{\"name\": \"A\", \"value\": \"${var.x}\"}]\nEOF",
                &["A"],
            ),
        ];
        for (variables, expected) in cases {
            let found = facts(&action(variables)).provided_variables;
            let found: Vec<&str> = found.iter().map(|it| &**it).collect();
            assert_eq!(found, expected, "{variables}");
        }
        let project = "resource \"aws_codebuild_project\" \"p\" {\n  name = \"NO\"\n  environment {\n    environment_variable { name = \"A\" }\n    # environment_variable { name = \"NO\" }\n    environment_variable {\n      value = \"NO\"\n      name = \"B\" // }\n    }\n    dynamic \"environment_variable\" {\n      for_each = { C = 1 }\n      content { name = environment_variable.key }\n    }\n  }\n}\n";
        let found = facts(project).provided_variables;
        assert_eq!(found, ["A", "B", "C"].map(Box::from));
    }

    #[test]
    fn files_are_rendered_by_what_renders() {
        let cases = [
            (
                "a = templatefile(\"${path.module}/x.yml\", { b = 1 })",
                true,
            ),
            (
                "data \"template_file\" \"x\" {\n  template = file(\"x.yml\")\n}",
                true,
            ),
            (
                "module \"m\" {\n  buildspec_template = \"ci/x.yml\"\n}",
                true,
            ),
            ("# template\na = file(\"x.yml\")", false),
            ("a = file(\"x.yml\") # templatefile(\"x.yml\")", false),
        ];
        for (text, expected) in cases {
            let found = facts(&format!("{text}\n")).rendered;
            assert_eq!(found.iter().any(|it| &**it == "x.yml"), expected, "{text}");
        }
    }
}
