//! A build writes the file that names its image, and takes it from another folder.
//!
//! ## What it does
//!
//! Follows `cd` through the commands of a buildspec of version 0.2 to where `imagedefinitions.json`,
//! `imageDetail.json` and the like are written, and compares that with `artifacts.files` and `base-directory`.
//! Where it is not certain which folder a command runs in, or another command names the file, it is silent.
//!
//! ## Why it matters
//!
//! The folder stays changed from command to command and from phase to phase, while artifacts are taken from the
//! root of the source or from `base-directory`. The upload fails with "no matching artifact paths found".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - cd service
//!       - make image
//!   post_build:
//!     commands:
//!       - printf '[{"name":"web","imageUri":"%s"}]' "$IMAGE_URI" > imagedefinitions.json
//! artifacts:
//!   files:
//!     - imagedefinitions.json
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - cd service
//!       - make image
//!   post_build:
//!     commands:
//!       - printf '[{"name":"web","imageUri":"%s"}]' "$IMAGE_URI" > "$CODEBUILD_SRC_DIR/imagedefinitions.json"
//! artifacts:
//!   files:
//!     - imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! None: the deployment looks for the file at the root of the artifact, so it is the command that has to change.
//!
//! ## When to silence it
//!
//! Where a program that the build runs puts the file in its place.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference", `artifacts/files` and `artifacts/base-directory`:
//!   relative to the original build location. `version`: in 0.2 all commands run in one shell.
//!   <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>

use tagwright_syntax::buildspec::Version;
use tagwright_syntax::shell::{Command, Status};
use tagwright_syntax::yaml::NodeId;

use crate::context::{Document, Report};
use crate::handover::{self, Artifact, file_name, writes};
use crate::place::{Place, is_move, step, target};
use crate::script::{self, Item};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "artifact-elsewhere",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("artifact_elsewhere"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let Some(spec) = &document.buildspec else {
        return;
    };
    if spec.version != Version::V0_2 || document.outer.is_some() {
        return;
    }
    let Some(artifacts) = handover::artifacts(document.tree, spec) else {
        return;
    };
    let based = artifacts.iter().any(|it| !it.base.is_empty());
    let moves = |text: &str| text.contains("cd ") || text.contains("pushd");
    for (name, listed, node) in wanted(&artifacts) {
        let named = || document.items().iter().any(|it| it.text.contains(&*name));
        if !named() || !(based || document.items().iter().any(|it| moves(it.text))) {
            continue;
        }
        let items: Vec<Item<'_>> = script::items(document, |_| true).collect();
        let Some((item, span, written)) = only_write(&items, &name) else {
            continue;
        };
        let elsewhere = artifacts
            .iter()
            .flat_map(|it| it.files.iter().map(move |(path, _)| below(&it.base, path)))
            .any(|path| path.is_none_or(|path| path == written));
        if written == listed || elsewhere {
            continue;
        }
        let message = format!(
            "`{name}` is written to `{}`, and the artifacts take it from `{}`. Write it to `$CODEBUILD_SRC_DIR/{}`",
            written.join("/"),
            listed.join("/"),
            listed.join("/"),
        );
        let place = item.span(document, span);
        report.add(report.draft(document.facts.id, place, message).related(
            document.facts.id,
            document.tree.node(node).span,
            "taken from here",
        ));
    }
}

/// The files for deployments that the artifacts name without a wildcard: name, path, where it is listed.
fn wanted(artifacts: &[Artifact]) -> Vec<(String, Vec<String>, NodeId)> {
    let mut found = Vec::new();
    for artifact in artifacts {
        for (path, node) in &artifact.files {
            let name = path.rsplit('/').next().unwrap_or(path);
            let tells = name.ends_with(".json") && name.to_ascii_lowercase().contains("image");
            if tells && let Some(listed) = below(&artifact.base, path) {
                found.push((name.to_owned(), listed, *node));
            }
        }
    }
    found
}

/// The parts of a path below a base folder; `None` where a wildcard, a variable or an absolute path decides.
fn below(base: &str, path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for text in [base, path] {
        if text.starts_with('/') || text.contains(['*', '?', '[', '{', '$', '~']) {
            return None;
        }
        step(&mut parts, text)?;
    }
    Some(parts)
}

/// Whether the command copies files that it does not name one by one: the file may be among them.
fn copies_any(command: &Command, text: &str) -> bool {
    let copies = matches!(
        command.program().as_deref(),
        Some("cp" | "mv" | "rsync" | "ln" | "install" | "find" | "xargs")
    );
    copies
        && command.words[1..].iter().any(|word| {
            let written = word.span.of(text);
            matches!(written, "." | "./") || written.contains(['*', '?', '[', '$', '{'])
        })
}

/// Where the one command that writes the file stands and what it writes, if nothing else handles the file.
fn only_write<'i, 'd>(
    items: &'i [Item<'d>],
    name: &str,
) -> Option<(&'i Item<'d>, tagwright_syntax::Span, Vec<String>)> {
    let mut found = None;
    let mut place = Place::default();
    for item in items {
        if item.script.status != Status::Clean {
            // What it does is not known, and whether it goes elsewhere.
            if item.text.contains(name) {
                return None;
            }
            place.folder = None;
            continue;
        }
        let writes = writes(&item.script, item.text);
        let inside = item
            .script
            .commands
            .iter()
            .any(|it| it.context.subshell && is_move(it));
        for (index, command) in item.script.commands.iter().enumerate() {
            place.pass(&item.script, item.text, index);
            let own: Vec<_> = writes
                .iter()
                .filter(|it| it.command == index && file_name(it.target).as_deref() == Some(name))
                .collect();
            let names = command.words.iter().any(|it| it.literal_prefix().contains(name));
            let reads = matches!(
                command.program().as_deref(),
                Some("cat" | "echo" | "printf" | "ls" | "test" | "[" | "tee" | "jq" | "head")
            );
            if names && !reads || copies_any(command, item.text) {
                return None;
            }
            for write in own {
                if found.is_some() || inside && command.context.subshell {
                    return None;
                }
                let path = target(write.target, &place.folder)?;
                found = Some((item, write.span, path));
            }
        }
    }
    found
}
