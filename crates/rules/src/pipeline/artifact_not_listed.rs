//! A build writes the file that names its image, and does not hand it on.
//!
//! ## What it does
//!
//! Finds commands that write `imagedefinitions.json` or `imageDetail.json` (by `>` or `tee`), or the file that
//! an ECS deployment behind the build asks for, where no pattern in `artifacts.files` or in
//! `secondary-artifacts` takes it. Without an `artifacts` section it speaks only if a pipeline beside the file
//! deploys to ECS from this build. Where a command copies or uploads the file it is silent.
//!
//! ## Why it matters
//!
//! What a build writes stays in its container unless the artifacts take it. The deployment gets an artifact
//! without the file and fails, after the image has been built and pushed.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION > imagedefinitions.json
//! artifacts:
//!   files:
//!     - taskdef.json
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION > imagedefinitions.json
//! artifacts:
//!   files:
//!     - taskdef.json
//!     - imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! The file is added to the list, if that is a list with dashes and `base-directory` does not move its root.
//!
//! ## When to silence it
//!
//! Where the file is only looked at during the build, or a command uploads it elsewhere.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Image definitions file reference".
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html>
//! - CodePipeline user guide, "Amazon Elastic Container Service deploy action reference": `FileName`.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html>
//! - CodeBuild user guide, "Build specification reference", `artifacts`.

use tagwright_flow::delivery::Value;
use tagwright_flow::facts::{FileFacts, IMAGE_FILES as FILES, ImageFiles};
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::yaml::{NodeId, Tree};

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "artifact-not-listed",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("artifact_not_listed"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let wanted = wanted(context);
    let files = context.workspace.files();
    // Where it is not certain already, the file has to be read again for it.
    let found = crate::verdict::each_file(files, |file| missing(file, &wanted));
    for (file, missing) in files.iter().zip(found) {
        for Missing {
            name,
            written,
            consumer,
            fix,
        } in missing
        {
            let place = match consumer {
                Some((_, _, action, ..)) => format!("the deployment `{action}`"),
                None => "the deployment".to_owned(),
            };
            let message =
                format!("`{name}` is not among the artifacts, so {place} does not find it",);
            let mut draft = report.draft(file.id, written.span, message).fix(fix);
            if let Some((_, _, _, other, span)) = consumer {
                draft = draft.related(*other, *span, "needs the file");
            }
            report.add(draft);
        }
    }
}

/// A file that is written and not among the artifacts.
struct Missing<'w> {
    name: &'w str,
    written: Written,
    /// The deployment that needs it.
    consumer: Option<&'w Wanted<'w>>,
    fix: Result<Fix, Refusal>,
}

/// What the buildspec `file` writes for a deployment without handing it on.
fn missing<'w>(file: &FileFacts, wanted: &'w [Wanted<'w>]) -> Vec<Missing<'w>> {
    let Some(facts) = file
        .buildspec
        .as_ref()
        .filter(|spec| !spec.inline && spec.template.is_none())
    else {
        return Vec::new();
    };
    if wanted.is_empty() && facts.image_files == ImageFiles::None || file.error.is_some() {
        return Vec::new();
    }
    let here = || wanted.iter().filter(|(spec, ..)| spec.id == file.id);
    let settled = match facts.image_files {
        ImageFiles::None | ImageFiles::NoArtifacts => here().next().is_none(),
        ImageFiles::Listed => here().all(|(_, name, ..)| FILES.contains(&&**name)),
        ImageFiles::Unsure => false,
    };
    if settled {
        return Vec::new();
    }
    let mut names: Vec<&str> = here().map(|(_, name, ..)| &**name).collect();
    names.extend(FILES);
    names.retain(|name| file.may_hold(name));
    if names.is_empty() {
        return Vec::new();
    }
    names.sort_unstable();
    names.dedup();
    let tree = file.tree();
    let Some(spec) = tree.root().and_then(|root| Buildspec::read(&tree, root)) else {
        return Vec::new();
    };
    let listed = spec.artifacts.as_ref().map_or(&[][..], |it| &it.files);
    let patterns: Vec<&str> = listed.iter().filter_map(|node| tree.text(*node)).collect();
    // The other one of the two is what the deployment takes.
    let other = |name: &str| {
        FILES
            .iter()
            .any(|known| *known != name && patterns.iter().any(|it| it.contains(known)))
    };
    let based = |node| tree.get(node, "base-directory").is_some();
    let moves = file.habits().moves || spec.artifacts.as_ref().is_some_and(|it| based(it.node));
    let mut found = Vec::new();
    for name in names {
        let consumer = here().find(|(_, wanted, ..)| &**wanted == name);
        if consumer.is_none() && (patterns.is_empty() || other(name)) {
            continue;
        }
        let Some(written) = written(file, &tree, name) else {
            continue;
        };
        if patterns
            .iter()
            .any(|pattern| takes(pattern, &written.path, moves))
        {
            continue;
        }
        let fix = add_to_list(file, &tree, &spec, &written.path);
        found.push(Missing {
            name,
            written,
            consumer,
            fix,
        });
    }
    found
}

/// The files that ECS deployments take from builds: buildspec, file name, action, where that stands.
type Wanted<'a> = (
    &'a FileFacts,
    Box<str>,
    &'a str,
    tagwright_flow::FileId,
    Span,
);

fn wanted<'a>(context: &Context<'a>) -> Vec<Wanted<'a>> {
    let mut wanted = Vec::new();
    for build in delivery::builds(context) {
        for action in delivery::actions(build.pipeline) {
            let takes = action
                .inputs
                .iter()
                .any(|input| build.action.outputs.contains(input));
            if &*action.provider != "ECS" || !takes {
                continue;
            }
            let name = match action.setting("FileName").map(|it| &it.value) {
                None => FILES[0].into(),
                Some(Value::Text(name)) => name.clone(),
                Some(_) => continue,
            };
            wanted.push((
                build.buildspec,
                name,
                &*action.name,
                build.file.id,
                action.span,
            ));
        }
    }
    wanted
}

/// A command that writes the file.
struct Written {
    /// As the command writes it.
    path: String,
    /// Its bytes in the file.
    span: Span,
}

/// Where a command writes the file `name`; `None` if none does, or if one takes it elsewhere.
fn written(file: &FileFacts, tree: &Tree, name: &str) -> Option<Written> {
    let mut found = None;
    for item in file.scripts().iter().filter(|item| item.whole) {
        let (node, text) = (item.node, item.live_text());
        for (at, _) in text.match_indices(name) {
            let start = text[..at].rfind(['\n']).map_or(0, |it| it + 1);
            let line = text[start..].lines().next().unwrap_or("");
            let moved = ["cp ", "mv ", "s3", "zip", "tar ", "curl ", "sync ", "rm "];
            if moved.iter().any(|word| line.contains(word)) {
                return None;
            }
            let ends = |c: char| c.is_whitespace() || "\"'>|(;=&`".contains(c);
            let from = text[..at].rfind(ends).map_or(0, |it| it + 1);
            let before = text[..from].trim_end_matches(['"', '\'', ' ', '\t']);
            let writes =
                before.ends_with('>') || before.ends_with("tee") || before.ends_with("tee -a");
            if !writes || found.is_some() {
                continue;
            }
            let end = at + name.len();
            let span = file.source_map(tree, node)
                .and_then(|map| map.source(Span::new(from, end)))
                .unwrap_or(tree.node(node).span);
            found = Some(Written {
                path: text[from..end].trim_start_matches("./").to_owned(),
                span,
            });
        }
    }
    found
}

/// Whether a pattern of artifacts may take the file: it does wherever the folder is not certain, which it is
/// not where something `moves` to another one.
fn takes(pattern: &str, path: &str, moves: bool) -> bool {
    let pattern = pattern.trim_start_matches("./");
    let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let name = path.rsplit('/').next().unwrap_or(path);
    if pattern.contains('$') || matches!(last, "" | ".") {
        return true;
    }
    if !is_match(last, name) {
        return false;
    }
    let first = folder.split('/').next().unwrap_or("");
    let elsewhere = !first.is_empty() && !first.contains(['*', '?', '.', '[', '{']);
    let certain = !path.contains('/') && !moves;
    !(elsewhere && certain)
}

/// Whether the name matches the last part of a pattern.
pub(crate) fn is_match(pattern: &str, name: &str) -> bool {
    if pattern.contains(['?', '[', '{']) {
        return true;
    }
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

fn add_to_list(file: &FileFacts, tree: &Tree, spec: &Buildspec, path: &str) -> Result<Fix, Refusal> {
    let artifacts = spec
        .artifacts
        .as_ref()
        .ok_or_else(|| Refusal::new(RefusalCode::NoPlace, "the file has no `artifacts` section"))?;
    if tree.get(artifacts.node, "base-directory").is_some() {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "`base-directory` decides from where files are taken"));
    }
    if path.contains(['$', '`', '~']) || path.starts_with('/') {
        return Err(Refusal::uncertain("the folder that the file is written to is not certain"));
    }
    if file.habits().moves {
        return Err(Refusal::uncertain("a command changes the folder"));
    }
    let node: NodeId = tree
        .get(artifacts.node, "files")
        .ok_or_else(|| Refusal::uncertain("which of the secondary artifacts is meant is not certain"))?;
    let list = tree
        .sequence(node)
        .filter(|list| !list.flow && !list.items.is_empty())
        .ok_or_else(|| Refusal::new(RefusalCode::NoPlace, "`files` is not written as a list with dashes"))?;
    Ok(Fix {
        message: format!("add `{path}` to the artifacts"),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: file.id,
            node,
            kind: ChangeKind::InsertItem {
                index: u32::try_from(list.items.len()).unwrap_or(u32::MAX),
                value: path.into(),
            },
        }],
    })
}
