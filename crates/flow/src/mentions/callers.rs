//! Who else runs a script: texts that name its file beside the commands that are known to run it.

use tagwright_syntax::Span;
use tagwright_syntax::position::LineIndex;

use super::find::{Found, Shape};
use super::reader::{Reader, Text};
use super::{Mention, Surroundings};
use crate::facts::FileFacts;
use crate::{FileId, Workspace};

/// The first place of the repository that names the file of the script `script`, where no command is known to run it
/// and nobody is only told of it.
#[must_use]
pub fn other_caller(
    workspace: &Workspace,
    surroundings: &dyn Surroundings,
    script: FileId,
) -> Option<Mention> {
    let path = &*workspace.file(script).path;
    for file in workspace.files().iter().filter(|file| file.id != script) {
        let runs = file.runs.iter().filter(|run| *run.path == *path);
        let known: Vec<Span> = runs.map(|run| run.span).chain(harmless(file)).collect();
        let found = find(&file.path, &file.text, path, &known);
        if let Some(span) = found {
            return Some(mention(&file.path, Some(file.id), &file.text, span));
        }
    }
    let mut other = None;
    surroundings.each(&mut |at, text| {
        if other.is_none() && at != path && !lists_files(at) {
            let found = find(at, text, path, &[]);
            other = found.map(|span| mention(at, None, text, span));
        }
    });
    other
}

/// Whether the file is a list of files that some tool leaves alone or treats in its own way.
fn lists_files(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.')
        && ["ignore", "attributes", "config"]
            .iter()
            .any(|it| name.ends_with(it))
}

/// The commands of the file that name files without running them, bytes of the file.
fn harmless(file: &FileFacts) -> Vec<Span> {
    if !file.has_commands() || file.runs.is_empty() {
        return Vec::new();
    }
    let tree = file.tree();
    let mut found = Vec::new();
    for item in file.scripts().iter().filter(|item| item.whole) {
        let Some(map) = file.source_map(&tree, item.node) else {
            continue;
        };
        let commands = item.script.commands.iter().filter(|command| {
            let program = command.program();
            program.is_some_and(|it| {
                matches!(
                    &*it,
                    "chmod" | "ls" | "cat" | "test" | "[" | "stat" | "dos2unix" | "shellcheck"
                )
            })
        });
        found.extend(commands.filter_map(|command| map.source(command.span)));
    }
    found
}

/// The first place in `text` that names the file `script` and is not within one of `known`.
fn find(path: &str, text: &str, script: &str, known: &[Span]) -> Option<Span> {
    let name = script.rsplit('/').next().unwrap_or(script);
    let mut parsed = None;
    memchr::memmem::find_iter(text.as_bytes(), name.as_bytes())
        .filter_map(|at| named(text, at, name, script))
        .filter(|span| !known.iter().any(|known| known.contains(*span)))
        .find(|span| {
            let text = parsed.get_or_insert_with(|| Text::new(path, &text.into()));
            let found = Found {
                span: *span,
                shape: Shape::Reference(*span),
            };
            path.ends_with("package.json") || text.reader(&found) != Reader::Nobody
        })
}

/// The bytes of the file's name at `at`, if they may mean the script: a path that is written out and leads elsewhere
/// does not.
fn named(text: &str, at: usize, name: &str, script: &str) -> Option<Span> {
    let end = at + name.len();
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if text[end..]
        .starts_with(|c: char| inside(c) || c == '.' && text[end + 1..].starts_with(inside))
    {
        return None;
    }
    let head = &text[..at];
    if head.ends_with(|c: char| inside(c) || c == '.') {
        return None;
    }
    let start = head
        .rfind(|c: char| !inside(c) && !matches!(c, '.' | '/' | '$' | '{' | '}'))
        .map_or(0, |before| {
            before + head[before..].chars().next().map_or(1, char::len_utf8)
        });
    let folder = head[start..].trim_start_matches("./");
    let written_out = !folder.contains(['$', '{', '}']) && !folder.starts_with("..");
    let whole = format!("{folder}{name}");
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    if written_out && !ends(script, &whole) && !ends(&whole, script) {
        return None;
    }
    Some(Span::new(at, end))
}

fn mention(path: &str, file: Option<FileId>, text: &str, span: Span) -> Mention {
    Mention {
        path: path.into(),
        file,
        span,
        position: LineIndex::new(text).position(text, span.start),
        written: span.of(text).into(),
        redeploys: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_by_its_path() {
        for (text, named) in [
            ("run: ./ci/push.sh", true),
            ("RUN sh push.sh", true),
            ("bash \"$DIR/push.sh\"", true),
            ("../push.sh", true),
            ("./scripts/push.sh", false),
            ("docker-push.sh", false),
            ("push.sh.bak", false),
            ("We use push.sh.", true),
        ] {
            let found = find("x", text, "ci/push.sh", &[]);
            assert_eq!(found.is_some(), named, "{text}");
        }
        assert_eq!(
            find("a.sh", "# push.sh\necho push.sh\n", "ci/push.sh", &[]),
            None
        );
        assert_eq!(
            find("x", "ci/push.sh", "ci/push.sh", &[Span::new(0, 10)]),
            None
        );
    }
}
