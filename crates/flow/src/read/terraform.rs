//! Terraform: repositories, projects and pipelines.

use tagwright_syntax::Span;

use super::shared::{json_names, keep};
use crate::delivery;
use crate::facts::{FileFacts, RepositoryDeclaration};
use crate::kind::has;

/// Everything that the file says.
pub(super) fn terraform(facts: &mut FileFacts, text: &str) {
    repositories_and_variables(facts, text);
    let delivers = has(text, "aws_codepipeline") || has(text, "aws_codebuild_project");
    if delivers || has(text, "aws_iam_role") && has(text, "ecr:") {
        keep(facts, delivery::terraform::read(text));
    }
}

/// What Terraform says of image repositories and project variables. Read line by line: it is context,
/// never something to rewrite.
fn repositories_and_variables(facts: &mut FileFacts, text: &str) {
    let mut offset = 0;
    let mut block: Option<(&str, usize)> = None;
    let mut name: Option<Box<str>> = None;
    let mut immutable = false;
    let mut certain = true;
    let mut exclusions = Vec::new();
    let mut in_variable = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if line.starts_with("resource ") {
            let kind = trimmed.split('"').nth(1).unwrap_or("");
            block = Some((kind, offset));
            name = None;
            immutable = false;
            certain = true;
            exclusions.clear();
        }
        if let Some((kind, start)) = block {
            let value = trimmed
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')));
            match (kind, value) {
                ("aws_ecr_repository", Some(("name", value))) if !value.contains(['$', '.']) => {
                    name = Some(value.into());
                }
                ("aws_ecr_repository", Some(("image_tag_mutability", value))) => {
                    immutable = value.starts_with("IMMUTABLE");
                    certain = immutable || value.starts_with("MUTABLE");
                }
                ("aws_ecr_repository", Some(("filter", value))) => exclusions.push(value.into()),
                ("aws_codebuild_project", Some(("name", value))) if in_variable => {
                    facts.provided_variables.push(value.into());
                }
                ("aws_codepipeline", _) if trimmed.contains("name") => {
                    facts.provided_variables.extend(json_names(trimmed));
                }
                _ => {}
            }
            if trimmed.starts_with("environment_variable") {
                in_variable = true;
            } else if trimmed == "}" {
                in_variable = false;
            }
            if line.starts_with('}') {
                if kind == "aws_ecr_repository" {
                    facts.repositories.push(RepositoryDeclaration {
                        name: name.take(),
                        immutable,
                        certain,
                        exclusions: std::mem::take(&mut exclusions),
                        span: Span::new(start, start + first_line(&text[start..])),
                    });
                }
                block = None;
            }
        }
        offset += line.len();
    }
}

fn first_line(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}
