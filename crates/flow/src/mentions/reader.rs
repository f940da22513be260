//! Who reads a place of a text: nobody (comments, prose, text for a log), or somebody, and what it is for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tagwright_syntax::shell::{self, Command, Redirect, Script, Word};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};
use tagwright_syntax::{SourceMap, Span};

use super::find::{Found, Shape};
use super::name::{is_tag_key, parameter_before};
use crate::expression::plain_name;
use crate::habits::ItemScript;

/// What becomes of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Nobody reads it, or what it says is not about images.
    Nobody,
    /// Somebody does.
    Somebody {
        /// The repository that stands beside the tag, if one does.
        repository: Option<String>,
    },
}

/// How comments are written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    /// A text for people: all of it is prose.
    Prose,
    /// A list of packages and the like, in which `latest` is never an image's tag.
    Packages,
    /// package.json: packages, and commands that npm runs.
    Npm,
    Yaml,
    Shell,
    Makefile,
    Dockerfile,
    /// Comments from `#`.
    Hash,
    /// Comments from `//` and in `/* */`.
    Slash,
    /// Both.
    Terraform,
    /// None that is known.
    Other,
}

/// Whether no place in a file of this path can be a mention: text for people, lists of packages.
#[must_use]
pub fn is_prose(path: &str) -> bool {
    matches!(syntax(path), Syntax::Prose | Syntax::Packages)
}

fn syntax(path: &str) -> Syntax {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match &*name {
        "license" | "licence" | "notice" | "changelog" | "authors" | "codeowners" | "readme"
        | "contributing" | "changes" | "history" | "news" | "todo" | "maintainers" | "security" => {
            return Syntax::Prose;
        }
        "package.json" => return Syntax::Npm,
        "package-lock.json" | "composer.json" | "renovate.json" | ".tool-versions"
        | "pnpm-lock.yaml" | "pipfile" | "go.sum" | "tagwright.toml" | ".tagwright.toml" => {
            return Syntax::Packages;
        }
        _ => {}
    }
    if name.starts_with("dockerfile")
        || name.starts_with("containerfile")
        || extension == "dockerfile"
    {
        return Syntax::Dockerfile;
    }
    if name.starts_with("makefile") || name == "gnumakefile" || extension == "mk" {
        return Syntax::Makefile;
    }
    if name.starts_with("jenkinsfile") {
        return Syntax::Slash;
    }
    match extension {
        // A patch is about texts, and nobody runs it.
        "md" | "markdown" | "mdx" | "rst" | "adoc" | "asciidoc" | "org" | "patch" | "diff"
        // Diagrams.
        | "mmd" | "mermaid" | "puml" | "plantuml" | "drawio" => Syntax::Prose,
        "lock" | "csv" | "svg" => Syntax::Packages,
        "yml" | "yaml" | "json" | "template" => Syntax::Yaml,
        "sh" | "bash" | "zsh" | "ksh" => Syntax::Shell,
        "tf" | "tfvars" | "hcl" | "tofu" | "nomad" => Syntax::Terraform,
        "py" | "rb" | "toml" | "env" | "ini" | "cfg" | "conf" | "properties" | "pl" | "ps1"
        | "just" => Syntax::Hash,
        "ts" | "tsx" | "js" | "jsx" | "mjs" | "cjs" | "go" | "java" | "kt" | "kts" | "groovy"
        | "gradle" | "cs" | "rs" | "scala" | "swift" | "php" | "json5" | "jsonc" => Syntax::Slash,
        _ if name.starts_with(".env") => Syntax::Hash,
        _ => Syntax::Other,
    }
}

/// A text, read as far as it takes to say who reads a place of it.
pub(super) struct Text {
    text: Arc<str>,
    syntax: Syntax,
    tree: Option<Tree>,
    /// The scalars of the tree, ascending.
    scalars: Vec<(Span, NodeId)>,
    /// The whole text as shell.
    script: Option<Script>,
    /// The scripts inside it, by where they stand.
    inner: Mutex<HashMap<Span, Arc<Inner>>>,
}

/// A script inside a text.
struct Inner {
    script: Script,
    /// From the text to the script, where it does not stand there as it is read.
    map: Option<SourceMap>,
}

impl Text {
    pub(super) fn new(path: &str, text: &Arc<str>) -> Self {
        let mut syntax = syntax(path);
        let shebang =
            text.starts_with("#!") && text.lines().next().is_some_and(|line| line.contains("sh"));
        if syntax == Syntax::Other && shebang {
            syntax = Syntax::Shell;
        }
        let tree = matches!(syntax, Syntax::Yaml | Syntax::Npm).then(|| yaml::parse(text));
        Self {
            text: Arc::clone(text),
            syntax,
            scalars: tree.as_ref().map_or_else(Vec::new, scalars),
            tree,
            script: (syntax == Syntax::Shell).then(|| shell::parse(text)),
            inner: Mutex::default(),
        }
    }

    /// The script at `place`, read once.
    fn inner(&self, place: Span, read: impl FnOnce() -> Inner) -> Arc<Inner> {
        let mut known = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = known.entry(place).or_insert_with(|| Arc::new(read()));
        Arc::clone(inner)
    }

    /// Who reads what was found.
    pub(super) fn reader(&self, found: &Found) -> Reader {
        let at = found.span.start as usize;
        if self.is_comment(at) {
            return Reader::Nobody;
        }
        let somebody = Reader::Somebody { repository: None };
        match self.syntax {
            Syntax::Prose | Syntax::Packages => Reader::Nobody,
            Syntax::Yaml => self.in_tree(found),
            Syntax::Npm if matches!(found.shape, Shape::Value(_) | Shape::Word) => {
                self.in_npm(found)
            }
            Syntax::Npm => self.in_tree(found),
            Syntax::Shell => match &self.script {
                Some(script) => in_script(script, &self.text, at, found, &self.text),
                None => somebody,
            },
            Syntax::Makefile => self.in_makefile(found),
            Syntax::Dockerfile => match found.shape {
                // A default for people; what a build passes stands where it is built.
                Shape::Word => Reader::Nobody,
                _ => self.by_key(found, None),
            },
            Syntax::Terraform if found.shape == Shape::Word && self.is_put_together(at) => somebody,
            Syntax::Terraform => self.by_key(found, self.block_name(at)),
            Syntax::Hash | Syntax::Slash | Syntax::Other => match found.shape {
                Shape::Word if !self.is_about_images(at) => Reader::Nobody,
                Shape::Word => somebody,
                _ => self.by_key(found, None),
            },
        }
    }

    fn line(&self, at: usize) -> &str {
        let start = self.text[..at].rfind('\n').map_or(0, |start| start + 1);
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |end| at + end);
        &self.text[start..end]
    }

    /// Whether a call or an assignment on the line, or on the two before it, is about images.
    fn is_about_images(&self, at: usize) -> bool {
        let mut start = at;
        for _ in 0..3 {
            start = self.text[..start].rfind('\n').unwrap_or(0);
        }
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |end| at + end);
        let lines = self.text[start..end].to_ascii_lowercase();
        ["ecr", "image", "tag", "container", "repository_url"]
            .iter()
            .any(|word| lines.contains(word))
    }

    /// Whether a function of Terraform around `at` puts together the name of an image: `format("%s:%s", …, "latest")`.
    fn is_put_together(&self, at: usize) -> bool {
        let before = self.text[..at]
            .rfind(['=', '{', '}'])
            .map_or(0, |at| at + 1);
        let expression = &self.text[before..at];
        let call = ["format(", "join("]
            .iter()
            .any(|name| expression.contains(name));
        call && self.is_about_images(at)
    }

    fn is_comment(&self, at: usize) -> bool {
        if let Some(tree) = &self.tree
            && tree.error().is_none()
        {
            let comments = tree.comments();
            let after = comments.partition_point(|comment| comment.start as usize <= at);
            let last = after.checked_sub(1).and_then(|at| comments.get(at));
            return last.is_some_and(|comment| at < comment.end as usize);
        }
        if self.script.is_some() {
            // Its reader knows.
            return false;
        }
        let start = self.text[..at].rfind('\n').map_or(0, |start| start + 1);
        let head = &self.text[start..at];
        let slash = matches!(self.syntax, Syntax::Slash | Syntax::Terraform);
        let hash = !matches!(
            self.syntax,
            Syntax::Slash | Syntax::Other | Syntax::Dockerfile
        );
        if self.syntax == Syntax::Dockerfile {
            return head.trim_start().starts_with('#');
        }
        hash && (line_comment(head, "#") || self.in_docstring(at))
            || slash && (line_comment(head, "//") || self.in_block_comment(at))
    }

    /// Whether `at` is in a text of Python that is a statement of its own.
    fn in_docstring(&self, at: usize) -> bool {
        let head = &self.text[..at];
        ["\"\"\"", "'''"].iter().any(|quotes| {
            let mut opened = None;
            for (at, _) in head.match_indices(quotes) {
                opened = if opened.is_some() { None } else { Some(at) };
            }
            opened.is_some_and(|open| {
                let line = head[..open].rfind('\n').map_or(0, |at| at + 1);
                head[line..open].trim().is_empty()
                    && !head[..line].trim_end().ends_with(['(', ',', '='])
            })
        })
    }

    fn in_block_comment(&self, at: usize) -> bool {
        let head = &self.text[..at];
        let Some(open) = head.rfind("/*") else {
            return false;
        };
        // `src/**/*.ts` in a text opens nothing.
        let own_word = head[..open].ends_with(|c: char| c.is_whitespace()) || open == 0;
        own_word && !head[open..].contains("*/")
    }

    /// By the key alone, or by `block`, the name of what holds it, where the key says only "default".
    fn by_key(&self, found: &Found, block: Option<&str>) -> Reader {
        let Shape::Value(key) = found.shape else {
            return if found.shape == Shape::Word {
                Reader::Nobody
            } else {
                Reader::Somebody { repository: None }
            };
        };
        let key = key.of(&self.text);
        let named = if is_generic(key) { block } else { Some(key) };
        let tag = named.is_some_and(is_tag_key);
        if tag {
            Reader::Somebody { repository: None }
        } else {
            Reader::Nobody
        }
    }

    /// The name of the block of Terraform around `at`: that of the last line at the margin that opens one.
    fn block_name(&self, at: usize) -> Option<&str> {
        let head = &self.text[..at];
        let line = head
            .rmatch_indices('\n')
            .map(|(at, _)| &head[at + 1..])
            .chain(std::iter::once(head))
            .find(|line| {
                line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.contains('{')
            })?;
        line.split('"').nth(1)
    }

    fn in_tree(&self, found: &Found) -> Reader {
        let at = found.span.start;
        let node = self
            .tree
            .as_ref()
            .and_then(|tree| Some((tree, self.scalar_at(at)?)));
        let Some((tree, node)) = node else {
            let default = found.shape == Shape::Word && self.is_default_in_template(at as usize);
            return if default {
                Reader::Somebody { repository: None }
            } else {
                self.by_key(found, None)
            };
        };
        let whole = tree.text(node).map(str::trim);
        if whole != Some("latest")
            && let Some(text) = tree.text(node)
            && is_script(tree, node)
        {
            let inner = self.inner(tree.node(node).span, || Inner {
                script: shell::parse(text),
                map: tree.source_map(&self.text, node),
            });
            let map = inner.map.as_ref();
            return match map.and_then(|map| map.decoded(at)) {
                Some(at) => in_script(&inner.script, text, at as usize, found, &self.text),
                None => Reader::Somebody { repository: None },
            };
        }
        match found.shape {
            Shape::Word if self.is_default_in_template(at as usize) => {
                Reader::Somebody { repository: None }
            }
            Shape::Reference(_) | Shape::Redeploy(_) | Shape::Untagged(_) => {
                if is_text_for_people(tree, node) {
                    return Reader::Nobody;
                }
                Reader::Somebody { repository: None }
            }
            Shape::Value(_) | Shape::Word if whole == Some("latest") => of_value(tree, node),
            _ => self.by_key(found, None),
        }
    }

    /// Whether `at` is what a template of Helm takes where no tag is given: `{{ .Values.image.tag | default "latest" }}`.
    fn is_default_in_template(&self, at: usize) -> bool {
        let line = self.line(at);
        let start = self.text[..at].rfind('\n').map_or(0, |start| start + 1);
        let head = &line[..at - start];
        let Some(action) = head.rfind("{{").map(|open| &head[open..]) else {
            return false;
        };
        let names = line.to_ascii_lowercase();
        !action.contains("}}") && (names.contains("tag") || names.contains("image"))
    }

    /// In package.json, where `latest` alone is a tag of npm unless a command of `scripts` says it.
    fn in_npm(&self, found: &Found) -> Reader {
        let scalar = self.tree.as_ref().zip(self.scalar_at(found.span.start));
        match scalar {
            Some((tree, node)) if is_script(tree, node) => self.in_tree(found),
            _ => Reader::Nobody,
        }
    }

    /// The scalar whose bytes hold the byte `at`.
    fn scalar_at(&self, at: u32) -> Option<NodeId> {
        let after = self.scalars.partition_point(|(span, _)| span.start <= at);
        let (span, id) = self.scalars.get(after.checked_sub(1)?)?;
        (at < span.end).then_some(*id)
    }

    fn in_makefile(&self, found: &Found) -> Reader {
        let at = found.span.start as usize;
        let line = self.line(at);
        let Some(recipe) = line.strip_prefix('\t') else {
            return self.by_key(found, None);
        };
        let recipe = recipe.trim_start_matches(['@', '-', '+']);
        let start = self.text[..at].rfind('\n').map_or(0, |start| start + 1);
        let skipped = line.len() - recipe.len();
        let Some(at) = at.checked_sub(start + skipped) else {
            return Reader::Somebody { repository: None };
        };
        let inner = self.inner(Span::new(start, start + line.len()), || Inner {
            script: shell::parse(recipe),
            map: None,
        });
        in_script(&inner.script, recipe, at, found, &self.text)
    }
}

/// Whether a comment that `sign` opens starts in `head`, outside quotes.
fn line_comment(head: &str, sign: &str) -> bool {
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for (at, c) in head.char_indices() {
        match quote {
            Some(open) if c == open && before != '\\' => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' || c == '`' => quote = Some(c),
            None if head[at..].starts_with(sign)
                && (before.is_whitespace() || sign == "//" && before != ':') =>
            {
                return true;
            }
            None => {}
        }
        before = c;
    }
    false
}

/// All scalars with bytes of their own, ascending.
fn scalars(tree: &Tree) -> Vec<(Span, NodeId)> {
    let nodes = tree.nodes();
    let scalars =
        nodes.filter(|(_, node)| matches!(node.kind, NodeKind::Scalar(_)) && !node.span.is_empty());
    let mut sorted: Vec<_> = scalars.map(|(id, node)| (node.span, id)).collect();
    sorted.sort_unstable_by_key(|(span, id)| (span.start, *id));
    sorted
}

/// The keys above a node, the nearest first.
fn keys_above(tree: &Tree, node: NodeId) -> Vec<String> {
    let mut keys = Vec::new();
    let mut at = node;
    while let Some(parent) = tree.node(at).parent {
        if let Some(mapping) = tree.mapping(parent)
            && let Some(entry) = mapping.entries.iter().find(|entry| entry.value == at)
        {
            keys.extend(tree.text(entry.key).map(str::to_owned));
        }
        at = parent;
    }
    keys
}

/// Whether a scalar of a YAML file is text for a shell, by its key.
fn is_script(tree: &Tree, node: NodeId) -> bool {
    let keys = keys_above(tree, node);
    // The scripts of package.json have names.
    if keys.len() == 2 && keys[1] == "scripts" {
        return true;
    }
    keys.first().is_some_and(|key| {
        matches!(
            &*key.to_ascii_lowercase(),
            "commands"
                | "command"
                | "script"
                | "scripts"
                | "run"
                | "before_script"
                | "after_script"
                | "finally"
                | "bash"
                | "sh"
                | "shell"
                | "cmd"
                | "userdata"
        )
    })
}

/// Whether a scalar only tells people something.
fn is_text_for_people(tree: &Tree, node: NodeId) -> bool {
    keys_above(tree, node).first().is_some_and(|key| {
        matches!(
            &*key.to_ascii_lowercase(),
            "description" | "summary" | "title" | "comment"
        )
    })
}

/// A scalar that is `latest` and nothing else: what it is the value of.
fn of_value(tree: &Tree, node: NodeId) -> Reader {
    let keys = keys_above(tree, node);
    let Some(key) = keys.first() else {
        return Reader::Nobody;
    };
    let holder = tree
        .node(node)
        .parent
        .filter(|id| tree.mapping(*id).is_some());
    let beside = |names: &[&str]| {
        let holder = holder?;
        let mapping = tree.mapping(holder)?;
        mapping.entries.iter().find_map(|entry| {
            let key = tree.text(entry.key)?;
            let known = names.iter().any(|name| key.eq_ignore_ascii_case(name));
            known
                .then(|| tree.text(entry.value).map(str::to_owned))
                .flatten()
        })
    };
    let named = if is_generic(key) {
        beside(&["name", "key", "parameterkey", "parametername", "id"])
            .or_else(|| keys.get(1).cloned())
    } else {
        Some(key.clone())
    };
    if !named.as_deref().is_some_and(is_tag_key) {
        return Reader::Nobody;
    }
    let repository = beside(&[
        "newname",
        "repository",
        "repo",
        "imagename",
        "image",
        "repositoryname",
    ])
    .or_else(|| beside(&["name"]).filter(|_| key.eq_ignore_ascii_case("newtag")));
    let registry = beside(&["registry", "host"]).filter(|registry| !registry.is_empty());
    Reader::Somebody {
        repository: match (registry, repository) {
            (Some(registry), Some(repository)) => Some(format!("{registry}/{repository}")),
            (_, repository) => repository,
        },
    }
}

/// Keys that say nothing of what they hold.
fn is_generic(key: &str) -> bool {
    matches!(
        &*key.to_ascii_lowercase(),
        "default" | "value" | "defaultvalue" | "default_value" | "parametervalue" | "content"
    )
}

/// The same for a variable of a shell or of make, where `VERSION=latest` is what a deployment is given.
fn is_tag_variable(name: &str) -> bool {
    is_tag_key(name) || matches!(&*name.to_ascii_lowercase(), "version" | "release" | "ver")
}

/// Programs to which `latest` is not an image's tag, whatever their options are called: package managers, and what
/// moves files and text about. Those of the container tools that take images have readers of their own.
const NOT_ABOUT_IMAGES: [&str; 44] = [
    "npm", "npx", "yarn", "pnpm", "lerna", "bun", "pip", "pip3", "pipx", "poetry", "apt",
    "apt-get", "yum", "dnf", "apk", "brew", "gem", "cargo", "rustup", "nvm", "n", "fnm", "volta",
    "asdf", "mise", "sdk", "pyenv", "rbenv", "corepack", "choco", "composer", "go", "curl", "wget",
    "git", "gh", "grep", "ls", "cp", "mv", "rm", "ln", "tar", "unzip",
];
/// What package managers run that deploys.
const DEPLOYING_PACKAGES: [&str; 6] = ["cdk", "aws-cdk", "cdktf", "serverless", "sls", "sst"];
/// Commands of Yarn, pnpm and Bun themselves that take versions or tags; other words are scripts of package.json.
const OWN_COMMANDS: [&str; 17] = [
    "", "add", "install", "i", "up", "update", "upgrade", "dlx", "x", "create", "global", "npm",
    "publish", "tag", "set", "dist-tag", "version",
];
const CONTAINER_TOOLS: [&str; 6] = [
    "docker",
    "podman",
    "nerdctl",
    "finch",
    "buildah",
    "docker-compose",
];

/// Whether all that reads the variable in `items` are programs to which it is no image's tag: `git tag "$TAG"`.
pub(super) fn is_only_read_by_others(items: &[ItemScript], variable: &str) -> bool {
    let mut read = false;
    for item in items {
        for (at, _) in item.text.match_indices('$') {
            let name = plain_name(item.text[at + 1..].trim_start_matches(['{', '#', '!']));
            let comments = &item.script.comments;
            let holds = |span: Span| span.start as usize <= at && at < span.end as usize;
            if name != variable || comments.iter().any(|it| holds(*it)) {
                continue;
            }
            read = true;
            let commands = item.script.commands.iter();
            let innermost = commands
                .filter(|command| holds(command.span))
                .min_by_key(|command| command.span.len());
            let program = innermost.and_then(Command::program).unwrap_or_default();
            if !NOT_ABOUT_IMAGES.contains(&&*program) {
                return false;
            }
        }
    }
    read
}

/// Whether the key says that its value is an image's tag, in a shell text.
fn is_key_of_tag(whole: &str, key: Span) -> bool {
    let name = key.of(whole);
    let named = if is_generic(name) {
        parameter_before(whole, key.start as usize)
    } else {
        Some(name)
    };
    named.is_some_and(is_tag_variable)
}

/// The command that holds a place.
struct Holder<'a> {
    command: &'a Command,
    program: &'a str,
    /// To its program `latest` is no image's tag.
    foreign: bool,
}

impl Holder<'_> {
    /// Whether `latest`, which stands at byte `at` of `text` behind `key` (bytes of `whole`), is a tag to the command.
    fn takes_value(&self, key: Span, (text, at): (&str, usize), whole: &str) -> bool {
        let name = key.of(whole);
        let parameter = parameter_before(whole, key.start as usize);
        match self.program {
            // Whatever the pattern is called: a file gets the bare word.
            "sed" | "gsed" | "perl" => return true,
            // `--value=latest` says no more than `--value latest`.
            "aws" if is_generic(name) && parameter.is_none() => return true,
            // A hook is told the tag in the address or in a form.
            "curl" | "wget" => return is_tag_key(name),
            "terraform" | "tofu" | "terragrunt" if self.is_in_map_of_tags(text, at) => return true,
            _ => {}
        }
        if self.foreign || !is_key_of_tag(whole, key) {
            return false;
        }
        // `TAG=latest docker compose push`.
        let assigned = self.command.assignments.iter().any(|it| it.name == *name);
        assigned || !CONTAINER_TOOLS.contains(&self.program)
    }

    /// `-var 'tags={web="latest"}'`
    fn is_in_map_of_tags(&self, text: &str, at: usize) -> bool {
        let holds = |span: Span| span.start as usize <= at && at < span.end as usize;
        let word = self.command.words.iter().find(|word| holds(word.span));
        let map = word.and_then(|word| word.span.of(text).split_once('='));
        map.is_some_and(|(name, value)| {
            value.starts_with('{') && is_tag_key(name.trim_matches(['\'', '"']))
        })
    }
}

/// Who reads the byte `at` of a shell text; `whole` is the text that `found` is about.
fn in_script(script: &Script, text: &str, at: usize, found: &Found, whole: &str) -> Reader {
    let holds = |span: Span| span.start as usize <= at && at < span.end as usize;
    if script.comments.iter().any(|comment| holds(*comment)) {
        return Reader::Nobody;
    }
    let somebody = Reader::Somebody { repository: None };
    let Some(command) = script
        .commands
        .iter()
        .rev()
        .find(|command| covers(command, at))
    else {
        return match found.shape {
            Shape::Value(key) if !is_key_of_tag(whole, key) => Reader::Nobody,
            // A word of a condition, of a list or of what could not be read.
            Shape::Word if script.status == shell::Status::Clean => Reader::Nobody,
            _ => somebody,
        };
    };
    let program = command.program().unwrap_or_default();
    if is_plain_output(command, &program, at)
        || is_shown(script, command, &program)
        || is_own_log(script, command, &program)
    {
        return Reader::Nobody;
    }
    let in_document = command.redirects.iter().any(|redirect| {
        redirect
            .here_document
            .as_ref()
            .is_some_and(|document| holds(document.body))
    });
    let foreign = NOT_ABOUT_IMAGES.contains(&&*program) && !runs_something(command, &program);
    match found.shape {
        Shape::Reference(_) | Shape::Untagged(_) | Shape::Redeploy(_) => somebody,
        Shape::Value(key) => {
            let holder = Holder {
                command,
                program: &program,
                foreign,
            };
            if holder.takes_value(key, (text, at), whole) {
                somebody
            } else {
                Reader::Nobody
            }
        }
        Shape::Word if in_document => Reader::Nobody,
        Shape::Word if foreign || command.words.is_empty() => Reader::Nobody,
        Shape::Word if matches!(&*program, "test" | "[" | "[[" | "case" | "for" | "export") => {
            Reader::Nobody
        }
        Shape::Word if CONTAINER_TOOLS.contains(&&*program) => Reader::Nobody,
        // Part of a longer text, such as a sentence.
        Shape::Word => {
            let word = command.words.iter().find(|word| holds(word.span));
            let alone = word.is_some_and(|word| {
                let written = word.span.of(text);
                // `"${1:-latest}"`.
                let fallback = written.trim_matches('"').starts_with("${");
                let quoted = ["latest\"", "'latest'"]
                    .iter()
                    .any(|it| written.contains(it));
                word.is("latest") || quoted || fallback
            });
            if alone { somebody } else { Reader::Nobody }
        }
    }
}

/// Whether a package manager or the like starts a program that is not its own, which may deploy what it is told:
/// `npx cdk deploy`, `npm run deploy -- latest`, `gh workflow run deploy.yml -f tag=latest`.
fn runs_something(command: &Command, program: &str) -> bool {
    let words = &command.words;
    let deploying = |word: &Word| DEPLOYING_PACKAGES.iter().any(|name| word.is(name));
    let first = words.get(1).and_then(Word::literal).unwrap_or_default();
    let script = match program {
        "npm" | "go" => false,
        "yarn" | "pnpm" | "bun" => !OWN_COMMANDS.contains(&&*first) && !first.starts_with('-'),
        "gh" => matches!(&*first, "workflow" | "api"),
        _ => return words.iter().any(deploying),
    };
    let runs = matches!(&*first, "run" | "run-script");
    script || runs && program != "gh" || words.iter().any(deploying)
}

/// Whether the command, its redirections or its here-documents hold the byte `at`.
fn covers(command: &Command, at: usize) -> bool {
    let holds = |span: Span| span.start as usize <= at && at < span.end as usize;
    holds(command.span)
        || command.redirects.iter().any(|redirect| {
            redirect
                .target
                .as_ref()
                .is_some_and(|target| holds(target.span))
                || redirect
                    .here_document
                    .as_ref()
                    .is_some_and(|document| holds(document.body))
        })
}

/// Whether the command only writes to the log: `echo`, whose output goes nowhere.
fn is_plain_output(command: &Command, program: &str, at: usize) -> bool {
    if !matches!(program, "echo" | "printf" | ":" | "true") {
        return false;
    }
    // `printf -v NAME` prints into a variable.
    let into_variable = program == "printf" && command.words.get(1).is_some_and(|it| it.is("-v"));
    // `: "${TAG:=latest}"` is written for what it assigns.
    let assigns = matches!(program, ":" | "true")
        && command
            .words
            .iter()
            .flat_map(Word::variables)
            .filter_map(|variable| variable.operator.as_ref())
            .any(|operator| matches!(&*operator.symbol, "=" | ":="));
    // A substitution inside the words is a command of its own.
    let assigned = command
        .assignments
        .iter()
        .any(|it| it.span.start as usize <= at && at < it.span.end as usize);
    !assigned && !into_variable && !assigns && goes_to_log(command)
}

/// Whether what the command prints goes to the log, and nowhere else.
fn goes_to_log(command: &Command) -> bool {
    let context = &command.context;
    !command.redirects.iter().any(Redirect::goes_to_file)
        && !context.diverted
        && context.pipe_length == 1
        && context.substitution == 0
        && context.function.is_none()
}

/// Whether the command prints what goes on to a terminal or the log alone: `echo … | tee /dev/stderr`.
fn is_shown(script: &Script, command: &Command, program: &str) -> bool {
    let context = &command.context;
    if !matches!(program, "echo" | "printf")
        || (context.pipe_index, context.pipe_length) != (0, 2)
        || context.diverted
        || context.substitution > 0
        || context.function.is_some()
        || command.redirects.iter().any(Redirect::goes_to_file)
    {
        return false;
    }
    let behind = script.commands.iter();
    let mut behind = behind.filter(|it| it.span.start >= command.span.end);
    behind.next().is_some_and(|next| {
        let device = |word: &Word| {
            let path = word.literal();
            path.is_some_and(|it| matches!(&*it, "/dev/stderr" | "/dev/stdout" | "/dev/tty"))
        };
        let to_device = match next.program().as_deref() {
            Some("tee") => next.words.len() > 1 && next.words[1..].iter().all(device),
            Some("logger") => true,
            _ => false,
        };
        to_device && !next.context.diverted && !next.redirects.iter().any(Redirect::goes_to_file)
    })
}

/// Whether the command is a function of the same text that only prints its arguments: `log() { echo "[ci] $*"; }`.
fn is_own_log(script: &Script, command: &Command, program: &str) -> bool {
    let plain = command.assignments.is_empty() && goes_to_log(command);
    let of_function = |it: &&Command| it.context.function.as_deref() == Some(program);
    let mut body = script.commands.iter().filter(of_function).peekable();
    plain
        && body.peek().is_some()
        && body.all(|it| {
            let prints = matches!(
                it.program().as_deref(),
                Some("echo" | "printf" | "date" | "tput")
            );
            prints
                && it.assignments.is_empty()
                && it.context.pipe_length == 1
                && !it.redirects.iter().any(Redirect::goes_to_file)
        })
}

#[cfg(test)]
mod tests {
    use super::super::find::find;
    use super::*;

    /// Whether anybody reads the first place in `text`.
    fn read(path: &str, text: &str) -> bool {
        let found = find(text);
        let first = found.first().expect("something to find");
        Text::new(path, &Arc::from(text)).reader(first) != Reader::Nobody
    }

    #[test]
    fn comments_and_text_for_the_log_are_read_by_nobody() {
        let spec = |command: &str| {
            format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {command}\n")
        };
        for (path, text, expected) in [
            ("a.md", "docker run web:latest".to_owned(), false),
            ("a.sh", "# docker run $R/web:latest\n".to_owned(), false),
            ("a.sh", "docker run $R/web:latest\n".to_owned(), true),
            ("a.sh", "echo \"pushed $R/web:latest\"\n".to_owned(), false),
            (
                "a.sh",
                "echo \"$R/web:latest\" > image.txt\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "echo \"$R/web:latest\" | tee image.txt\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "echo \"$R/web:latest\" | tee /dev/stderr\n".to_owned(),
                false,
            ),
            (
                "a.sh",
                "echo \"$R/web:latest\" | tee /dev/stderr image.txt\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "echo \"$R/web:latest\" | tee /dev/stderr > image.txt\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "echo \"$R/web:latest\" | tee /dev/stderr | xargs docker run\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "log() { echo \"[$(date)] $*\"; }\nlog \"pushed $R/web:latest\"\n".to_owned(),
                false,
            ),
            (
                "a.sh",
                "log() { echo \"$*\" >> list; }\nlog \"pushed $R/web:latest\"\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "say() { echo \"$*\"; }\nX=$(say \"$R/web:latest\")\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "log() { echo \"$*\"; curl -d \"$*\" $HOOK; }\nlog \"$R/web:latest\"\n".to_owned(),
                true,
            ),
            ("a.sh", "X=$(echo \"$R/web:latest\")\n".to_owned(), true),
            ("a.sh", "echo \"x # $R/web:latest\" > y\n".to_owned(), true),
            ("buildspec.yml", spec("echo $R/web:latest"), false),
            ("buildspec.yml", spec("echo $R/web:latest >&2"), false),
            ("buildspec.yml", spec("deploy --image $R/web:latest"), true),
            ("buildspec.yml", spec("./deploy.sh latest"), true),
            ("buildspec.yml", spec("npm publish --tag latest"), false),
            (
                "buildspec.yml",
                spec("terraform apply -var image_tag=latest"),
                true,
            ),
            (
                "buildspec.yml",
                spec("terraform apply -var node_version=latest"),
                false,
            ),
            (
                "buildspec.yml",
                "# web:latest\nversion: 0.2\n".to_owned(),
                false,
            ),
            ("main.tf", "image = \"x/web:latest\"".to_owned(), true),
            ("main.tf", "// image = \"x/web:latest\"".to_owned(), false),
            (
                "main.tf",
                "variable \"image_tag\" {\n  default = \"latest\"\n}".to_owned(),
                true,
            ),
            (
                "main.tf",
                "variable \"engine\" {\n  default = \"latest\"\n}".to_owned(),
                false,
            ),
            ("stack.ts", "// web:latest".to_owned(), false),
            (
                "stack.ts",
                "fromEcrRepository(repo, 'latest')".to_owned(),
                true,
            ),
            ("stack.ts", "const channel = f('latest');".to_owned(), false),
            (
                "values.yaml",
                "image:\n  repository: x/web\n  tag: latest\n".to_owned(),
                true,
            ),
            (
                "values.yaml",
                "node:\n  version: 3\n  channel: latest\n".to_owned(),
                false,
            ),
            (
                "t.yml",
                "Parameters:\n  ImageTag:\n    Default: latest\n".to_owned(),
                true,
            ),
            (
                "t.yml",
                "Parameters:\n  Ami:\n    Default: latest\n".to_owned(),
                false,
            ),
            ("Makefile", "TAG ?= latest\n".to_owned(), true),
            (
                "Makefile",
                "push:\n\tdocker push $(REG)/web:latest\n".to_owned(),
                true,
            ),
            (
                "Makefile",
                "push:\n\t@echo $(REG)/web:latest\n".to_owned(),
                false,
            ),
            ("Dockerfile", "FROM x/web:latest\n".to_owned(), true),
            ("Dockerfile", "# FROM x/web:latest\n".to_owned(), false),
            ("package.json", "{\"x\": \"latest\"}".to_owned(), false),
            (
                "package.json",
                "{\"scripts\": {\"x\": \"push r/web:latest\"}}".to_owned(),
                true,
            ),
            (
                "package.json",
                "{\"scripts\": {\"x\": \"npm i a --tag latest\"}}".to_owned(),
                false,
            ),
            ("CONTRIBUTING", "docker run r/web:latest".to_owned(), false),
            ("docs/flow.mmd", "a[\"r/web:latest\"]".to_owned(), false),
            (
                "a.py",
                "\"\"\"Runs in r/web:latest.\"\"\"\n".to_owned(),
                false,
            ),
            (
                "a.py",
                "run(\n\"\"\"docker run r/web:latest\"\"\")\n".to_owned(),
                true,
            ),
            (
                "main.tf",
                "image = format(\"%s:%s\", aws_ecr_repository.web.repository_url, \"latest\")"
                    .to_owned(),
                true,
            ),
            ("main.tf", "tagPrefixList = [\"latest\"]".to_owned(), false),
            (
                "chart/templates/web.yaml",
                "spec:\n  image: \"{{ .Values.repo }}:{{ .Values.tag | default \"latest\" }}\"\n"
                    .to_owned(),
                true,
            ),
            (
                "chart/templates/web.yaml",
                "spec:\n  image: x:{{ .Values.tag | default \"latest\" }}\n".to_owned(),
                true,
            ),
            (
                "chart/templates/web.yaml",
                "spec:\n  channel: {{ .Values.channel | default \"latest\" }}\n".to_owned(),
                false,
            ),
            (
                "buildspec.yml",
                spec("sed -i s/@TAG@/latest/ web.yaml"),
                true,
            ),
            ("buildspec.yml", spec("./deploy.sh \"${1:-latest}\""), true),
            ("a.sh", "{ echo $R/web:latest; } > out\n".to_owned(), true),
            (
                "a.sh",
                "{ echo $R/web:latest; } > /dev/null\n".to_owned(),
                false,
            ),
            (
                "buildspec.yml",
                spec("npx cdk deploy -c imageTag=latest"),
                true,
            ),
            ("buildspec.yml", spec("npx publish-it --tag=latest"), false),
            ("a.sh", "npm run deploy -- latest\n".to_owned(), true),
            ("a.sh", "yarn deploy --tag=latest\n".to_owned(), true),
            ("a.sh", "yarn add x --tag=latest\n".to_owned(), false),
            ("a.sh", "npm install x --tag=latest\n".to_owned(), false),
            ("a.sh", "gh workflow run x -f tag=latest\n".to_owned(), true),
            (
                "a.sh",
                "gh release download --tag=latest\n".to_owned(),
                false,
            ),
            ("a.sh", "curl -d tag=latest $HOOK\n".to_owned(), true),
            (
                "a.sh",
                "curl -F 'variables[IMAGE_TAG]=latest' $HOOK\n".to_owned(),
                true,
            ),
            ("a.sh", "curl \"$HOOK?channel=latest\"\n".to_owned(), false),
            (
                "a.sh",
                "aws ssm put-parameter --name /x --value=latest\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "yq -i '.spec.image |= \"latest\"' x.yaml\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "tofu apply -var 'tags={web=\"latest\"}'\n".to_owned(),
                true,
            ),
            (
                "a.sh",
                "tofu apply -var 'engines={db=\"latest\"}'\n".to_owned(),
                false,
            ),
            (
                "a.sh",
                "python3 -c \"import d; d.go('latest')\"\n".to_owned(),
                true,
            ),
            ("a.sh", "printf -v X %s $R/web:latest\n".to_owned(), true),
            ("a.sh", ": \"${TAG:=latest}\"\n".to_owned(), true),
            ("a.sh", "TAG=latest docker compose push\n".to_owned(), true),
        ] {
            assert_eq!(read(path, &text), expected, "{path}: {text}");
        }
    }
}
