//! The scripts of the repository that the commands of a buildspec start by their path.

use std::cell::OnceCell;

use tagwright_flow::FileKind;
use tagwright_flow::facts::{FileFacts, ShellKind};
use tagwright_flow::habits::ItemScript;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Word};

use crate::place::{Place, is_move, step};

/// A script that is started by its path, so that the system has to be allowed to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCall {
    /// Its path relative to the root of the source, without `./`.
    pub path: String,
    /// Where the command names it, bytes of the file.
    pub span: Span,
}

/// What stands before a path that counts from the root of the source, wherever the build is.
const ROOTS: [&str; 4] = [
    "$CODEBUILD_SRC_DIR/",
    "${CODEBUILD_SRC_DIR}/",
    "\"$CODEBUILD_SRC_DIR/",
    "\"${CODEBUILD_SRC_DIR}/",
];

/// The scripts that the commands of `file` start by their path, as far as it is certain which file that is and that
/// nothing in the buildspec makes it, replaces it or changes its mode. Each is named once.
#[must_use]
pub fn script_calls(file: &FileFacts) -> Vec<ScriptCall> {
    let mut calls: Vec<ScriptCall> = Vec::new();
    let own = file
        .buildspec
        .as_ref()
        .filter(|spec| !spec.inline && spec.template.is_none() && spec.shell == ShellKind::Posix);
    if file.kind != FileKind::Buildspec || own.is_none() || file.error.is_some() {
        return calls;
    }
    let all = file.scripts();
    let tree = OnceCell::new();
    let place = |item: &ItemScript, span: Span| {
        let tree = tree.get_or_init(|| file.tree());
        let map = file.source_map(tree, item.node);
        map.and_then(|map| map.source(span))
            .unwrap_or_else(|| tree.node(item.node).span)
    };
    let commands = || all.iter().flat_map(|item| &item.script.commands);
    let mut place_of = Place::default();
    for item in all.iter() {
        if !item.whole {
            place_of.folder = None;
            continue;
        }
        let moves_inside = |it: &Command| it.context.subshell && is_move(it);
        let inside = item.script.commands.iter().any(moves_inside);
        for (index, command) in item.script.commands.iter().enumerate() {
            place_of.pass(&item.script, &item.text, index);
            let folder = place_of.folder.as_deref();
            let folder = folder.filter(|_| !(inside && command.context.subshell));
            let Some(path) = called(command, &item.text, folder) else {
                continue;
            };
            let tested = command.context.tolerated || item.script.commands.iter().any(tests_a_file);
            let known = calls.iter().any(|call| call.path == path);
            if tested || known || command.context.function.is_some() {
                continue;
            }
            let name = path.rsplit('/').next().unwrap_or(&path);
            if !commands().any(|it| may_change(it, name)) {
                let span = place(item, command.words[0].span);
                calls.push(ScriptCall { path, span });
            }
        }
    }
    calls
}

/// The path of the script that the command starts, from the root of the source on; `folder` is where it runs, if that is
/// known.
fn called(command: &Command, text: &str, folder: Option<&[String]>) -> Option<String> {
    let word = command.words.first()?;
    let written = word.span.of(text);
    let (start, path) = match ROOTS.iter().find_map(|root| written.strip_prefix(root)) {
        Some(rest) => (&[][..], rest.trim_end_matches('"').to_owned()),
        None => (folder?, word.literal()?),
    };
    let certain = !path.is_empty()
        && !path.starts_with(['/', '~'])
        && !path.contains(['$', '*', '?', '"', '`']);
    let mut parts = start.to_vec();
    step(&mut parts, &path)?;
    let path = parts.join("/");
    let by_path = written.contains('/');
    (certain && by_path && !path.is_empty()).then_some(path)
}

/// Whether the command asks whether a file is there or may be run.
fn tests_a_file(command: &Command) -> bool {
    let tests = matches!(command.program().as_deref(), Some("[" | "[[" | "test"));
    let asks = |word: &Word| word.is("-x") || word.is("-f") || word.is("-e");
    tests && command.words.iter().any(asks)
}

/// Whether the command may make a file of this name or let it be run. What only names it in passing does not.
fn may_change(command: &Command, name: &str) -> bool {
    let program = command.program().unwrap_or_default();
    let mentions = |word: &Word| {
        let text = word.literal_prefix();
        text.contains(name) || word.literal().is_none() && text.is_empty()
    };
    let written = command
        .redirects
        .iter()
        .filter_map(|redirect| redirect.target.as_ref())
        .any(|target| target.literal_prefix().ends_with(name));
    if written {
        return true;
    }
    let changes_mode = command.words.iter().any(|word| word.is("chmod"));
    if changes_mode {
        let any = |word: &Word| {
            let text = word.literal().unwrap_or_else(|| "*".to_owned());
            text.contains(['*', '?', '{'])
                || text.contains(name)
                || text.starts_with("-R")
                || text == "+"
        };
        return program != "chmod" || command.words.iter().skip(1).any(any);
    }
    match &*program {
        "echo" | "printf" | "sh" | "bash" | "dash" | "." | "source" | "ls" | "cat" => false,
        // All that is in the repository may change.
        "git" | "install" | "unzip" | "tar" => true,
        _ => {
            command.words.iter().skip(1).any(mentions)
                && command.words.len() > 1
                && !program.ends_with(name)
        }
    }
}
