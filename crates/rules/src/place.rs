//! In which folder of the source the commands of a buildspec run.
//!
//! In version 0.2 all commands run in one shell, so `cd` holds for all that follow. Source: CodeBuild user guide, "Build
//! specification reference", `version`.

use tagwright_syntax::shell::{Command, PartKind, Script, Word};

use crate::delivery::surely_runs;

/// A folder below the root of the source, as its parts; `None` if it is not known.
pub(crate) type Folder = Option<Vec<String>>;

/// Whether the command changes the folder, or may.
pub(crate) fn is_move(command: &Command) -> bool {
    matches!(
        command.program().as_deref(),
        Some("cd" | "pushd" | "popd" | "eval" | "source" | ".")
    )
}

/// Goes along a relative path; `None` if that leaves the source.
pub(crate) fn step(parts: &mut Vec<String>, path: &str) -> Option<()> {
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part.to_owned()),
        }
    }
    Some(())
}

/// Where commands run, at first the root of the source.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The folder.
    pub(crate) folder: Folder,
    /// Where `cd -` goes.
    before: Folder,
    /// Where `popd` goes, last one first.
    pushed: Vec<Folder>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            folder: Some(Vec::new()),
            before: None,
            pushed: Vec::new(),
        }
    }
}

impl Place {
    /// Goes past the command at `index` of `script`, which was read from `text`.
    pub(crate) fn pass(&mut self, script: &Script, text: &str, index: usize) {
        let command = &script.commands[index];
        if !is_move(command) || command.context.subshell {
            return;
        }
        let surely = surely_runs(script, text, index);
        let next = match (&command.words[..], surely) {
            ([program, to], true) if program.is("cd") && to.is("-") => self.before.clone(),
            ([program, to], true) if program.is("cd") => target(to, &self.folder),
            ([program, to], true) if program.is("pushd") => {
                self.pushed.push(self.folder.clone());
                target(to, &self.folder)
            }
            ([program], true) if program.is("popd") => self.pushed.pop().flatten(),
            _ => None,
        };
        self.before = std::mem::replace(&mut self.folder, next);
    }
}

/// What a word names, seen from a folder.
pub(crate) fn target(word: &Word, folder: &Folder) -> Folder {
    let (mut parts, rest) = match &word.parts[..] {
        [first, rest @ ..] if matches!(&first.kind, PartKind::Variable(it) if &*it.name == "CODEBUILD_SRC_DIR" && it.operator.is_none()) => {
            (Vec::new(), rest)
        }
        all => (folder.clone()?, all),
    };
    let mut text = String::new();
    for part in rest {
        match &part.kind {
            PartKind::Literal(literal) => text.push_str(literal),
            _ => return None,
        }
    }
    let absolute = text.starts_with('/') && rest.len() == word.parts.len();
    if absolute || text.contains(['~', '*', '?']) {
        return None;
    }
    step(&mut parts, &text)?;
    Some(parts)
}
