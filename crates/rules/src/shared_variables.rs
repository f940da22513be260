//! Who reads a variable that holds the tag of an image: a tag may change at its assignment only if everything
//! that reads the variable is a place of a moved image.
//!
//! A variable that also names the version of a package, another image or a folder keeps its value; then the
//! words change that name the image, `$REPO:$TAG` to `$REPO:${BRANCH_NAME}`. What a reader does that is not
//! known here may be a deployment, and then nothing moves. The file is read again for it, since only a fix that
//! is planned asks.

use std::collections::{BTreeSet, HashMap};

use tagwright_flow::expression::{Origin, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, ScriptRun};
use tagwright_flow::habits::ItemScript;
use tagwright_flow::tools::{Tool, tool};
use tagwright_flow::{FileKind, Workspace};
use tagwright_syntax::shell::{Command, Part, PartKind, Quoting, RedirectKind, Word};
use tagwright_syntax::yaml::NodeId;
use tagwright_syntax::{SmolStr, SourceMap, Span};

use crate::{Refusal, RefusalCode};

/// What the command that reads a variable does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reader {
    /// Assigns it to this variable.
    Assigns(SmolStr),
    /// Prints it, or asks whether it is set.
    Harmless,
    /// Something that has nothing to do with the image: a comparison, a folder, the version of a package.
    Foreign,
    /// Anything else.
    Unknown,
}

/// One place that reads a variable.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// The scalar that holds it.
    pub(crate) node: NodeId,
    /// Bytes of the scalar's decoded value.
    pub(crate) range: Span,
    /// Bytes of the file.
    pub(crate) source: Span,
    /// In single quotes: read by a nested shell, if by any.
    pub(crate) inner: bool,
    name: SmolStr,
    /// Nothing but the name: `$TAG`, `${TAG}`.
    plain: bool,
    reader: Reader,
}

/// All reads of a buildspec's commands.
pub(crate) struct Reads<'a> {
    file: &'a FileFacts,
    all: Vec<Read>,
    /// By variable, the indices in `all`.
    of: HashMap<SmolStr, Vec<usize>>,
    /// A program fills exported variables into a file.
    substitutes: bool,
}

/// Where the tag may be written.
#[derive(Clone, Debug)]
pub(crate) enum Sharing {
    /// Everything that reads the variable moves with it.
    Own,
    /// Somebody else reads it: these reads move, each on its own.
    Shared(Vec<Read>),
}

/// Whether all that the script does with what it gets as `name` is to name images by it, which then move with it.
///
/// # Errors
/// As for [`Reads::sharing`].
fn moves_in_script(workspace: &Workspace, run: &ScriptRun, name: &str) -> Result<bool, Refusal> {
    let mut files = workspace.files().iter();
    let script = files.find(|file| file.kind == FileKind::Script && *file.path == *run.path);
    let Some(script) = script else {
        // What a script does that is not read was not asked before, either.
        return Ok(name.parse::<u32>().is_err());
    };
    let is_given = |image: &&ImageUse| {
        let mut tags = image.tags.iter();
        tags.any(|tag| matches!(&tag.origin, Origin::Given(given) if given == name))
    };
    let moved: Vec<&ImageUse> = script.uses.iter().filter(is_given).collect();
    let sharing = Reads::of(script).sharing(workspace, name, &moved)?;
    Ok(matches!(sharing, Sharing::Own))
}

impl<'a> Reads<'a> {
    /// Reads the commands of a buildspec in a file of its own, or of a script; without any read for other files.
    pub(crate) fn of(file: &'a FileFacts) -> Self {
        let mut reads = Self {
            file,
            all: Vec::new(),
            of: HashMap::new(),
            substitutes: false,
        };
        if !file.has_commands() {
            return reads;
        }
        let tree = file.tree();
        for script in file.scripts().iter().filter(|it| it.whole) {
            let item = Item {
                map: file.source_map(&tree, script.node),
                fallback: tree.node(script.node).span,
                script,
            };
            reads.item(&item);
        }
        for (index, read) in reads.all.iter().enumerate() {
            reads.of.entry(read.name.clone()).or_default().push(index);
        }
        reads
    }

    fn item(&mut self, item: &Item<'_>) {
        let script = &item.script.script;
        let from = self.all.len();
        for command in &script.commands {
            self.substitutes |= command.words.iter().any(|word| word.is("envsubst"));
            self.command(command, item);
        }
        // What stands in no simple command: the words of `case`, `[[ … ]]` and loops, scripts in single quotes.
        let covered: Vec<Span> = self.all[from..].iter().map(|read| read.range).collect();
        for (at, _) in item.script.text.match_indices('$') {
            let rest = &item.script.text[at + 1..];
            let braced = rest.starts_with('{');
            let name = plain_name(rest.trim_start_matches(['{', '#', '!']));
            let known = covered
                .iter()
                .chain(&script.comments)
                .any(|span| (span.start as usize..span.end as usize).contains(&at));
            if known || !is_name(name) {
                continue;
            }
            let end = if braced {
                rest.find('}')
                    .map_or(item.script.text.len(), |close| at + 2 + close)
            } else {
                at + 1 + name.len()
            };
            let reader = if compares(&item.script.text[..at]) {
                Reader::Foreign
            } else {
                Reader::Unknown
            };
            let quoted = script.commands.iter().any(|command| {
                parts(command).any(|part| {
                    part.quoting == Quoting::Single
                        && (part.span.start as usize..part.span.end as usize).contains(&at)
                })
            });
            self.push(item, name, Span::new(at, end), quoted, reader);
        }
    }

    fn command(&mut self, command: &Command, item: &Item<'_>) {
        for assignment in &command.assignments {
            let Some(value) = &assignment.value else {
                continue;
            };
            // `TAG=$TAG ./deploy.sh` hands it on.
            let declares = command.words.first().is_none_or(|word| {
                ["export", "readonly", "local", "declare", "typeset"]
                    .iter()
                    .any(|name| word.is(name))
            });
            let reader = if declares {
                Reader::Assigns(assignment.name.clone())
            } else {
                Reader::Unknown
            };
            self.parts(&value.parts, item, &reader);
        }
        for index in 0..command.words.len() {
            let reader = reader(command, index);
            self.parts(&command.words[index].parts, item, &reader);
            let before = index
                .checked_sub(1)
                .and_then(|before| command.words.get(before));
            let program = command
                .words
                .first()
                .is_some_and(|word| word.is("printenv"));
            // These name the variable without a sign.
            let named = program && index > 0
                || before.is_some_and(|word| {
                    ["--build-arg", "-e", "--env"].iter().any(|it| word.is(it))
                });
            if named && let Some(name) = command.words[index].literal().filter(|name| is_name(name))
            {
                let span = command.words[index].span;
                self.push(item, &name, span, false, reader);
            }
        }
        for redirect in &command.redirects {
            if let Some(target) = &redirect.target {
                let reader = match redirect.kind {
                    RedirectKind::Output | RedirectKind::Input => Reader::Foreign,
                    _ => Reader::Unknown,
                };
                self.parts(&target.parts, item, &reader);
            }
            if let Some(document) = &redirect.here_document {
                self.parts(&document.parts, item, &Reader::Unknown);
            }
        }
    }

    fn parts(&mut self, parts: &[Part], item: &Item<'_>, reader: &Reader) {
        for part in parts {
            let PartKind::Variable(variable) = &part.kind else {
                continue;
            };
            self.push(item, &variable.name, part.span, false, reader.clone());
            if let Some(operand) = variable
                .operator
                .as_ref()
                .and_then(|it| it.operand.as_ref())
            {
                self.parts(&operand.parts, item, reader);
            }
        }
    }

    fn push(&mut self, item: &Item<'_>, name: &str, range: Span, inner: bool, reader: Reader) {
        let written = range.of(&item.script.text);
        let source = item.map.as_ref().and_then(|map| map.source(range));
        self.all.push(Read {
            node: item.script.node,
            range,
            source: source.unwrap_or(item.fallback),
            inner,
            name: name.into(),
            plain: source.is_some()
                && (written == format!("${name}") || written == format!("${{{name}}}")),
            reader,
        });
    }

    /// What moves where the tag of the `moved` images of this file comes out of the variable `name`.
    ///
    /// # Errors
    /// Something reads the variable of which it is not known what it does; the place.
    pub(crate) fn sharing(
        &self,
        workspace: &Workspace,
        name: &str,
        moved: &[&ImageUse],
    ) -> Result<Sharing, Refusal> {
        self.leaves(workspace, name)?;
        let moved = Moved::new(moved);
        let mut own = Vec::new();
        let mut foreign = false;
        self.collect(workspace, name, &moved, 0, &mut own, &mut foreign)?;
        for run in &self.file.runs {
            let given = run.environment.iter().any(|(given, _)| given == name);
            if given && !moves_in_script(workspace, run, name)? {
                let message = format!(
                    "{} reads {name} for more than the tag of the image",
                    run.path
                );
                let refusal = Refusal::new(RefusalCode::SharedVariable, message);
                return Err(refusal.at(self.file.id, run.span, "run here"));
            }
        }
        Ok(if foreign {
            if let Some(read) = own.iter().find(|read| !read.plain) {
                return Err(self.blocked(read, name));
            }
            Sharing::Shared(own)
        } else {
            Sharing::Own
        })
    }

    fn collect(
        &self,
        workspace: &Workspace,
        name: &str,
        moved: &Moved<'_>,
        depth: u32,
        own: &mut Vec<Read>,
        foreign: &mut bool,
    ) -> Result<(), Refusal> {
        let reads = self.of.get(name).map_or(&[][..], Vec::as_slice);
        for read in reads.iter().map(|index| &self.all[*index]) {
            let moves = moved.covers(read.source)
                || self.names_image(read, name, moved)
                || self.is_copilot_tag(read);
            if moves {
                own.push(read.clone());
                continue;
            }
            if let Some((run, number)) = self.argument(read)
                && moves_in_script(workspace, run, &number)?
            {
                own.push(read.clone());
                continue;
            }
            let foreign_image = self.file.uses.iter().any(|image| {
                image.span.contains(read.source) && !image.repository.key().is_empty()
            });
            match &read.reader {
                Reader::Harmless => {}
                Reader::Foreign => *foreign = true,
                _ if foreign_image => *foreign = true,
                // `TAG=${TAG:-latest}` reads itself.
                Reader::Assigns(other) if *other == *name => {}
                Reader::Assigns(other) if depth < 4 => {
                    self.leaves(workspace, other)?;
                    let mut nested = (Vec::new(), false);
                    self.collect(
                        workspace,
                        other,
                        moved,
                        depth + 1,
                        &mut nested.0,
                        &mut nested.1,
                    )?;
                    match nested {
                        (_, false) => own.push(read.clone()),
                        (reads, true) if reads.is_empty() => *foreign = true,
                        (_, true) => return Err(self.blocked(read, name)),
                    }
                }
                Reader::Assigns(_) | Reader::Unknown => return Err(self.blocked(read, name)),
            }
        }
        Ok(())
    }

    /// Whether the read is part of a reference that is written like one of the `moved`: another command that is
    /// given the image, whatever it does with it, is given the same image afterwards.
    fn names_image(&self, read: &Read, name: &str, moved: &Moved<'_>) -> bool {
        let goes_on = |at: Option<usize>| {
            let next = at.and_then(|at| self.file.character_at(u32::try_from(at).ok()?));
            next.is_some_and(|it| it.is_ascii_alphanumeric() || "_-./:@$".contains(it))
        };
        moved.written.iter().any(|written| {
            written.match_indices('$').any(|(at, _)| {
                let rest = written[at + 1..].trim_start_matches('{');
                let start = (read.source.start as usize).checked_sub(at);
                plain_name(rest) == name
                    && start.is_some_and(|start| {
                        let end = start + written.len();
                        self.file.get(Span::new(start, end)) == Some(*written)
                            && !goes_on(start.checked_sub(1))
                            && !goes_on(Some(end))
                    })
            })
        })
    }

    /// The run of a script of which the read is an argument, and the number of that.
    fn argument(&self, read: &Read) -> Option<(&ScriptRun, String)> {
        self.file.runs.iter().find_map(|run| {
            let at = run
                .arguments
                .iter()
                .position(|it| it.contains(read.source))?;
            Some((run, (at + 1).to_string()))
        })
    }

    /// `copilot svc deploy --tag $TAG`: an image of one's own, whatever its repository.
    fn is_copilot_tag(&self, read: &Read) -> bool {
        self.file.copilot.iter().any(|call| {
            call.flag("tag")
                .and_then(|flag| flag.value_site)
                .is_some_and(|site| site.source.contains(read.source))
        })
    }

    fn blocked(&self, read: &Read, name: &str) -> Refusal {
        let before = self.file.slice(Span::new(0, read.source.start as usize));
        let message = format!(
            "{}:{} also reads `{}{name}`, and what it does with the tag is not known",
            self.file.path,
            before.matches('\n').count() + 1,
            if name.parse::<u8>().is_ok() { "$" } else { "" },
        );
        let refusal = Refusal::new(RefusalCode::SharedVariable, message);
        refusal.at(self.file.id, read.source, format!("`{name}` is read here"))
    }

    /// Whether the variable stays inside the commands of the file.
    ///
    /// # Errors
    /// Another program or file of this repository gets it.
    fn leaves(&self, workspace: &Workspace, name: &str) -> Result<(), Refusal> {
        let exported = self
            .file
            .assigned(name)
            .any(|a| a.exported || a.place == AssignmentPlace::EnvVariables);
        if !exported {
            return Ok(());
        }
        let shared = |message: String| Err(Refusal::new(RefusalCode::SharedVariable, message));
        if self.substitutes {
            return shared(format!(
                "`envsubst` in {} may write `{name}` into another file",
                self.file.path
            ));
        }
        // A program of the repository gets every exported variable, and its text is not read here.
        let tools = ["gradlew", "mvnw", "node_modules/", ".venv/", "venv/"];
        let script = self.file.scripts.iter().find(|script| {
            !tools.iter().any(|tool| script.contains(tool)) && workspace.at_path(script).is_none()
        });
        if let Some(script) = script {
            return shared(format!(
                "{script} gets `{name}` from {} and may read it",
                self.file.path
            ));
        }
        let reads = |text: &str| {
            text.match_indices(name).any(|(at, _)| {
                let before = text[..at].trim_end_matches(['{', '"', '\'', '[', '(']);
                let rest = &text[at..];
                plain_name(rest) == name
                    && (before.ends_with('$')
                        || before.ends_with("environ")
                        || before.ends_with("environ.get")
                        || before.ends_with("getenv")
                        || before.ends_with("process.env.")
                        || before.ends_with("process.env")
                        || before.ends_with("ENV"))
            })
        };
        // These take exported variables of whoever reads them.
        let mut others = workspace
            .files()
            .iter()
            .filter(|file| matches!(file.kind, FileKind::Compose | FileKind::CopilotWorkload));
        match others.find(|file| file.live_texts().iter().any(|text| reads(text))) {
            Some(file) => shared(format!("{} reads `{name}`, too", file.path)),
            None => Ok(()),
        }
    }
}

/// The images that move, as far as reads are compared with them.
struct Moved<'a> {
    /// Ascending.
    spans: Vec<Span>,
    /// The references that name a repository, each spelling once.
    written: BTreeSet<&'a str>,
}

impl<'a> Moved<'a> {
    fn new(images: &[&'a ImageUse]) -> Self {
        let mut spans: Vec<Span> = images.iter().map(|image| image.span).collect();
        spans.sort_unstable();
        let named = images
            .iter()
            .filter(|image| !image.repository.key().is_empty());
        Self {
            spans,
            written: named.map(|image| &*image.written).collect(),
        }
    }

    fn covers(&self, read: Span) -> bool {
        let behind = self.spans.partition_point(|span| span.start <= read.start);
        // Places of one command may stand inside each other.
        let near = behind.saturating_sub(4);
        self.spans[near..behind]
            .iter()
            .any(|span| span.contains(read))
    }
}

/// A command item of the file.
struct Item<'a> {
    script: &'a ItemScript,
    map: Option<SourceMap>,
    fallback: Span,
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && plain_name(name) == name
}

fn parts(command: &Command) -> impl Iterator<Item = &Part> {
    let assigned = command
        .assignments
        .iter()
        .filter_map(|it| it.value.as_ref());
    let words = command.words.iter().chain(assigned);
    let documents = command
        .redirects
        .iter()
        .filter_map(|it| it.here_document.as_ref());
    words
        .flat_map(|word| &word.parts)
        .chain(documents.flat_map(|document| &document.parts))
}

/// Whether the text ends within the words of `case … in` or of `[[ … ]]`.
fn compares(before: &str) -> bool {
    let start = before
        .rfind(['\n', ';', '|', '&'])
        .map_or(0, |separator| separator + 1);
    let clause = before[start..].trim_start();
    let clause = [
        "if ", "elif ", "while ", "until ", "then ", "else ", "do ", "! ",
    ]
    .iter()
    .fold(clause, |clause, word| {
        clause.strip_prefix(word).unwrap_or(clause).trim_start()
    });
    clause.starts_with("case ") && !clause.contains(" in ")
        || before.rfind("[[") > before.rfind("]]")
}

/// What the command does with the variables in its word at `index`.
fn reader(command: &Command, index: usize) -> Reader {
    let skipped = ["sudo", "command", "exec", "time", "nohup", "env", "!"];
    let Some(first) = command
        .words
        .iter()
        .position(|word| !skipped.iter().any(|name| word.is(name)))
    else {
        return Reader::Unknown;
    };
    let word = |at: usize| command.words.get(at).and_then(Word::value);
    let program = word(first).unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let prints = command.context.pipe_length <= 1
        && command.context.substitution == 0
        && !command.context.diverted
        && !command
            .redirects
            .iter()
            .any(|redirect| redirect.kind == RedirectKind::Output);
    let text = command
        .words
        .get(index)
        .map(Word::literal_prefix)
        .unwrap_or_default();
    let after = |options: &[&str]| {
        let option = index.checked_sub(1).and_then(word).unwrap_or_default();
        options
            .iter()
            .any(|it| option == *it || text.starts_with(&format!("{it}=")))
    };
    let of_family = |family: Tool| tool(program).is_some_and(|it| it.family == family);
    match program {
        ":" | "true" => Reader::Harmless,
        "echo" | "printf" if prints => Reader::Harmless,
        "test" | "[" => {
            let asks = (first..command.words.len())
                .any(|at| word(at).is_some_and(|it| it == "-z" || it == "-n"));
            if asks {
                Reader::Harmless
            } else {
                Reader::Foreign
            }
        }
        // None of these takes an image.
        "git" | "gh" | "hub" | "npm" | "yarn" | "pnpm" | "lerna" | "twine" | "poetry" | "gem"
        | "nuget" | "mkdir" | "cp" | "mv" | "rm" | "ln" | "tar" | "zip" | "unzip" | "gzip"
        | "ls" | "touch" | "cd" | "cat" | "du" | "gsutil" | "sonar-scanner"
        | "semantic-release" | "codecov" => Reader::Foreign,
        _ if of_family(Tool::AwsEcr)
            && word(first + 1)
                .is_some_and(|it| matches!(&*it, "s3" | "s3api" | "codeartifact")) =>
        {
            Reader::Foreign
        }
        _ if (of_family(Tool::Docker) || of_family(Tool::Buildah))
            && after(&["--build-arg", "--label", "--annotation"]) =>
        {
            Reader::Foreign
        }
        _ if of_family(Tool::Helm) && after(&["--app-version", "--version"]) => Reader::Foreign,
        _ if text.starts_with("-Dsonar.") => Reader::Foreign,
        _ => Reader::Unknown,
    }
}
