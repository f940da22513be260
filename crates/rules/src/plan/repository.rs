//! Where a repository is named, and the edits that name the one of the build's branch or environment instead.
//!
//! With `[environments]` configured a fix moves a group of places to another repository, not only to another tag.
//! What stands behind the registry becomes a variable, which a command sets from the branch. A repository that comes
//! as a whole out of a variable from outside stays in it: the project says it, and only a branch without an
//! environment adds itself.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::FileId;
use tagwright_flow::expression::{Piece, Repository, Site, plain_name};
use tagwright_flow::facts::{AssignmentFact, AssignmentPlace, Order, TagKind};
use tagwright_flow::tools::Role;

use super::joined::Tagged;
use super::tag_edits::{Edits, write};
use crate::context::{Context, Place};
use crate::environment::{holds_environment, named, names_environment};
use crate::environments::{Environments, image_name};
use crate::shell_text::whole_variable;
use crate::{Refusal, RefusalCode, Settings};

/// The edits of the repositories' names.
#[derive(Default)]
struct Moves {
    edits: Edits,
    /// The commands that set the variables, each once.
    definitions: BTreeMap<FileId, BTreeSet<String>>,
}

/// Moves all places of the images of `places` to the repositories of their environments, and adds the edits to
/// `edits`.
///
/// # Errors
/// A place cannot be moved; the reason.
pub(super) fn move_to_environments<'a>(
    context: &Context<'a>,
    environments: &Environments,
    places: &[Tagged<'a>],
    edits: &mut Edits,
) -> Result<(), Refusal> {
    let flows: BTreeSet<usize> = places
        .iter()
        .filter(|(place, _)| place.image.role != Role::Argument)
        .filter_map(|(place, _)| context.mentions().flow_of(place.id))
        .collect();
    let mut moves = Moves::default();
    for index in flows {
        for id in &context.workspace.flows()[index].uses {
            let place = context.place(*id);
            if context.is_without_effect(id.file) || stays(context, &place) {
                continue;
            }
            moves
                .place(context, environments, &place)
                .map_err(|refusal| match refusal.place {
                    Some(_) => refusal,
                    None => refusal.at(place.file.id, place.image.span, "the repository"),
                })?;
        }
    }
    moves.into(edits)
}

/// Whether the place has nothing to do with the repository that builds push to: a name on the build machine, a
/// repository that is of one branch already, somebody's fixed tag.
fn stays(context: &Context<'_>, place: &Place<'_>) -> bool {
    let image = place.image;
    let fixed = |kind: &TagKind| match kind {
        TagKind::Literal(text) => &**text != "latest",
        TagKind::Digest => true,
        _ => false,
    };
    let taken = matches!(image.role, Role::Pull | Role::Run | Role::Cache);
    is_local(image.repository.key())
        || names_one(&image.repository, context.settings)
        || taken && image.tags.iter().all(|tag| fixed(&tag.kind))
}

/// Whether what stands behind the registry, or the variable that is all of it, says which branch or environment the
/// repository belongs to.
fn names_one(repository: &Repository, settings: &Settings) -> bool {
    let mut behind = !repository.key().contains('/');
    repository.pieces().any(|piece| match piece {
        Piece::Text(text) => {
            let name = if behind {
                Some(text)
            } else {
                text.split_once('/').map(|it| it.1)
            };
            behind |= name.is_some();
            name.is_some_and(names_environment)
        }
        Piece::Variable(name) => behind && holds_environment(plain_name(name), settings),
        Piece::Computed(_) => false,
    })
}

/// Whether the name, without any variable, has no registry in it.
fn is_local(key: &str) -> bool {
    !key.contains(['/', '$', '`'])
}

impl Moves {
    fn place(
        &mut self,
        context: &Context<'_>,
        environments: &Environments,
        place: &Place<'_>,
    ) -> Result<(), Refusal> {
        let image = place.image;
        let file = place.file;
        if file.buildspec.is_none() {
            let message = format!(
                "{} names the repository too, and only buildspecs are moved to another one",
                file.path
            );
            return Err(Refusal::new(RefusalCode::LeftBehind, message));
        }
        let written = Written {
            text: &image.written,
            site: image.site,
        };
        let first = self.edits.first_use.entry(file.id).or_insert(image.order);
        *first = image.order.min(*first);
        self.text(context, environments, place, &written, &mut Vec::new())
    }

    /// Moves a reference, or the value of a variable that holds one.
    fn text(
        &mut self,
        context: &Context<'_>,
        environments: &Environments,
        place: &Place<'_>,
        written: &Written<'_>,
        followed: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let file = place.file;
        let end = end_of_repository(written.text);
        let repository = written.text.get(..end).unwrap_or("");
        if let Some(slash) = end_of_registry(repository) {
            return self.name(context, environments, place, written, slash + 1..end);
        }
        let variable =
            whole_variable(repository).filter(|it| !followed.iter().any(|known| known == it));
        let Some(variable) = variable else {
            return Err(Refusal::uncertain(
                "the place of the repository's name is not certain",
            ));
        };
        followed.push(variable.to_owned());
        let assigned: Vec<&AssignmentFact> = file
            .assignments
            .iter()
            .filter(|a| *a.name == *variable)
            .collect();
        if assigned.is_empty() {
            let branch = &context.settings.branch_variable;
            let command = environments.addition(variable, branch);
            self.definitions.entry(file.id).or_default().insert(command);
            return Ok(());
        }
        for assignment in assigned {
            match assignment.place {
                AssignmentPlace::Command => {
                    self.earlier(file.id, assignment.order);
                    let value = Written {
                        text: &assignment.value,
                        site: assignment.value_site,
                    };
                    self.text(context, environments, place, &value, followed)?;
                }
                AssignmentPlace::EnvVariables => {
                    self.environment(context, environments, place, assignment)?;
                }
                AssignmentPlace::Store | AssignmentPlace::Loop => {
                    let message = format!(
                        "`{variable}` is the same for all branches: it comes out of a parameter or a loop"
                    );
                    return Err(Refusal::new(RefusalCode::YourDecision, message));
                }
            }
        }
        Ok(())
    }

    /// Replaces what stands behind the registry.
    fn name(
        &mut self,
        context: &Context<'_>,
        environments: &Environments,
        place: &Place<'_>,
        written: &Written<'_>,
        range: std::ops::Range<usize>,
    ) -> Result<(), Refusal> {
        let variable = self.variable(context, environments, place)?;
        let site = written
            .site
            .filter(|it| it.range.len() == written.text.len() && it.source.len() == it.range.len());
        let Some(site) = site else {
            return Err(Refusal::uncertain(
                "the place of the repository's name is not certain",
            ));
        };
        let site = site.slice(range.start, range.end);
        let change = write(place.file, site, &format!("${{{variable}}}"), false)?;
        self.edits.changes.push(change);
        Ok(())
    }

    /// Has a command set again what `env.variables` holds, in which nothing is expanded.
    fn environment(
        &mut self,
        context: &Context<'_>,
        environments: &Environments,
        place: &Place<'_>,
        assignment: &AssignmentFact,
    ) -> Result<(), Refusal> {
        let value = &*assignment.value;
        let end = end_of_repository(value);
        let slash = end_of_registry(&value[..end]).filter(|_| is_plain(value));
        let Some(slash) = slash else {
            let message = format!("`{}` holds more than the name of an image", assignment.name);
            return Err(Refusal::new(RefusalCode::UnsupportedForm, message));
        };
        let variable = self.variable(context, environments, place)?;
        let command = format!(
            "{}=\"{}${{{variable}}}{}\"",
            assignment.name,
            &value[..=slash],
            &value[end..]
        );
        let assignments = self.edits.assignments.entry(place.file.id).or_default();
        if !assignments.contains(&command) {
            assignments.push(command);
        }
        Ok(())
    }

    /// The variable that holds the name, and the command that sets it.
    fn variable(
        &mut self,
        context: &Context<'_>,
        environments: &Environments,
        place: &Place<'_>,
    ) -> Result<String, Refusal> {
        let repository = &place.image.repository;
        let image = image_name(repository).and_then(named);
        let Some((image, variable)) = image else {
            return Err(Refusal::uncertain(
                "the repository's name is put together of variables",
            ));
        };
        if let Some(refusal) = elsewhere(environments, repository.key()) {
            return Err(refusal);
        }
        if let Some(clash) = environments.clash(&image) {
            return Err(Refusal::new(RefusalCode::Strategy, clash));
        }
        let branch = &context.settings.branch_variable;
        let command = environments.definition(&image, &variable, branch);
        let known = place.file.assignments.iter().any(|a| *a.name == *variable);
        if known {
            let message = format!(
                "{} uses `{variable}` for something of its own",
                place.file.path
            );
            return Err(Refusal::new(RefusalCode::SharedVariable, message));
        }
        let definitions = self.definitions.entry(place.file.id).or_default();
        definitions.insert(command);
        Ok(variable)
    }

    fn earlier(&mut self, file: FileId, order: Order) {
        let first = self.edits.first_use.entry(file).or_insert(order);
        *first = order.min(*first);
    }

    /// Adds everything to the edits of the tags. The commands that set variables go before those that use them.
    fn into(self, edits: &mut Edits) -> Result<(), Refusal> {
        edits.moves |= !self.edits.first_use.is_empty();
        edits.changes.extend(self.edits.changes);
        for (file, order) in self.edits.first_use {
            let first = edits.first_use.entry(file).or_insert(order);
            *first = order.min(*first);
        }
        for (file, commands) in self.edits.assignments {
            let known = edits.assignments.entry(file).or_default();
            for command in commands {
                let (name, value) = command.split_once('=').unwrap_or((&command, ""));
                // The tag is in the same value.
                let same = known
                    .iter_mut()
                    .find(|it| it.split_once('=').is_some_and(|it| it.0 == name));
                match same {
                    None => known.push(command),
                    Some(same) => match both(same, value) {
                        Some(joined) => *same = format!("{name}={joined}"),
                        None => {
                            let message = format!("`{name}` is changed in two ways");
                            return Err(Refusal::new(RefusalCode::SharedVariable, message));
                        }
                    },
                }
            }
        }
        for (file, commands) in self.definitions {
            edits
                .assignments
                .entry(file)
                .or_default()
                .splice(0..0, commands);
        }
        Ok(())
    }
}

/// The value with the tag of the one command and the repository of the other.
fn both(with_tag: &str, with_repository: &str) -> Option<String> {
    let (_, tagged) = with_tag.split_once('=')?;
    let tagged = tagged.trim_matches('"');
    let moved = with_repository.trim_matches('"');
    let tag = tagged.get(end_of_repository(tagged)..)?;
    let repository = moved.get(..end_of_repository(moved))?;
    Some(format!("\"{repository}{tag}\""))
}

/// A text of the shell that names an image, and where it stands.
struct Written<'a> {
    text: &'a str,
    site: Option<Site>,
}

/// The bytes of a shell text that stand in no expansion, with their offsets.
fn outside(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut depth = 0_usize;
    let mut before = 0;
    text.bytes().enumerate().filter(move |(_, byte)| {
        let opens = before == b'$' && matches!(byte, b'{' | b'(');
        before = *byte;
        if opens || depth > 0 && *byte == b'(' {
            depth += 1;
            return false;
        }
        if depth > 0 {
            depth -= usize::from(matches!(byte, b'}' | b')'));
            return false;
        }
        true
    })
}

/// Where the repository ends in a reference: before its tag or digest, or a quote behind it.
fn end_of_repository(text: &str) -> usize {
    let slash = outside(text)
        .filter(|(_, byte)| *byte == b'/')
        .last()
        .map_or(0, |(at, _)| at);
    outside(text)
        .find(|(at, byte)| *at > slash && matches!(byte, b':' | b'@' | b'"' | b'\''))
        .map_or(text.len(), |(at, _)| at)
}

/// Where the slash stands behind a registry.
fn end_of_registry(repository: &str) -> Option<usize> {
    let (at, _) = outside(repository).find(|(_, byte)| *byte == b'/')?;
    let registry = &repository[..at];
    (registry.contains(['.', '$', ':', '`']) && at + 1 < repository.len()).then_some(at)
}

/// Whether double quotes of the shell hold the text as it is.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    text.bytes().all(plain)
}

/// Why the registry is not one in which the environments can have repositories.
fn elsewhere(environments: &Environments, key: &str) -> Option<Refusal> {
    let registry = key.split('/').next().unwrap_or_default();
    if registry.contains('$') || registry.contains('`') {
        return None;
    }
    if !registry.contains(".dkr.ecr") && !registry.contains(".dkr-ecr") {
        let message = format!("`{registry}` is not a registry of Amazon ECR");
        return Some(Refusal::new(RefusalCode::Strategy, message));
    }
    let (account, _) = registry.split_once('.')?;
    let targets = environments.named.iter().map(|it| &it.target);
    let mut accounts = targets
        .chain([&environments.others])
        .filter_map(|it| it.account.as_deref());
    let other = accounts.find(|it| *it != account)?;
    let message = format!(
        "the registry of account {account} is written out, and an environment is in account {other}: take the account from `aws sts get-caller-identity --query Account --output text`"
    );
    Some(Refusal::new(RefusalCode::YourDecision, message))
}
