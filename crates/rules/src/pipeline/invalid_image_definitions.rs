//! The file that tells a deployment its image is not what the deployment reads.
//!
//! ## What it does
//!
//! Puts together what `echo`, `printf` or `cat` write to `imagedefinitions.json` and `imageDetail.json`, as the
//! shell would, and reports what is not JSON (quotes that the shell removes, single quotes, backslashes that stay)
//! and what has another shape: `imagedefinitions.json` is a list of objects with `name` and `imageUri`,
//! `imageDetail.json` one object with `ImageURI`. Where a value decides, or another command edits the file, it is
//! silent.
//!
//! ## Why it matters
//!
//! The build succeeds. The deployment behind it fails: "Did not find the image definition file", or an error of
//! its parser.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   post_build:
//!     commands:
//!       - echo [{"name":"web","imageUri":"$IMAGE_URI"}] > imagedefinitions.json
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
//!   post_build:
//!     commands:
//!       - printf '[{"name":"web","imageUri":"%s"}]' "$IMAGE_URI" > imagedefinitions.json
//! artifacts:
//!   files:
//!     - imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where the file only has the name, and a program of your own reads it.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Image definitions file reference".
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html>
//! - RFC 8259: strings of JSON have double quotes.

use serde_json::Value;
use tagwright_flow::facts::IMAGE_FILES;
use tagwright_syntax::shell::{Script, Status};

use crate::context::{Document, Report};
use crate::handover::{NotJson, file_name, json, writes};
use crate::{Category, Check, Fixable, Rule, Severity, script};

pub(crate) static RULE: Rule = Rule {
    name: "invalid-image-definitions",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("invalid_image_definitions"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let matters = |text: &str| IMAGE_FILES.iter().any(|name| text.contains(name));
    let items: Vec<_> = script::items(document, matters).collect();
    for name in IMAGE_FILES {
        if items.iter().any(|it| may_edit(&it.script, it.text, name)) {
            continue;
        }
        for item in items.iter().filter(|it| it.script.status == Status::Clean) {
            for write in writes(&item.script, item.text) {
                let Some(text) = write.text else { continue };
                if file_name(write.target).as_deref() != Some(name) {
                    continue;
                }
                if let Some((severity, message)) = problem(name, &text) {
                    let command = item.script.commands[write.command].span;
                    let span = item.span(document, command);
                    report.add(report.draft(document.facts.id, span, message).severity(severity));
                }
            }
        }
    }
}

/// Whether something may change what a command has written to the file.
fn may_edit(script: &Script, text: &str, name: &str) -> bool {
    if script.status != Status::Clean && text.contains(name) {
        return true;
    }
    if writes(script, text)
        .iter()
        .any(|it| it.appends && file_name(it.target).as_deref() == Some(name))
    {
        return true;
    }
    script.commands.iter().any(|command| {
        let names = command.words.iter().any(|it| it.literal_prefix().ends_with(name));
        let program = command.program().unwrap_or_default();
        let only_reads = matches!(
            &*program,
            "echo" | "printf" | "cat" | "ls" | "test" | "[" | "stat" | "head" | "tail" | "cp" | "mv" | "aws" | "zip" | "tee" | "chmod"
        );
        names && !only_reads
    })
}

/// What is wrong with the text of the file.
fn problem(name: &str, text: &str) -> Option<(Severity, String)> {
    let value = match json(text) {
        Ok(value) => value,
        Err(NotJson::Unknown) => return None,
        Err(NotJson::NoQuotes) => {
            let message = format!(
                "`{name}` is not JSON: the shell removes the double quotes. Put the JSON into single quotes, or use `printf` with `%s`"
            );
            return Some((Severity::Error, message));
        }
        Err(NotJson::SingleQuotes) => {
            let message = format!("`{name}` is not JSON: JSON requires double quotes, not single ones");
            return Some((Severity::Error, message));
        }
        Err(NotJson::Other) => {
            let message = format!("`{name}` is not JSON: check its quotes, commas and brackets");
            return Some((Severity::Error, message));
        }
    };
    let shape = if name == IMAGE_FILES[0] {
        definitions(&value)
    } else {
        detail(&value)
    };
    shape.map(|it| (Severity::Warning, it))
}

fn definitions(value: &Value) -> Option<String> {
    let Value::Array(items) = value else {
        return Some(
            "`imagedefinitions.json` must be a list: `[{\"name\":…,\"imageUri\":…}]`. An object with `ImageURI` is the form of imageDetail.json".to_owned(),
        );
    };
    let key = ["name", "imageUri"]
        .into_iter()
        .find(|key| items.iter().any(|item| item.get(key).is_none()))?;
    Some(format!(
        "an entry of `imagedefinitions.json` has no `{key}`: each needs `name`, the container, and `imageUri`"
    ))
}

fn detail(value: &Value) -> Option<String> {
    value.get("ImageURI").is_none().then(|| {
        "`imageDetail.json` must be an object with `ImageURI`".to_owned()
    })
}
