//! Which tag a fix writes: the configured one, or one that is new for every build or every commit.
//!
//! A branch tag moves. Where a reader acts only on changed text, or pulls only tags that it does not have, the
//! build's id goes behind it. Where one build pushes and another one deploys, each has an id of its own, and the
//! commit goes there. A repository that refuses to overwrite the tag needs the id, too. And whatever goes there,
//! the whole has to fit into the 128 characters of a tag, also behind a branch variable that is the user's own.

use std::collections::BTreeMap;

use tagwright_flow::expression::{AtomKind, plain_name};
use tagwright_flow::facts::{
    AssignmentPlace, FileFacts, ImageUse, RepositoryDeclaration, TagKind, TagValue,
};
use tagwright_flow::tools::{Role, Tool, tool};
use tagwright_flow::{FileId, FileKind};
use tagwright_syntax::shell::Word;
use tagwright_syntax::yaml::Tree;

use crate::context::{Context, deploys, pushes};
use crate::delivery;
use crate::plan::needs_new_text;
use crate::settings::Strategy;
use crate::shell_text::names_in;
use crate::variables::is_branch;
use crate::{Refusal, RefusalCode, Settings};

/// What makes a branch tag a build's own. CodeBuild's build id is always set, and what stands before its
/// colon is the project's name.
pub(crate) const BUILD: &str = "-${CODEBUILD_BUILD_ID##*:}";

/// What makes a branch tag a commit's own: the same text in all builds of one source.
pub(crate) const COMMIT: &str = "-${CODEBUILD_RESOLVED_SOURCE_VERSION}";

/// Characters of a tag (distribution/reference `regexp.go`, 2026-04).
const LONGEST: usize = 128;

/// Characters of the branch variable as [`crate::derivation::Derivation`] sets it, and as a project has to set it
/// that says it defines the variable.
const DERIVED: usize = 80;

/// What is told apart by the part behind the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nothing: the tag moves.
    None,
    /// Every build.
    Build,
    /// Every commit.
    Commit,
}

impl Part {
    /// The part as shell text.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Part::None => "",
            Part::Build => BUILD,
            Part::Commit => COMMIT,
        }
    }

    /// What the part does, for people.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Part::None => "which is the same for every build of a branch",
            Part::Build => "which is new for every build",
            Part::Commit => "which is new for every commit",
        }
    }
}

/// A place of the images that are tagged alike.
pub(crate) type Used<'a> = (&'a FileFacts, &'a ImageUse);

/// The tag for `places`, which move together.
///
/// # Errors
/// No tag is right for all of them; the reason.
pub(crate) fn choose<'a>(context: &Context<'a>, places: &[Used<'a>]) -> Result<String, Refusal> {
    let settings = context.settings;
    let template = &settings.tag_template;
    let part = part(context, places, template)?;
    let made_of = Made::of(template, settings);
    let tag = match part {
        Part::None => template.clone(),
        Part::Commit if made_of == Made::Build => {
            let message = format!(
                "one build pushes the image and another one deploys it, and `{template}` is another tag in each of them"
            );
            return Err(Refusal::new(RefusalCode::YourDecision, message));
        }
        _ if made_of == Made::Branch => format!("{template}{}", part.text()),
        // What else it is made of is the configuration's choice.
        _ => template.clone(),
    };
    if tag.len() > template.len() {
        fits(context, places, &tag)?;
    }
    Ok(tag)
}

/// The part that has to go behind a tag of the branch, at all of `places`.
///
/// # Errors
/// No part is right for all of them; the reason.
pub(crate) fn part<'a>(
    context: &Context<'a>,
    places: &[Used<'a>],
    template: &str,
) -> Result<Part, Refusal> {
    let immutable = context.settings.strategy == Strategy::RepositoryPerBranch
        || is_immutable(context, places, template);
    if let Some((pushing, reading)) = across_builds(context, places) {
        if immutable {
            let message = format!(
                "{pushing} pushes the image and {reading} takes it, so both have to tag it by the commit; but the repository is immutable, and a second build of a commit could not push its tag again"
            );
            return Err(Refusal::new(RefusalCode::YourDecision, message));
        }
        return Ok(Part::Commit);
    }
    let by_text = places
        .iter()
        .any(|(_, image)| deploys(image.role) && needs_new_text(image.tool));
    if immutable || by_text || runs_kubernetes(places) {
        return Ok(Part::Build);
    }
    Ok(Part::None)
}

/// What a template is made of, as far as it decides which builds share a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// The branch, and text.
    Branch,
    /// Something that differs from build to build.
    Build,
    /// Anything else.
    Other,
}

impl Made {
    fn of(template: &str, settings: &Settings) -> Self {
        let build = ["CODEBUILD_BUILD_", "CODEBUILD_START_TIME", "$(date"];
        if build.iter().any(|it| template.contains(it)) {
            return Made::Build;
        }
        let branch = names_in(template).all(|name| is_branch(name, settings));
        if branch && !template.contains(['(', '`']) {
            Made::Branch
        } else {
            Made::Other
        }
    }
}

/// The paths of a file whose build pushes the images and of another one whose build takes them from the registry,
/// if there are such.
fn across_builds<'a>(context: &Context<'a>, places: &[Used<'a>]) -> Option<(&'a str, &'a str)> {
    #[derive(Default)]
    struct Roles {
        pushes: bool,
        takes: bool,
        /// Builds it, so that what it pulls is not what it pushes.
        builds: bool,
        pulls: bool,
        /// Some of it may be skipped.
        conditional: bool,
    }
    let mut files: BTreeMap<FileId, (&FileFacts, Roles)> = BTreeMap::new();
    for (file, image) in places {
        let takes = deploys(image.role) || matches!(image.role, Role::Pull | Role::Run);
        // A manifest of Copilot's is read by the builds that call it.
        let readers = if file.kind == FileKind::CopilotWorkload {
            let calling = |it: &&FileFacts| !it.copilot.is_empty() && it.buildspec.is_some();
            context
                .workspace
                .files()
                .iter()
                .filter(calling)
                .map(|it| it.id)
                .collect()
        } else if file.kind == FileKind::Script {
            let builds = context.workspace.builds_of(file.id);
            builds.iter().map(|(file, _)| *file).collect()
        } else {
            vec![file.id]
        };
        let has_readers = matches!(file.kind, FileKind::CopilotWorkload | FileKind::Script);
        if file.buildspec.is_none() && !has_readers {
            continue;
        }
        for id in readers {
            let of = match file.kind {
                FileKind::Script => context.workspace.file(id),
                _ => file,
            };
            let entry = files.entry(id).or_insert_with(|| (of, Roles::default()));
            entry.1.pushes |= pushes(image.role);
            entry.1.takes |= takes;
            entry.1.builds |= matches!(image.role, Role::Build | Role::BuildPush);
            entry.1.pulls |= image.role == Role::Pull;
            entry.1.conditional |= image.conditional && (takes || pushes(image.role));
        }
    }
    let pushing = files.values().find(|(_, roles)| roles.pushes)?.0;
    let elsewhere = files.values().find(|(file, roles)| {
        let pushed_before = roles.pulls && !roles.builds && file.id != pushing.id;
        roles.takes && (!roles.pushes || pushed_before)
    });
    if let Some((reading, _)) = elsewhere {
        return Some((&pushing.path, &reading.path));
    }
    // One file for several builds, of which some push and some deploy.
    files
        .values()
        .find(|(file, roles)| {
            roles.pushes && roles.takes && roles.conditional && is_run_by_several(context, file)
        })
        .map(|(file, _)| (&*file.path, &*file.path))
}

/// Whether several builds of a batch or of a pipeline run the file's commands.
fn is_run_by_several(context: &Context<'_>, file: &FileFacts) -> bool {
    let actions = delivery::builds(context);
    if actions
        .iter()
        .filter(|build| build.buildspec.id == file.id)
        .nth(1)
        .is_some()
    {
        return true;
    }
    let named = context.workspace.deliveries().any(|(_, delivery)| {
        let named = delivery.named.iter();
        named.filter(|it| *it.path == *file.path).nth(1).is_some()
    });
    named || file.may_hold("batch:") && has_members_of_its_own(&file.tree())
}

/// Whether a buildspec's batch has several builds that run the buildspec itself.
fn has_members_of_its_own(tree: &Tree) -> bool {
    let Some(batch) = tree.root().and_then(|root| tree.get(root, "batch")) else {
        return false;
    };
    if tree.get(batch, "build-matrix").is_some() {
        return true;
    }
    ["build-list", "build-graph"].iter().any(|strategy| {
        let list = tree.get(batch, strategy).and_then(|id| tree.sequence(id));
        let items = list.map_or(&[][..], |list| &list.items);
        let own = items
            .iter()
            .filter(|item| tree.get(**item, "buildspec").is_none());
        own.count() > 1
    })
}

/// Whether a build that reads the images also hands something to Kubernetes: which does nothing about a text that
/// it has, and pulls a tag other than `latest` only if the node does not have it (`imagePullPolicy`).
fn runs_kubernetes(places: &[Used<'_>]) -> bool {
    let mut seen = Vec::new();
    places.iter().any(|(file, image)| {
        if image.tool == Tool::Kubectl && deploys(image.role) || file.kind == FileKind::Kubernetes {
            return true;
        }
        if !file.has_commands() && file.buildspec.is_none() || seen.contains(&file.id) {
            return false;
        }
        seen.push(file.id);
        applies_manifests(file)
    })
}

/// The answer of [`applies_manifests`].
struct Applies(bool);

/// Whether a command of the buildspec gives Kubernetes something to run.
fn applies_manifests(file: &FileFacts) -> bool {
    let applies = file.recent(|| Applies(gives_to_kubernetes(file)));
    applies.0
}

/// Whether a command of the file names a program of Kubernetes, and a verb behind it.
fn gives_to_kubernetes(file: &FileFacts) -> bool {
    const VERBS: [&str; 13] = [
        "apply", "create", "replace", "set", "patch", "rollout", "upgrade", "install", "run",
        "sync", "deploy", "edit", "delete",
    ];
    file.scripts().iter().any(|item| {
        item.script.commands.iter().any(|command| {
            let program = command.words.iter().position(talks_to_kubernetes);
            program.is_some_and(|at| {
                let rest = &command.words[at + 1..];
                rest.iter()
                    .any(|word| VERBS.iter().any(|verb| word.is(verb)))
            })
        })
    })
}

/// Whether the word is a program that gives Kubernetes texts.
fn talks_to_kubernetes(word: &Word) -> bool {
    let Some(word) = word.value() else {
        return false;
    };
    let name = word.rsplit('/').next().unwrap_or(&word);
    matches!(name, "helmfile" | "skaffold" | "kapp")
        || tool(name)
            .is_some_and(|it| matches!(it.family, Tool::Kubectl | Tool::Helm | Tool::Kustomize))
}

/// Whether the repository of one of `places` may refuse to take the tag a second time.
fn is_immutable(context: &Context<'_>, places: &[Used<'_>], template: &str) -> bool {
    let mut names: Vec<&str> = places
        .iter()
        .filter(|(_, image)| pushes(image.role))
        .map(|(_, image)| image.repository.key())
        .collect();
    names.sort_unstable();
    names.dedup();
    if context.index().declaring.is_empty() {
        return false;
    }
    names.iter().any(|name| {
        let declared = declarations(context, name);
        declared
            .iter()
            .any(|(_, it)| overwriting(it, template) != Overwriting::Allowed)
    })
}

/// The declarations of the repository of this name: those that name it if there are any, else those that may.
pub(crate) fn declarations<'a>(
    context: &Context<'a>,
    name: &str,
) -> Vec<(&'a FileFacts, &'a RepositoryDeclaration)> {
    let all = || {
        let files = context.index().declaring.iter();
        files
            .map(|id| context.workspace.file(*id))
            .flat_map(|file| file.repositories.iter().map(move |it| (file, it)))
    };
    let named: Vec<_> = all().filter(|(_, it)| is_named(it, name)).collect();
    if !named.is_empty() {
        return named;
    }
    let image = pattern_of(name);
    let may_be = |it: &RepositoryDeclaration| {
        let pattern = it.pattern.as_bytes();
        let below = format!("*/{}", it.pattern);
        may_be_equal(pattern, image.as_bytes()) || may_be_equal(below.as_bytes(), image.as_bytes())
    };
    all().filter(|(_, it)| may_be(it)).collect()
}

/// Whether the declaration is of the image's repository, which ends in the declared name.
pub(crate) fn is_named(declaration: &RepositoryDeclaration, image: &str) -> bool {
    let ends = |declared: &str, image: &str| {
        image == declared
            || image
                .strip_suffix(declared)
                .is_some_and(|rest| rest.ends_with('/'))
    };
    if let Some(name) = declaration.name.as_deref() {
        return ends(name, image);
    }
    // Both put together of parts: `${AWS::StackName}/web` is `$REGISTRY/$PROJECT/web`.
    let text = |pattern: &str| pattern.replace('*', "").len();
    let own = &*declaration.pattern;
    let image = pattern_of(image);
    let (Some(declared), Some(last)) = (own.rsplit('/').next(), image.rsplit('/').next()) else {
        return false;
    };
    text(declared) >= 3
        && text(last) >= 3
        && may_be_equal(declared.as_bytes(), last.as_bytes())
        && may_be_equal(format!("*/{own}").as_bytes(), image.as_bytes())
}

/// Whether a repository takes the same tag twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwriting {
    /// It does.
    Allowed,
    /// It depends on what the branch is called, or on a filter that is not written here.
    Unknown,
    /// It does not.
    Refused,
}

/// What the repository does at a second push of the tag, whose variables stand for any text (Amazon ECR API,
/// `PutImageTagMutability`; in a filter `*` stands for any number of characters).
pub(crate) fn overwriting(declaration: &RepositoryDeclaration, tag: &str) -> Overwriting {
    let tag = pattern_of(tag);
    let filters = &declaration.exclusions;
    let covered = filters.iter().any(|filter| covers(filter, &tag));
    let touched = |filter: &str| may_be_equal(filter.as_bytes(), tag.as_bytes());
    let open = declaration.exclusions_open;
    if declaration.immutable {
        // A filter without a wildcard is about one tag, which almost no branch is called.
        let mut wide = filters.iter().filter(|filter| filter.contains('*'));
        return match (covered, open || wide.any(|filter| touched(filter))) {
            (true, _) => Overwriting::Allowed,
            (false, true) => Overwriting::Unknown,
            (false, false) => Overwriting::Refused,
        };
    }
    // No branch is tagged `latest`.
    let mut others = filters.iter().filter(|filter| &***filter != "latest");
    match (covered, open || others.any(|filter| touched(filter))) {
        (true, _) => Overwriting::Refused,
        (false, true) => Overwriting::Unknown,
        (false, false) => Overwriting::Allowed,
    }
}

/// The tag with `*` for everything in it that is not text.
pub(crate) fn pattern(tag: &TagValue) -> String {
    match &tag.kind {
        TagKind::Literal(text) => text.to_string(),
        TagKind::Variable(expression) => {
            let pieces = expression.atoms.iter().map(|atom| match &atom.kind {
                AtomKind::Literal(text) => &**text,
                AtomKind::Variable(_) | AtomKind::Computed(_) => "*",
            });
            pieces.collect()
        }
        TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => "latest".to_owned(),
    }
}

/// A tag as the shell writes it with `*` for its variables.
fn pattern_of(tag: &str) -> String {
    let mut pattern = String::new();
    let mut rest = tag;
    while let Some(at) = rest.find('$') {
        pattern.push_str(&rest[..at]);
        pattern.push('*');
        let name = &rest[at + 1..];
        rest = if name.starts_with('{') {
            name.find('}').map_or("", |close| &name[close + 1..])
        } else {
            &name[plain_name(name).len()..]
        };
    }
    pattern.push_str(rest);
    pattern
}

/// Whether every text that `tag` stands for is one that `filter` stands for: where the filter has text, so has the
/// tag. A filter like `*a*` that may have it in the middle of a variable is not followed.
fn covers(filter: &str, tag: &str) -> bool {
    let Some((start, rest)) = filter.split_once('*') else {
        return filter == tag;
    };
    let end = rest.rsplit('*').next().unwrap_or(rest);
    let middle =
        rest.len() == end.len() || rest[..rest.len() - end.len()].bytes().all(|it| it == b'*');
    middle
        && tag.len() >= start.len() + end.len()
        && tag.starts_with(start)
        && tag.ends_with(end)
        && !start.contains('*')
}

/// Whether two patterns, in both of which `*` stands for any text, may stand for one text.
pub(crate) fn may_be_equal(a: &[u8], b: &[u8]) -> bool {
    // Whether the first bytes of `a` may equal each number of first bytes of `b`.
    let mut row = vec![false; b.len() + 1];
    row[0] = true;
    for (at, byte) in b.iter().enumerate() {
        row[at + 1] = row[at] && *byte == b'*';
    }
    for left in a {
        let mut next = vec![false; b.len() + 1];
        next[0] = row[0] && *left == b'*';
        for (at, right) in b.iter().enumerate() {
            next[at + 1] = match (left, right) {
                (b'*', _) | (_, b'*') => row[at + 1] || next[at],
                (left, right) => left == right && row[at],
            };
        }
        row = next;
    }
    row[b.len()]
}

/// Whether the tag has at most 128 characters wherever it is written.
///
/// # Errors
/// It may be longer, or is not known not to be.
pub(crate) fn fits(context: &Context<'_>, places: &[Used<'_>], tag: &str) -> Result<(), Refusal> {
    let mut seen = Vec::new();
    let builds = places.iter().flat_map(|(file, _)| {
        let builds = context.workspace.builds_of(file.id).iter();
        builds.map(|(file, _)| context.workspace.file(*file))
    });
    for file in places.iter().map(|(file, _)| *file).chain(builds) {
        if file.buildspec.is_some() && !seen.contains(&file.id) {
            seen.push(file.id);
            fits_in(context, file, tag)?;
        }
    }
    Ok(())
}

/// The same for one file.
///
/// # Errors
/// As for [`fits`].
pub(crate) fn fits_in(context: &Context<'_>, file: &FileFacts, tag: &str) -> Result<(), Refusal> {
    let settings = context.settings;
    let mut length = pattern_of(tag).replace('*', "").len();
    let mut unknown = None;
    for name in names_in(tag) {
        length += match name {
            // A UUID, a commit of Git, numbers.
            "CODEBUILD_BUILD_ID" => 36,
            "CODEBUILD_RESOLVED_SOURCE_VERSION" => 40,
            "CODEBUILD_BUILD_NUMBER" => 10,
            "CODEBUILD_START_TIME" => 13,
            _ => match bound(context, file, name) {
                Some(length) => length,
                // Other variables hold nothing that people choose freely.
                None => {
                    if is_branch(name, settings) || name.starts_with("CODEBUILD_WEBHOOK") {
                        unknown = Some(name);
                    }
                    0
                }
            },
        };
    }
    // What computes a tag would be most of the message.
    let shown = if tag.contains('(') {
        "the tag".to_owned()
    } else {
        format!("`{tag}`")
    };
    if let Some(name) = unknown {
        let message = format!(
            "{shown} may exceed the {LONGEST} characters of a tag, since `{name}` may be as long as a branch: cut it in {} at {} characters",
            file.path,
            LONGEST.saturating_sub(length)
        );
        return Err(Refusal::new(RefusalCode::YourDecision, message));
    }
    if length > LONGEST {
        let message = format!(
            "{shown} may have {length} characters in {}, and a tag has at most {LONGEST}: cut the branch earlier",
            file.path
        );
        return Err(Refusal::new(RefusalCode::YourDecision, message));
    }
    Ok(())
}

/// How long the value of a variable may be, if the file says so.
fn bound(context: &Context<'_>, file: &FileFacts, name: &str) -> Option<usize> {
    let own = name == context.settings.branch_variable;
    let mut longest = None;
    let assigned = file
        .assigned(name)
        .filter(|a| a.value_site.is_some() || !a.value.is_empty());
    for assignment in assigned {
        if assignment.place == AssignmentPlace::Loop || assignment.place == AssignmentPlace::Store {
            return None;
        }
        let value = assignment.value.trim_matches(['"', '\'']);
        let literal = !value.contains(['$', '`']);
        let derived = own
            && (context.derivation(false).contains(value)
                || context.derivation(true).contains(value));
        let length = if literal {
            value.len()
        } else if derived && value.len() > 20 {
            DERIVED
        } else if value.contains(&format!("{name}:0:")) || !assignment.conditional {
            cut_at(value).or_else(|| {
                // `TAG=$BRANCH_NAME` is as long as that.
                let other = value.strip_prefix('$')?.trim_matches(['{', '}']);
                (plain_name(other) == other && other != name)
                    .then(|| bound(context, file, other))?
            })?
        } else {
            return None;
        };
        // What is set for sure replaces what was there before.
        longest = match longest {
            Some(before) if assignment.conditional => Some(length.max(before)),
            _ => Some(length),
        };
    }
    longest.or_else(|| own.then_some(DERIVED))
}

/// The number of characters at which the last step of a value cuts it.
fn cut_at(value: &str) -> Option<usize> {
    let number = |text: &str| {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, rest) = text.split_at(digits);
        let end = rest
            .trim_matches([')', '"', '\'', '`', '}', ' ', '\n'])
            .is_empty();
        end.then(|| digits.parse().ok())?
    };
    // `${BRANCH:0:40}`
    if let Some((before, after)) = value.rsplit_once(":0:")
        && before.starts_with("${")
    {
        return number(after.trim_start());
    }
    if !value.starts_with("$(") && !value.starts_with('`') {
        return None;
    }
    let last = value.rsplit('|').next()?.trim();
    let mut words = last.split_whitespace();
    let program = words
        .next()?
        .trim_start_matches("$(")
        .trim_start_matches('`');
    let rest = last.split_once(program)?.1.trim_start();
    match program {
        "cut" => {
            let range = ["--characters=", "--bytes=", "-c", "-b"]
                .iter()
                .find_map(|option| rest.strip_prefix(option))?
                .trim_start();
            let range = range
                .strip_prefix('1')
                .filter(|it| it.starts_with('-'))
                .unwrap_or(range);
            number(range.strip_prefix('-')?)
        }
        "head" => {
            let count = ["--bytes=", "-c"]
                .iter()
                .find_map(|option| rest.strip_prefix(option))?;
            number(count.trim_start())
        }
        "printf" => {
            let (_, format) = rest.split_once("%.")?;
            let digits: String = format.chars().take_while(char::is_ascii_digit).collect();
            let alone = format[digits.len()..].starts_with('s')
                && !format[digits.len() + 1..].contains('%');
            alone.then(|| digits.parse().ok())?
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_last_step_cuts_it() {
        let cases = [
            ("$(echo $X | tr / - | cut -c 1-80)", Some(80)),
            ("$(echo $X | cut -c1-63)", Some(63)),
            ("$(echo $X | cut -c -40 )", Some(40)),
            ("$(echo $X | head -c 100)", Some(100)),
            ("$(printf %.50s \"$X\")", Some(50)),
            ("${REF:0:60}", Some(60)),
            ("`echo $X | cut -c 1-20`", Some(20)),
            ("$(echo $X | cut -c 1-80 | sed s/^/b-/)", None),
            ("$(echo $X | cut -c 1-80)-$ENV", None),
            ("$(echo $X | cut -d / -f 3)", None),
            ("$(echo $X | tr / -)", None),
            ("$X", None),
        ];
        for (value, expected) in cases {
            assert_eq!(cut_at(value), expected, "{value}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_any_text() {
        for (a, b, expected) in [
            ("latest", "*", true),
            ("*", "", true),
            ("web-*", "*-api", true),
            ("web-*", "api-*", false),
            ("main", "main", true),
            ("main", "mains", false),
            ("*/web", "*/*/web", true),
            ("*/web", "*/api", false),
        ] {
            assert_eq!(
                may_be_equal(a.as_bytes(), b.as_bytes()),
                expected,
                "{a} {b}"
            );
            assert_eq!(
                may_be_equal(b.as_bytes(), a.as_bytes()),
                expected,
                "{b} {a}"
            );
        }
    }

    #[test]
    fn filters_allow_overwriting_or_refuse_it_or_leave_it_open() {
        use Overwriting::{Allowed, Refused, Unknown};
        let cases = [
            (true, vec![], "${BRANCH_NAME}", Refused),
            (false, vec![], "${BRANCH_NAME}", Allowed),
            (true, vec!["latest"], "${BRANCH_NAME}", Refused),
            (true, vec!["*"], "${BRANCH_NAME}", Allowed),
            (true, vec!["web-*"], "web-${BRANCH_NAME}", Allowed),
            (true, vec!["feature-*"], "${BRANCH_NAME}", Unknown),
            (false, vec!["latest"], "${BRANCH_NAME}", Allowed),
            (false, vec!["v*"], "${BRANCH_NAME}", Unknown),
            (false, vec!["production"], "${BRANCH_NAME}", Unknown),
            (false, vec!["*"], "${BRANCH_NAME}", Refused),
            (false, vec!["v*"], "web-${BRANCH_NAME}", Allowed),
        ];
        for (immutable, filters, tag, expected) in cases {
            let declaration = RepositoryDeclaration {
                name: None,
                pattern: "*".into(),
                immutable,
                certain: true,
                exclusions_open: false,
                expires_untagged: None,
                exclusions: filters.iter().map(|it| Box::from(*it)).collect(),
                span: tagwright_syntax::Span::empty(0),
            };
            assert_eq!(
                overwriting(&declaration, tag),
                expected,
                "{immutable} {filters:?} {tag}"
            );
        }
    }
}
