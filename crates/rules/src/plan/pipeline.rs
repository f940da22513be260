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
use tagwright_syntax::yaml::NodeId;

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
        let gets = |passed: bool| passed || !project.whole || project.variable(variable).is_some();
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
    let lacks = format!("does not pass {variable}");
    let source = only_source(build.file, build.pipeline, &lacks)?;
    let (namespace, declaration) = namespace_of(build.file, build.pipeline, source)?;
    let refused = |code, what: String, span| {
        let message = format!(
            "the action `{}` of the pipeline `{}` {lacks}, and {what}",
            build.action.name, build.pipeline.name
        );
        Err(Refusal::new(code, message).at(build.file.id, span, &*lacks))
    };
    let passed = Passed {
        variable,
        reference: format!("#{{{namespace}.BranchName}}"),
    };
    let readable = build.action.passed.is_some();
    let slot = Some(&build.action.variables_slot).filter(|_| readable);
    let passing = match slot.and_then(|slot| passed.written(slot)) {
        Some((node, kind, length)) if length <= LONGEST => Change {
            file: build.file.id,
            node,
            kind,
        },
        Some(_) => {
            let what = format!("with it `EnvironmentVariables` exceed {LONGEST} characters");
            return refused(RefusalCode::YourDecision, what, build.action.span);
        }
        None => {
            let setting = build.action.setting("EnvironmentVariables");
            let what = format!(
                "tagwright cannot edit its `EnvironmentVariables`; pass `{}` there first",
                passed.reference
            );
            let span = setting.map_or(build.action.span, |it| it.span);
            return refused(RefusalCode::BranchUnknown, what, span);
        }
    };
    Ok(declaration.into_iter().chain([passing]).collect())
}

/// What an action is made to pass.
struct Passed<'a> {
    variable: &'a str,
    /// The variable of the pipeline that holds the value: `#{Namespace.BranchName}`.
    reference: String,
}

impl Passed<'_> {
    /// As an object of JSON, with `gap` behind each colon and comma.
    fn json(&self, gap: &str) -> String {
        let Self {
            variable,
            reference,
        } = self;
        format!(
            "{{\"name\":{gap}\"{variable}\",{gap}\"value\":{gap}\"{reference}\",{gap}\"type\":{gap}\"PLAINTEXT\"}}"
        )
    }

    /// As an object of Terraform, for `jsonencode`.
    fn hcl(&self) -> String {
        let Self {
            variable,
            reference,
        } = self;
        format!("{{ name = \"{variable}\", value = \"{reference}\", type = \"PLAINTEXT\" }}")
    }

    /// What becomes of which node, and the length of the whole text then, in characters. `None` where the text cannot
    /// be edited.
    fn written(&self, slot: &Slot) -> Option<(NodeId, ChangeKind, usize)> {
        let key = "EnvironmentVariables";
        Some(match slot {
            Slot::Entry { mapping, index } => {
                let value = format!("[{}]", self.json(""));
                let length = value.chars().count();
                let kind = ChangeKind::InsertEntry {
                    index: *index,
                    key: key.into(),
                    value,
                };
                (*mapping, kind, length)
            }
            Slot::Text { node, value } => {
                let (at, text) = appended(value, |gap| self.json(gap))?;
                let length = value.chars().count() + text.chars().count();
                let kind = ChangeKind::Replace {
                    range: Span::empty(at),
                    text,
                    words: WordEffect::NotShell,
                };
                (*node, kind, length)
            }
            Slot::Behind(behind) => {
                let kind = ChangeKind::InsertSetting {
                    behind: *behind,
                    name: Some(key.into()),
                    value: format!("jsonencode([{}])", self.hcl()),
                };
                (NodeId(0), kind, self.json("").chars().count())
            }
            Slot::ItemBehind { item, list } => {
                let value = self.hcl();
                // The text of the list is hardly ever shorter than the JSON that is made of it.
                let length = list.len() + value.len();
                let kind = ChangeKind::InsertSetting {
                    behind: *item,
                    name: None,
                    value,
                };
                (NodeId(0), kind, length)
            }
            Slot::Unknown => return None,
        })
    }
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
    let decided = |action: &Action| {
        let source = matches!(&*action.category, "Source" | "");
        !source || !action.category.is_empty() && !action.provider.is_empty()
    };
    if !pipeline.listed || !delivery::actions(pipeline).all(decided) {
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
    let (node, kind) = match source.namespace_slot {
        Slot::Entry { mapping, index } => {
            let (key, value) = ("Namespace".into(), namespace.to_owned());
            (mapping, ChangeKind::InsertEntry { index, key, value })
        }
        Slot::Behind(behind) => {
            let (name, value) = (Some("namespace".into()), format!("\"{namespace}\""));
            let kind = ChangeKind::InsertSetting {
                behind,
                name,
                value,
            };
            (NodeId(0), kind)
        }
        _ => {
            let message = format!(
                "the source action `{}` has no namespace, and tagwright cannot add one there",
                source.name
            );
            let refusal = Refusal::new(RefusalCode::BranchUnknown, message);
            return Err(refusal.at(file.id, source.span, "the source"));
        }
    };
    let change = Change {
        file: file.id,
        node,
        kind,
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
