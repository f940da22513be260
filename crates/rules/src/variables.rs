//! What rules ask about shell variables: which ones hold a branch, who sets them, and where in the file
//! their text stands.

use tagwright_flow::ScalarText;
use tagwright_flow::expression::{
    Atom, AtomKind, Expansion, Expression, Origin, Piece, Site, plain_name,
};
use tagwright_flow::facts::{
    AssignmentFact, AssignmentPlace, FileFacts, ImageUse, TagKind, TagValue,
};
use tagwright_flow::tools::Role;
use tagwright_syntax::yaml::NodeId;
use tagwright_syntax::{SmolStr, Span};

use crate::context::Context;
use crate::derivation::Derivation;
use crate::shell_text::names_in;
use crate::{Change, ChangeKind, Refusal, RefusalCode, Settings, WordEffect, refusal};

/// Whether the variable holds a branch, by its name.
pub(crate) fn is_branch(name: &str, settings: &Settings) -> bool {
    name == settings.branch_variable || name.to_ascii_uppercase().contains("BRANCH")
}

/// Whether something outside the file's commands sets the variable: the configuration, a project or a
/// pipeline of the workspace, or CodeBuild itself.
pub(crate) fn is_provided(context: &Context<'_>, name: &str) -> bool {
    name.starts_with("CODEBUILD_")
        || name.starts_with("AWS_")
        || context.settings.branch_defined && name == context.settings.branch_variable
        || context.workspace.provides(name)
}

/// Whether the file assigns the variable anywhere, or runs something that may: a sourced script, an
/// `eval`, an export of computed names. Nor is anything certain where a test asks whether it is set: somebody
/// has thought of the case that it is not.
pub(crate) fn may_be_assigned(file: &FileFacts, name: &str) -> bool {
    file.assigned(name).any(|a| !is_bare_export(a))
        || file.habits().sets_unknown
        || file.habits().tested.contains(name)
}

/// Whether no command and no entry of `env` gives the variable a value, CodeBuild defines none of this name, and no command
/// cares for the case that it is not set.
pub(crate) fn is_unset(file: &FileFacts, name: &str) -> bool {
    let own = name.starts_with("CODEBUILD_") || name.starts_with("AWS_") || name == "HOME";
    let guarded = || {
        file.reads
            .iter()
            .any(|read| read.guarded && *read.name == *name)
    };
    !own && file.assigned(name).next().is_none() && !guarded()
}

/// The variables in the names of the images of a buildspec that [are not set](is_unset), each with the use that names it.
pub(crate) fn unset(file: &FileFacts) -> impl Iterator<Item = (&str, &ImageUse)> {
    let uses = file.uses.iter().filter(|_| file.buildspec.is_some());
    let named = uses.flat_map(|image| {
        let pieces = image.repository.pieces();
        let names = pieces.filter_map(|piece| match piece {
            // With an operator it has a default, or is a part of another value.
            Piece::Variable(name) if plain_name(name) == name => Some(name),
            _ => None,
        });
        names.map(move |name| (name, image)).collect::<Vec<_>>()
    });
    named.filter(move |(name, image)| {
        let looped = image.loops.iter().any(|variable| **variable == **name);
        !looped && is_unset(file, name)
    })
}

/// `export NAME` alone gives no value.
fn is_bare_export(assignment: &AssignmentFact) -> bool {
    assignment.place == AssignmentPlace::Command
        && assignment.exported
        && assignment.value.is_empty()
        && assignment.value_site.is_none()
}

/// The assignment that `site` stands in.
pub(crate) fn assignment_at(file: &FileFacts, site: Site) -> Option<&AssignmentFact> {
    file.assignment_around(site.source)
}

/// The decoded text of the command item that holds `node`, in a file of its own; `None` inside another
/// file, where the item's text is not the node's.
pub(crate) fn item_text(file: &FileFacts, node: NodeId) -> Option<ScalarText> {
    if !file.has_commands() {
        return None;
    }
    file.scalar(node)
}

/// Whether a later assignment, or the same item, makes an image tag of what the variable holds.
pub(crate) fn is_sanitised(file: &FileFacts, assignment: &AssignmentFact) -> bool {
    let one = |a: &AssignmentFact| {
        Derivation::is_derivation(&format!("{}={}", a.name, a.value), &assignment.name)
    };
    let last = file.last_assigned(&assignment.name, one);
    if last.is_some_and(|order| order >= assignment.order) {
        return true;
    }
    file.answer(assignment.node, &assignment.name, || {
        item_text(file, assignment.node)
            .is_some_and(|text| Derivation::is_derivation(&text, &assignment.name))
    })
}

/// The place of the tag where the image is used, although its value may come from elsewhere.
pub(crate) fn tag_site(whole: Option<Site>, tag: &TagValue) -> Option<Site> {
    let site = whole?;
    let length = site.range.len();
    let start = length.checked_sub(tag.written.len())?;
    (!tag.written.is_empty() && site.source.len() == length).then(|| site.slice(start, length))
}

/// The expression of a tag, if it depends on variables.
pub(crate) fn expression(tag: &TagValue) -> Option<&Expression> {
    match &tag.kind {
        TagKind::Variable(expression) => Some(expression),
        _ => None,
    }
}

/// Whether text that the shell computes differs from build to build of one branch.
fn is_new_every_build(text: &str) -> bool {
    let new = [
        "CODEBUILD_BUILD",
        "CODEBUILD_RESOLVED",
        "CODEBUILD_START",
        "date",
        "uuid",
        "RANDOM",
        "rev-parse --short",
        "rev-parse HEAD",
        "git log",
        "git describe",
        "SHA",
        "COMMIT",
        "HASH",
        "sha",
        "commit",
        "hash",
    ];
    // `cksum` in the derivation's tail is of the branch's name.
    new.iter().any(|word| text.contains(word))
}

/// What a tag is made of, as far as it decides whether two builds of one branch share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constancy {
    /// Text only.
    Constant,
    /// The branch, perhaps with text around it.
    Branch,
    /// Something else, or not known.
    Other,
}

/// How constant one value of a tag is. `latest` counts as [`Constancy::Other`]: other rules speak of it.
pub(crate) fn constancy(tag: &TagValue, settings: &Settings, loops: &[SmolStr]) -> Constancy {
    match &tag.kind {
        TagKind::Literal(text) => constancy_of_text(text),
        TagKind::Variable(expression) => constancy_of(expression, settings, loops),
        TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => Constancy::Other,
    }
}

fn constancy_of_text(text: &str) -> Constancy {
    // Text that should have been a variable, or a template's placeholder.
    let odd = text.contains(['$', '<', '{', '%', '#', '@', '*']);
    if text == "latest" || text.is_empty() || odd {
        Constancy::Other
    } else {
        Constancy::Constant
    }
}

/// The same for a value that is not part of a reference.
pub(crate) fn constancy_of(
    expression: &Expression,
    settings: &Settings,
    loops: &[SmolStr],
) -> Constancy {
    if let Some(text) = expression.as_literal() {
        return constancy_of_text(&text);
    }
    let mut branch = false;
    for atom in &expression.atoms {
        match &atom.kind {
            AtomKind::Literal(_) => {}
            AtomKind::Variable(name) if is_branch(plain_name(name), settings) => branch = true,
            AtomKind::Variable(name)
                if loops.iter().any(|looped| **looped == *plain_name(name)) => {}
            AtomKind::Variable(name) if is_webhook_ref(name) => branch = true,
            AtomKind::Computed(text) if is_branch_text(text, &atom.origin, settings) => {
                branch = true;
            }
            AtomKind::Variable(_) | AtomKind::Computed(_) => return Constancy::Other,
        }
    }
    if branch {
        Constancy::Branch
    } else {
        Constancy::Other
    }
}

fn is_webhook_ref(name: &str) -> bool {
    matches!(
        plain_name(name),
        "CODEBUILD_WEBHOOK_HEAD_REF" | "CODEBUILD_WEBHOOK_TRIGGER"
    )
}

/// Whether a computed value is the branch, made into a tag.
fn is_branch_text(text: &str, origin: &Origin, settings: &Settings) -> bool {
    if let Origin::Assigned(name) = origin
        && Derivation::is_derivation(text, "ref")
        && is_branch(name, settings)
    {
        return true;
    }
    if is_new_every_build(text) {
        return false;
    }
    let mut names = names_in(text).peekable();
    let by_variable = names.peek().is_some()
        && names.all(|name| is_branch(name, settings) || is_webhook_ref(name));
    let by_git = text.contains("--abbrev-ref HEAD") || text.contains("branch --show-current");
    by_variable || by_git && names_in(text).next().is_none()
}

/// The change that puts `text` in the place of `site`, which must be one where the shell expands.
pub(crate) fn replace(
    file: &FileFacts,
    site: Site,
    text: &str,
    words: WordEffect,
) -> Result<Change, Refusal> {
    match site.expansion {
        Expansion::Shell | Expansion::InnerShell => Ok(Change {
            file: file.id,
            node: site.node,
            kind: ChangeKind::Replace {
                range: site.range,
                text: text.to_owned(),
                words,
            },
        }),
        Expansion::SingleQuoted => Err(Refusal::new(
            RefusalCode::Quoted,
            "it stands in single quotes",
        )),
        Expansion::CopilotManifest => Err(Refusal::new(
            RefusalCode::NotExpanded,
            "it stands in a manifest",
        )),
        Expansion::Never(reason) => Err(refusal::not_expanded(reason)),
    }
}

/// The empty place right behind `site`.
pub(crate) fn behind(site: Site) -> Site {
    Site {
        range: Span::empty(site.range.end as usize),
        source: Span::empty(site.source.end as usize),
        ..site
    }
}

/// The operator that follows the variable's name where the atom is written, if it has a fallback or an
/// error message of its own.
pub(crate) fn is_guarded(file: &FileFacts, atom: &Atom) -> bool {
    let Some(written) = atom.site.and_then(|site| file.get(site.source)) else {
        return true;
    };
    let Some(inner) = written.strip_prefix("${") else {
        return false;
    };
    let operator = &inner[plain_name(inner).len()..];
    operator.starts_with([':', '-', '=', '?', '+'])
}

impl<'a> Context<'a> {
    /// What the tags of own images, and those given to Copilot, are made of: per file, with repetitions
    /// where several places share a variable.
    pub(crate) fn tag_atoms(&self) -> impl Iterator<Item = (&'a FileFacts, &'a Atom)> {
        let images = self
            .tagged_images()
            .flat_map(|(file, image)| image.tags.iter().map(move |tag| (file, tag)))
            .filter_map(|(file, tag)| Some((file, expression(tag)?)));
        let flags = self
            .workspace
            .files()
            .iter()
            .flat_map(|file| file.copilot.iter().map(move |call| (file, call)))
            .filter_map(|(file, call)| Some((file, call.flag("tag")?)))
            .flat_map(|(file, flag)| flag.values.iter().map(move |value| (file, value)));
        images
            .chain(flags)
            .flat_map(|(file, value)| value.atoms.iter().map(move |atom| (file, atom)))
    }

    /// Where the tags of own images and those given to Copilot are written, at the use and before it; with
    /// each place, whether its text came through an assignment or a fallback.
    pub(crate) fn tag_sites(&self) -> impl Iterator<Item = (&'a FileFacts, Site, bool)> {
        let uses = self.tagged_images().flat_map(|(file, image)| {
            image
                .tags
                .iter()
                .filter_map(move |tag| Some((file, tag_site(image.site, tag)?, false)))
        });
        let literals = self
            .tagged_images()
            .flat_map(|(file, image)| image.tags.iter().map(move |tag| (file, tag)))
            .filter_map(|(file, tag)| Some((file, tag.site?, tag.origin != Origin::Written)));
        let flags = self
            .workspace
            .files()
            .iter()
            .flat_map(|file| file.copilot.iter().map(move |call| (file, call)))
            .filter_map(|(file, call)| Some((file, call.flag("tag")?.value_site?, false)));
        let atoms = self
            .tag_atoms()
            .filter_map(|(file, atom)| Some((file, atom.site?, atom.origin != Origin::Written)));
        uses.chain(literals).chain(flags).chain(atoms)
    }

    /// The places of own images in buildspecs, and the bare tags there that are deployed.
    pub(crate) fn tagged_images(&self) -> impl Iterator<Item = (&'a FileFacts, &'a ImageUse)> {
        let own = self
            .workspace
            .flows()
            .iter()
            .filter(|flow| flow.own)
            .flat_map(|flow| flow.uses.iter())
            .map(|id| (self.workspace.file(id.file), self.workspace.image_use(*id)));
        let bare = self.workspace.files().iter().flat_map(|file| {
            file.uses
                .iter()
                .filter(|image| image.repository.key().is_empty() && image.role == Role::Deploy)
                .map(move |image| (file, image))
        });
        own.chain(bare)
            .filter(|(file, image)| file.buildspec.is_some() && image.role != Role::Argument)
    }
}
