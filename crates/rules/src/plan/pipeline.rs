//! The pipeline's part of a fix: its build action passes the branch to the build.
//!
//! CodePipeline knows the branch of each source and tells it to no build unless the action's
//! `EnvironmentVariables` hold `#{Namespace.BranchName}`; a namespace, the source action has to declare. With one
//! source there is one branch that can be meant, so both lines can be written. With several, which of their
//! branches names the image is not for a tool to say.
//!
//! Source: CodePipeline user guide, "Variables reference" and "AWS CodeBuild build and test action reference".

use tagwright_flow::FileId;
use tagwright_flow::delivery::{Action, Pipeline, Reference, Slot};
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::Span;

use crate::context::Context;
use crate::delivery::{self, Build};
use crate::{Change, ChangeKind, Refusal, RefusalCode, WordEffect};

/// The namespace that CodePipeline's console gives to a source action.
const NAMESPACE: &str = "SourceVariables";

/// The changes that let every pipeline of the workspace pass the branch to the builds that run `spec`; none
/// where they get it already.
pub(super) fn pass_branch(context: &Context<'_>, spec: FileId) -> Result<Vec<Change>, Refusal> {
    let variable = &*context.settings.branch_variable;
    let mut changes = Vec::new();
    for build in delivery::builds(context) {
        let project = build.project;
        // What a project gets from elsewhere may hold the branch.
        let gets = |passed: bool| {
            passed || !project.whole || project.variables.iter().any(|it| **it == *variable)
        };
        let passed = build.action.passed.as_deref();
        let passes = passed.is_some_and(|it| it.iter().any(|it| *it.name == *variable));
        if build.buildspec.id == spec && !gets(passes) {
            changes.extend(pass_to(context, &build)?);
        }
    }
    Ok(changes)
}

/// The changes that let one action pass the branch.
pub(crate) fn pass_to(context: &Context<'_>, build: &Build<'_>) -> Result<Vec<Change>, Refusal> {
    let variable = &*context.settings.branch_variable;
    let source = only_source(
        build.file,
        build.pipeline,
        &format!("does not pass {variable}"),
    )?;
    let (namespace, declaration) = namespace_of(build.file, build.pipeline, source)?;
    let refused = |code, message: String, span| {
        let what = format!("does not pass {variable}");
        Err(Refusal::new(code, message).at(build.file.id, span, what))
    };
    let entry = |gap: &str| {
        format!(
            "{{\"name\":{gap}\"{variable}\",{gap}\"value\":{gap}\"#{{{namespace}.BranchName}}\",{gap}\"type\":{gap}\"PLAINTEXT\"}}"
        )
    };
    let kind = match &build.action.variables_slot {
        Slot::Entry { mapping, index } => (
            *mapping,
            ChangeKind::InsertEntry {
                index: *index,
                key: "EnvironmentVariables".into(),
                value: format!("[{}]", entry("")),
            },
        ),
        Slot::Text { node, value } if build.action.passed.is_some() => {
            let Some((at, text)) = appended(value, entry) else {
                return refused(
                    RefusalCode::UnsupportedForm,
                    format!(
                        "{} does not pass {variable}, and its `EnvironmentVariables` are not a list in brackets",
                        named(build)
                    ),
                    build.action.span,
                );
            };
            if value.chars().count() + text.chars().count() > LONGEST {
                return refused(
                    RefusalCode::YourDecision,
                    format!(
                        "{} does not pass {variable}, and with it `EnvironmentVariables` exceed {LONGEST} characters",
                        named(build)
                    ),
                    build.action.span,
                );
            }
            (
                *node,
                ChangeKind::Replace {
                    range: Span::empty(at),
                    text,
                    words: WordEffect::NotShell,
                },
            )
        }
        Slot::Text { .. } | Slot::Unknown => {
            let setting = build.action.setting("EnvironmentVariables");
            return refused(
                RefusalCode::BranchUnknown,
                format!(
                    "{} does not pass {variable}, and tagwright cannot edit its `EnvironmentVariables`; pass `#{{{namespace}.BranchName}}` there first",
                    named(build)
                ),
                setting.map_or(build.action.span, |it| it.span),
            );
        }
    };
    let passing = Change {
        file: build.file.id,
        node: kind.0,
        kind: kind.1,
    };
    Ok(declaration.into_iter().chain([passing]).collect())
}

/// The change that gives the pipeline's one source the namespace that `reference` reads and no action declares.
pub(crate) fn declare(
    file: &FileFacts,
    pipeline: &Pipeline,
    reference: &Reference,
) -> Result<Change, Refusal> {
    let source = only_source(file, pipeline, "declares no namespace")?;
    let undeclared = || {
        let message = format!(
            "the source action `{}` can declare only one namespace, and the pipeline reads several",
            source.name
        );
        Refusal::new(RefusalCode::YourDecision, message).at(file.id, source.span, "the source")
    };
    let (namespace, change) = namespace_of(file, pipeline, source)?;
    match change {
        Some(change) if namespace == *reference.namespace => Ok(change),
        _ => Err(undeclared()),
    }
}

/// The longest text that a setting of an action can be, in characters.
/// Source: CodePipeline API reference, `ActionConfigurationValue`.
const LONGEST: usize = 1_000;

fn named(build: &Build<'_>) -> String {
    format!(
        "the action `{}` of the pipeline `{}`",
        build.action.name, build.pipeline.name
    )
}

/// The one action whose branch can be meant; `lacks` says what the pipeline wants for.
fn only_source<'a>(
    file: &FileFacts,
    pipeline: &'a Pipeline,
    lacks: &str,
) -> Result<&'a Action, Refusal> {
    let name = &pipeline.name;
    let unknown = |message: String, span| {
        let what = "the pipeline";
        Err(Refusal::new(RefusalCode::BranchUnknown, message).at(file.id, span, what))
    };
    let decided = |action: &Action| !action.category.is_empty() && !action.provider.is_empty();
    if !pipeline.whole || !delivery::actions(pipeline).all(decided) {
        return unknown(
            format!("the pipeline `{name}` {lacks}, and its source is not written out"),
            pipeline.span,
        );
    }
    let sources: Vec<&Action> = delivery::actions(pipeline)
        .filter(|it| &*it.category == "Source" && !matches!(&*it.provider, "S3" | "ECR"))
        .collect();
    match sources[..] {
        [source] if has_branch(source) => Ok(source),
        [] | [_] => unknown(
            format!("the pipeline `{name}` {lacks}, and its source knows no branch"),
            sources.first().map_or(pipeline.span, |it| it.span),
        ),
        [_, second, ..] => {
            let names: Vec<String> = sources.iter().map(|it| format!("`{}`", it.name)).collect();
            let message = format!(
                "the pipeline `{name}` {lacks} and has several sources ({}); first pass the branch of the one that names the image",
                names.join(", ")
            );
            let refusal = Refusal::new(RefusalCode::YourDecision, message);
            Err(refusal.at(file.id, second.span, "another source"))
        }
    }
}

/// Whether the source's output variables hold the branch.
/// Source: CodePipeline user guide, "Variables reference".
fn has_branch(source: &Action) -> bool {
    matches!(
        &*source.provider,
        "CodeCommit" | "CodeStarSourceConnection" | "GitHub"
    )
}

/// The namespace of the source, and the change that declares it if the source has none: the one that the
/// pipeline reads already, or else the console's.
fn namespace_of(
    file: &FileFacts,
    pipeline: &Pipeline,
    source: &Action,
) -> Result<(String, Option<Change>), Refusal> {
    if let Some(namespace) = &source.namespace {
        return Ok((namespace.to_string(), None));
    }
    let Slot::Entry { mapping, index } = source.namespace_slot else {
        let message = format!(
            "the source action `{}` has no namespace, and tagwright cannot add one there",
            source.name
        );
        let refusal = Refusal::new(RefusalCode::BranchUnknown, message);
        return Err(refusal.at(file.id, source.span, "the source"));
    };
    let taken = |name: &str| {
        let mut declared = delivery::actions(pipeline).filter_map(|it| it.namespace.as_deref());
        declared.any(|it| it == name) || matches!(name, "codepipeline" | "variables")
    };
    let mut read = pipeline.stages.iter().flat_map(|stage| {
        let actions = stage.actions.iter().flat_map(|it| &it.references);
        actions.chain(&stage.references)
    });
    let namespace = read
        .find(|it| !taken(&it.namespace) && of_source(it))
        .map_or(NAMESPACE, |it| &it.namespace);
    if taken(namespace) {
        let message = format!("another action has the namespace `{namespace}` already");
        let refusal = Refusal::new(RefusalCode::YourDecision, message);
        return Err(refusal.at(file.id, source.span, "the source"));
    }
    let change = Change {
        file: file.id,
        node: mapping,
        kind: ChangeKind::InsertEntry {
            index,
            key: "Namespace".into(),
            value: namespace.to_owned(),
        },
    };
    Ok((namespace.to_owned(), Some(change)))
}

/// Whether the reference reads what only a source tells.
pub(crate) fn of_source(reference: &Reference) -> bool {
    matches!(
        &*reference.name,
        "BranchName" | "CommitId" | "CommitMessage" | "RepositoryName" | "FullRepositoryName"
    )
}

/// Where a list of JSON takes another item, a byte of `json`, and what is inserted there, in the list's own manner.
/// `None` if the text is no such list.
fn appended(json: &str, item: impl Fn(&str) -> String) -> Option<(usize, String)> {
    let list = json.trim_end().strip_suffix(']')?;
    let kept = list.trim_end();
    if kept.ends_with('[') {
        return (kept.trim_start() == "[").then(|| (kept.len(), item("")));
    }
    let gap = if kept.contains("\": ") { " " } else { "" };
    let first = kept.find('{').filter(|_| kept.ends_with('}'))?;
    let line = kept[..first].rfind('\n');
    let before = match line {
        Some(line) if kept[line..first].trim().is_empty() => &kept[line..first],
        _ if kept.contains("}, ") || kept.contains("\", ") => " ",
        _ => "",
    };
    Some((kept.len(), format!(",{before}{}", item(gap))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_written_like_its_neighbours() {
        let item = |gap: &str| format!("{{\"n\":{gap}1}}");
        let cases = [
            ("[]", Some("[{\"n\":1}]")),
            ("[{\"a\":1}]", Some("[{\"a\":1},{\"n\":1}]")),
            (
                "[{\"a\": 1}, {\"a\": 2}]\n",
                Some("[{\"a\": 1}, {\"a\": 2}, {\"n\": 1}]\n"),
            ),
            (
                "[\n  {\"a\": 1}\n]\n",
                Some("[\n  {\"a\": 1},\n  {\"n\": 1}\n]\n"),
            ),
            ("[{\"a\":1},]", None),
            ("{\"a\":1}", None),
            ("", None),
        ];
        for (json, expected) in cases {
            let after = appended(json, item).map(|(at, text)| {
                let (before, behind) = json.split_at(at);
                format!("{before}{text}{behind}")
            });
            assert_eq!(after.as_deref(), expected, "{json}");
        }
    }
}
