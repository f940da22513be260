//! What Terraform says of image repositories, of the variables that builds get and of the files that it
//! renders. It is context; only what a pipeline passes to its builds is ever edited.
//!
//! A file that cannot be read to its end says nothing.

use tagwright_syntax::hcl::{self, Block, Body, Expression};

use super::{ReadOptions, shared};
use crate::delivery::{self, UNKNOWN, Value};
use crate::facts::{FileFacts, RepositoryDeclaration};
use crate::kind::has;
use crate::templates;

/// Without one of these words a file says nothing that is asked of it.
const MATTERS: [&str; 6] = [
    "aws_ecr_repository",
    "aws_codepipeline",
    "aws_codebuild_project",
    "aws_iam_role",
    "aws_ecs_task_definition",
    "template",
];

/// Reads the file's text into its facts.
pub(super) fn terraform(facts: &mut FileFacts, text: &str, options: &ReadOptions) {
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
    lifecycle(&file, &mut facts.repositories);
    facts.rendered = templates::read(&file);
    let found = delivery::terraform::read(text, &file);
    shared::keep(facts, found);
    for inline in delivery::terraform_inline::buildspecs(text, &file) {
        shared::buildspec(facts, inline, "a text of Terraform's", options);
    }
}

fn repository(block: &Block) -> RepositoryDeclaration {
    let body = &block.body;
    let setting = body.value("image_tag_mutability");
    let mode = setting.map(|it| it.text().unwrap_or_default());
    let immutable = mode.is_some_and(|mode| mode.starts_with("IMMUTABLE"));
    let filters = "image_tag_mutability_exclusion_filter";
    let written: Vec<Option<&str>> = body
        .blocks(filters)
        .filter_map(|it| Some(it.body.value("filter")?.text()))
        .collect();
    let made = body.blocks("dynamic").any(|it| it.is_labelled(&[filters]));
    let name = body.value("name");
    RepositoryDeclaration {
        name: name.and_then(Expression::text).map(Into::into),
        pattern: name
            .and_then(|it| it.joined('*'))
            .map_or_else(|| "*".into(), Into::into),
        immutable,
        certain: mode.is_none_or(|mode| immutable || mode.starts_with("MUTABLE")),
        exclusions_open: made || written.contains(&None),
        exclusions: written.into_iter().flatten().map(Into::into).collect(),
        expires_untagged: None,
        span: block.header,
    }
}

/// The lifecycle policies that expire untagged images of repositories of the same file.
fn lifecycle(file: &Body, repositories: &mut [RepositoryDeclaration]) {
    let is_policy = |it: &&Block| {
        let kind = it.labels.first();
        kind.is_some_and(|label| &**label == "aws_ecr_lifecycle_policy")
    };
    for block in file.blocks("resource").filter(is_policy) {
        let policy = block.body.value("policy");
        let json = policy.and_then(|it| it.joined(UNKNOWN));
        let Some((policy, json)) = policy.zip(json) else {
            continue;
        };
        let expires = delivery::cloudformation::untagged_expire(&json);
        let of = block.body.value("repository").filter(|_| expires);
        let Some(of) = of.map(delivery::terraform::value) else {
            continue;
        };
        let resources = file.blocks("resource").filter(|it| {
            let address = it.labels.join(".");
            of == Value::Reference(address.into())
                || it
                    .body
                    .value("name")
                    .is_some_and(|name| delivery::terraform::value(name) == of)
        });
        for resource in resources {
            let declared = repositories
                .iter_mut()
                .find(|it| it.span == resource.header);
            if let Some(declared) = declared {
                declared.expires_untagged = Some(policy.span);
            }
        }
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
        assert!(facts(text).repositories[0].exclusions_open);
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
            let named = found
                .iter()
                .any(|it| it.is("x.yml", "main.tf") || it.is("ci/x.yml", "main.tf"));
            assert_eq!(named, expected, "{text}");
        }
    }
}
