//! The files that the commands of a buildspec write and hand on, and whether a command expands variables in texts.

use tagwright_syntax::SmolStr;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::shell::{Command, PartKind, Quoting, RedirectKind, Word};
use tagwright_syntax::yaml::Tree;

use crate::facts::Order;
use crate::tools;

/// The folder that CodeBuild starts a build in.
const SOURCE_ROOT: &str = "CODEBUILD_SRC_DIR";

/// What commands do to files.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Files that they write anew (`>`, `tee`, `cp`, `mv`), in order.
    pub written: Vec<WrittenFile>,
    /// The last parts of the paths of JSON files that they name otherwise, each with the first time.
    pub named: Vec<(SmolStr, Order)>,
}

/// A file that a command writes anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Its path, relative to the folder in which the build starts, without `./`.
    pub path: SmolStr,
    /// When.
    pub order: Order,
    /// The command may be skipped.
    pub conditional: bool,
}

/// Notes what `command` does to files, which runs in `directory` and may change it. `None` is a folder that is
/// not certain.
pub(crate) fn note(
    outputs: &mut Outputs,
    directory: &mut Option<SmolStr>,
    command: &Command,
    script: &str,
    order: Order,
) {
    let Some((program, words)) = program(command, script) else {
        return;
    };
    if matches!(&*program, "cd" | "pushd" | "popd") {
        *directory = entered(directory, command, words.get(1));
        return;
    }
    let mut written = |word: &Word| {
        let path = path_of(word).and_then(|path| joined(directory.as_deref(), &path));
        // A file that some loop or function writes is perhaps not written.
        let context = &command.context;
        if let Some(path) = path
            && context.loops.is_empty()
        {
            outputs.written.push(WrittenFile {
                path,
                order,
                conditional: context.conditional || context.function.is_some(),
            });
        }
    };
    for redirect in &command.redirects {
        if let (RedirectKind::Output, Some(target)) = (redirect.kind, &redirect.target)
            && !redirect.append
        {
            written(target);
        }
    }
    let operands = || {
        words[1..]
            .iter()
            .filter(|word| !word.literal_prefix().starts_with('-'))
    };
    match &*program {
        "tee" if operands().count() + 1 == words.len() => operands().for_each(&mut written),
        "cp" | "mv" if operands().count() == 2 => operands().skip(1).for_each(&mut written),
        _ => {}
    }
    let target = usize::from(matches!(&*program, "cp" | "mv"));
    let count = words.len().saturating_sub(target);
    let inputs = command
        .redirects
        .iter()
        .filter(|redirect| redirect.kind == RedirectKind::Input)
        .filter_map(|redirect| redirect.target.as_ref());
    if program != "tee" {
        for word in words[..count].iter().skip(1).chain(inputs) {
            name(outputs, word, order);
        }
    }
}

/// The name of the program that the command runs, past `sudo`, `env` and the like, and its words from that on.
fn program<'c>(command: &'c Command, script: &str) -> Option<(String, &'c [Word])> {
    let words = &command.words[tools::program(command, script)?..];
    let name = words.first()?.value()?;
    Some((name.rsplit('/').next()?.to_owned(), words))
}

/// Notes the JSON file that the word names, if it does.
fn name(outputs: &mut Outputs, word: &Word, order: Order) {
    let Some(part) = word.parts.last() else {
        return;
    };
    let PartKind::Literal(text) = &part.kind else {
        return;
    };
    let last = text.rsplit(['/', '=', ':']).next().unwrap_or(text);
    if last.ends_with(".json") && !outputs.named.iter().any(|(known, _)| known == last) {
        outputs.named.push((last.into(), order));
    }
}

/// Whether the command expands variables in texts that reach it with their `$`.
pub(crate) fn expands(command: &Command, script: &str) -> bool {
    let Some((program, words)) = program(command, script) else {
        return false;
    };
    let parts = || words[1..].iter().flat_map(|word| &word.parts);
    match &*program {
        "eval" | "envsubst" | "gettext" => true,
        "sh" | "bash" | "dash" | "ksh" | "zsh" => {
            words.iter().any(|word| word.is("-c"))
                && parts().any(|part| matches!(part.kind, PartKind::Variable(_)))
        }
        // A script that looks for a variable's name replaces it.
        "sed" | "gsed" | "perl" | "awk" | "gawk" | "python" | "python3" | "node" => {
            parts().any(|part| match &part.kind {
                PartKind::Literal(text) => text.match_indices('$').any(|(at, _)| {
                    let rest = text[at + 1..].trim_start_matches(['{', '\\']);
                    rest.starts_with(|c: char| c.is_ascii_uppercase())
                }),
                _ => false,
            })
        }
        _ => false,
    }
}

/// Where `cd` leads; `None` if that is not certain.
pub(crate) fn entered(
    directory: &Option<SmolStr>,
    command: &Command,
    target: Option<&Word>,
) -> Option<SmolStr> {
    let context = &command.context;
    let certain = !context.conditional
        && !context.subshell
        && context.loops.is_empty()
        && context.function.is_none();
    let path = target.filter(|_| certain).and_then(path_of)?;
    joined(directory.as_deref(), &path)
}

/// A path that is written out, `$CODEBUILD_SRC_DIR` in front of it as `/`.
pub(crate) fn path_of(word: &Word) -> Option<String> {
    let mut path = String::new();
    for (index, part) in word.parts.iter().enumerate() {
        match &part.kind {
            PartKind::Literal(text) => {
                let globs = part.quoting == Quoting::None && text.contains(['*', '?', '~', '{']);
                if globs || index == 0 && text.starts_with('/') {
                    return None;
                }
                path.push_str(text);
            }
            PartKind::Variable(variable)
                if index == 0 && &*variable.name == SOURCE_ROOT && variable.operator.is_none() =>
            {
                path.push('/');
            }
            _ => return None,
        }
    }
    (!path.is_empty()).then_some(path)
}

/// `path` from `directory` on, without `.` and `..`; `None` if it leaves the source, or nobody knows where the
/// command runs.
pub(crate) fn joined(directory: Option<&str>, path: &str) -> Option<SmolStr> {
    let (start, path) = match path.strip_prefix('/') {
        Some(path) => ("", path),
        None => (directory?, path),
    };
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/").into())
}

/// The folders whose files become the root of an artifact: `base-directory`, and the folder of a file that is
/// listed with its path.
pub(crate) fn artifact_folders(tree: &Tree, spec: &Buildspec) -> Vec<SmolStr> {
    let Some(artifacts) = &spec.artifacts else {
        return Vec::new();
    };
    let mut folders = Vec::new();
    let secondary = tree
        .get(artifacts.node, "secondary-artifacts")
        .and_then(|id| tree.mapping(id));
    let sections = secondary.into_iter().flat_map(|it| &it.entries);
    for section in sections.map(|entry| entry.value).chain([artifacts.node]) {
        let base = tree
            .get(section, "base-directory")
            .and_then(|id| tree.text(id));
        folders.extend(base.and_then(|base| joined(Some(""), base)));
    }
    for file in artifacts.files.iter().filter_map(|id| tree.text(*id)) {
        if let Some((folder, _)) = file.rsplit_once('/') {
            folders.extend(joined(Some(""), folder));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagwright_syntax::shell;

    fn outputs(script: &str) -> Outputs {
        let mut outputs = Outputs::default();
        let mut directory = Some(SmolStr::default());
        for (index, command) in (0..).zip(&shell::parse(script).commands) {
            let order = Order {
                item: 1,
                command: index,
            };
            note(&mut outputs, &mut directory, command, script, order);
        }
        outputs
    }

    #[test]
    fn files_that_are_written_anew_are_known_by_their_path() {
        for (script, path) in [
            ("printf x > a.json", "a.json"),
            ("cd app\necho x >./a.json", "app/a.json"),
            (
                "cd app && cd ..\necho x > $CODEBUILD_SRC_DIR/b/a.json",
                "b/a.json",
            ),
            ("echo x | tee a.json", "a.json"),
            ("cp out/b.json a.json", "a.json"),
            ("sudo mv b.json a.json", "a.json"),
            ("cat <<'E' > a.json\nx\nE", "a.json"),
        ] {
            let found = outputs(script);
            assert_eq!(found.written.len(), 1, "{script}");
            assert_eq!(found.written[0].path, path, "{script}");
            assert!(!found.written[0].conditional, "{script}");
        }
        for script in [
            "echo x >> a.json",
            "echo x | tee -a a.json",
            "cat < a.json",
            "cd $WHERE\necho x > a.json",
            "for f in a; do echo x > a.json; done",
            "cp a.json b.json c",
        ] {
            assert_eq!(outputs(script).written, [], "{script}");
        }
        assert!(outputs("test -f a.json || echo x > a.json").written[0].conditional);
    }

    #[test]
    fn only_programs_expand_texts() {
        let any = |script: &str| {
            let commands = shell::parse(script).commands;
            commands.iter().any(|it| expands(it, script))
        };
        for script in [
            "eval \"docker push $X\"",
            "sudo envsubst < a > b",
            "bash -c \"$COMMAND\"",
            "sed -i 's|${REPO}|'$REPO'|' a.json",
        ] {
            assert!(any(script), "{script}");
        }
        for script in [
            "echo retrieval done",
            "echo eval",
            "./medieval x",
            "sh -c 'echo $X'",
            "sed -i \"s|x|$REPO|\" a.json",
        ] {
            assert!(!any(script), "{script}");
        }
    }
}
