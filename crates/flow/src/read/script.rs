//! Shell scripts of the repository that a buildspec runs.
//!
//! A script says nothing by itself: what its variables hold, and whether anybody runs it, stands in what runs it. So
//! scripts are read once all files are, each with what all of its callers hand over alike, one after the other from
//! the buildspecs on.

use std::collections::HashMap;

use tagwright_syntax::SmolStr;
use tagwright_syntax::shell;
use tagwright_syntax::yaml::Tree;

use crate::FileId;
use crate::expression::{Environment, Expression, Origin};
use crate::facts::{FileFacts, Order, ScriptFacts, ScriptRun};
use crate::kind::FileKind;
use crate::scan::{self, Source};

/// Scripts that scripts run are followed this far.
const DEEPEST: usize = 4;

/// The facts of a script that nobody is known to run.
pub(super) fn unread(branch: &str) -> Box<ScriptFacts> {
    Box::new(ScriptFacts {
        branch: branch.into(),
        ..ScriptFacts::default()
    })
}

/// Reads all scripts among `files` as they are run.
pub(crate) fn link(files: &mut [FileFacts]) {
    let scripts: Vec<usize> = (0..files.len())
        .filter(|at| files[*at].kind == FileKind::Script)
        .collect();
    for at in &scripts {
        let fresh = files[*at].script.as_ref().map(|it| unread(&it.branch));
        let file = &mut files[*at];
        *file = scan::empty(file.id, &file.path, &file.text, file.kind);
        file.script = fresh;
    }
    let by_builds = runs_by_builds(files, &scripts);
    for _ in 0..DEEPEST {
        let mut changed = false;
        for at in &scripts {
            let callers = callers(files, &scripts, &by_builds, *at);
            let known = files[*at].script.as_ref().map(|it| &it.callers);
            if known != Some(&callers) {
                read(files, *at, callers);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for at in &scripts {
        let mut builds = Vec::new();
        find_builds(files, *at, None, 0, &mut builds);
        builds.sort_unstable();
        // Of each the first time.
        builds.dedup_by_key(|(file, _)| *file);
        if let Some(script) = &mut files[*at].script {
            script.builds = builds;
        }
    }
}

/// The buildspecs in whose builds the file runs. `order` is the time of what the file's caller runs in the file itself.
fn find_builds(
    files: &[FileFacts],
    at: usize,
    order: Option<Order>,
    depth: usize,
    found: &mut Vec<(FileId, Order)>,
) {
    let file = &files[at];
    match (&file.script, order) {
        (Some(script), _) if depth <= DEEPEST => {
            for (caller, index) in &script.callers {
                let caller = caller.0 as usize;
                let run = files.get(caller).and_then(|it| it.runs.get(*index));
                let order = run.map(|run| run.order);
                find_builds(files, caller, order, depth + 1, found);
            }
        }
        (None, Some(order)) => found.push((file.id, order)),
        _ => {}
    }
}

/// Who runs a script: the file, and the 0-based index among its runs.
type Caller = (FileId, usize);

/// Whatever of the files that are no scripts runs one, by the script's path. What scripts run is known only once they are
/// read.
fn runs_by_builds(files: &[FileFacts], scripts: &[usize]) -> HashMap<SmolStr, Vec<Caller>> {
    let mut by_path: HashMap<SmolStr, Vec<Caller>> = HashMap::new();
    // Almost no workspace has any.
    let files = files.iter().filter(|_| !scripts.is_empty());
    for file in files.filter(|file| file.kind != FileKind::Script) {
        for (index, run) in file.runs.iter().enumerate() {
            let of_path = by_path.entry(run.path.clone()).or_default();
            of_path.push((file.id, index));
        }
    }
    by_path
}

/// Who runs the script `at`, in the order of the files.
fn callers(
    files: &[FileFacts],
    scripts: &[usize],
    by_builds: &HashMap<SmolStr, Vec<Caller>>,
    at: usize,
) -> Vec<Caller> {
    let path = &files[at].path;
    let mut callers = by_builds.get(&**path).cloned().unwrap_or_default();
    let others = scripts.iter().filter(|other| **other != at);
    for file in others.map(|other| &files[*other]) {
        let runs = file.runs.iter().enumerate();
        let own = runs.filter(|(_, run)| *run.path == **path);
        callers.extend(own.map(|(index, _)| (file.id, index)));
    }
    callers.sort_unstable();
    callers
}

fn read(files: &mut [FileFacts], at: usize, callers: Vec<(FileId, usize)>) {
    let runs: Vec<&ScriptRun> = callers
        .iter()
        .filter_map(|(file, index)| files.get(file.0 as usize)?.runs.get(*index))
        .collect();
    let Some(branch) = files[at].script.as_ref().map(|it| it.branch.clone()) else {
        return;
    };
    let environment = common(&runs, keeps_arguments(&files[at].text));
    let directory = runs.first().and_then(|run| run.directory.clone());
    let directory =
        directory.filter(|it| runs.iter().all(|run| run.directory.as_ref() == Some(it)));
    let all = |is: &dyn Fn(&ScriptRun) -> bool| runs.iter().all(|run| is(run));
    let (conditional, one_branch, after_failure) = (
        all(&|run| run.conditional),
        all(&|run| run.one_branch),
        all(&|run| run.after_failure),
    );
    let old = &files[at];
    let mut facts = scan::empty(old.id, &old.path, &old.text, old.kind);
    let text = facts.text.clone();
    let tree = Tree::whole(&text);
    let source = Source {
        text: &text,
        tree: &tree,
        host: None,
        template: None,
    };
    if !callers.is_empty() {
        scan::script(&mut facts, &source, environment, directory, &branch);
    }
    for image in &mut facts.uses {
        image.conditional |= conditional;
        image.one_branch |= one_branch;
        image.after_failure |= after_failure;
    }
    facts.script = Some(Box::new(ScriptFacts {
        branch,
        callers,
        builds: Vec::new(),
    }));
    files[at] = facts;
}

/// What all of `runs` hand over with the same value. What differs is as unknown as a variable of the project.
fn common(runs: &[&ScriptRun], arguments: bool) -> Environment {
    let mut environment = Environment::default();
    let Some((first, others)) = runs.split_first() else {
        return environment;
    };
    for (name, values) in &first.environment {
        let keys =
            |values: &[Expression]| -> Vec<String> { values.iter().map(Expression::key).collect() };
        let same = |run: &&ScriptRun| {
            let mut others = run.environment.iter();
            others.any(|(other, it)| other == name && keys(it) == keys(values))
        };
        let is_argument = name.bytes().all(|byte| byte.is_ascii_digit());
        if others.iter().all(same) && (arguments || !is_argument) {
            environment.assign(name, given(name, values), false);
        }
    }
    environment
}

/// The values as the script gets them: where they are written, the callers know.
fn given(name: &SmolStr, values: &[Expression]) -> Vec<Expression> {
    let mut values = values.to_vec();
    for atom in values.iter_mut().flat_map(|value| &mut value.atoms) {
        atom.site = None;
        atom.origin = Origin::Given(name.clone());
    }
    values
}

/// Whether `$1` is the first argument of the script wherever it stands: in a function it is the function's.
fn keeps_arguments(text: &str) -> bool {
    let shifts = |name: &str| matches!(name, "shift" | "set" | "getopts");
    shell::parsed(text).commands.iter().all(|command| {
        let resets = command.words.first().and_then(|word| word.literal());
        command.context.function.is_none()
            && !resets.is_some_and(|name| shifts(&name) && sets_arguments(&name, command))
    })
}

/// Whether the command gives `$1` another value: `set` with options alone does not.
fn sets_arguments(name: &str, command: &shell::Command) -> bool {
    let option = |word: &shell::Word| {
        let text = word.literal_prefix();
        text.starts_with(['-', '+']) && text != "--" || text == "pipefail"
    };
    name != "set" || !command.words[1..].iter().all(option)
}
