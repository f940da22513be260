//! The edits that write a tag at all places of a group: where a value is written, in the words that read a shared
//! variable, or behind `env.variables`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use tagwright_flow::FileId;
use tagwright_flow::expression::{AtomKind, Expansion, Origin, Site, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, Order, TagKind, TagValue};
use tagwright_flow::tools::Role;
use tagwright_syntax::{SmolStr, Span};

use super::describe;
use super::handed_on;
use super::handed_over;
use super::joined::Tagged;
use crate::context::{Context, Place, pushes};
use crate::shared_variables::Sharing;
use crate::variables::{assignment_at, item_text};
use crate::{Change, ChangeKind, Refusal, RefusalCode, WordEffect, refusal};

/// What has to change at the places themselves.
#[derive(Default)]
pub(crate) struct Edits {
    /// The changes.
    pub(crate) changes: Vec<Change>,
    /// When each file first needs the tag.
    pub(crate) first_use: BTreeMap<FileId, Order>,
    /// The assignments that have to follow the definition of the branch, for values that `env.variables` holds.
    pub(crate) assignments: BTreeMap<FileId, Vec<String>>,
    /// Commands that write the tag into files which the build hands on.
    pub(crate) commands: Vec<Change>,
    /// Whether the repository changes, too.
    pub(crate) moves: bool,
    /// Whether a nested shell reads the tag.
    pub(crate) inner: bool,
}

/// Writes `tag` at all `places`.
///
/// # Errors
/// One of them cannot have it; the reason.
pub(crate) fn edits<'a>(
    context: &Context<'a>,
    places: &[Tagged<'a>],
    tag: &str,
) -> Result<Edits, Refusal> {
    let mut edits = Edits::default();
    let mut variables = Variables::default();
    for (place, value) in places {
        // `docker rmi own:latest` and the like would miss the image; a bare `TAG=latest` may mean anything.
        if place.image.role == Role::Argument && place.image.repository.key().is_empty() {
            continue;
        }
        if let Origin::Given(name) = &value.origin {
            edits.at_the_callers(context, places, (place, value, name), tag, &mut variables)?;
            continue;
        }
        let mut order = first_order(place, value);
        if let Some(name) = variable_of(place, value) {
            match variables.sharing(context, places, place.file, name)? {
                Sharing::Own => edits.at_the_value(place, value, name, tag)?,
                Sharing::Shared(reads) => {
                    if !place.image.tags.iter().all(is_latest_or_part) {
                        let message = format!(
                            "`{name}` is more than the tag of the image in {}, and not always `latest`",
                            place.file.path
                        );
                        return Err(Refusal::new(RefusalCode::SharedVariable, message));
                    }
                    order = place.image.order;
                    for read in reads {
                        edits.inner |= read.inner;
                        edits.changes.push(Change {
                            file: place.file.id,
                            node: read.node,
                            kind: ChangeKind::Replace {
                                range: read.range,
                                text: tag.to_owned(),
                                words: WordEffect::Within,
                            },
                        });
                        let assigned = place.file.assigned_at(read.source);
                        order = assigned.map_or(order, |it| order.min(it));
                    }
                }
            }
        } else if let Some(rewrite) = handed_on::rewrite(context, places, place, value, tag) {
            let first = edits
                .first_use
                .entry(rewrite.file.id)
                .or_insert(rewrite.order);
            *first = rewrite.order.min(*first);
            let change = rewrite.place.insert(rewrite.file.id, rewrite.command)?;
            if !edits.commands.contains(&change) {
                edits.commands.push(change);
            }
            continue;
        } else {
            edits.at_the_site(place, value, tag)?;
        }
        let first = edits.first_use.entry(place.file.id).or_insert(order);
        *first = order.min(*first);
    }
    Ok(edits)
}

impl Edits {
    /// Changes the tag where those write it who run the script of the place, which gets it as `name`.
    fn at_the_callers<'a>(
        &mut self,
        context: &Context<'a>,
        places: &[Tagged<'a>],
        (place, value, name): (&Place<'a>, &TagValue, &SmolStr),
        tag: &str,
        variables: &mut Variables,
    ) -> Result<(), Refusal> {
        let shared = |file: &FileFacts, name: &SmolStr| {
            let message = format!(
                "`{name}` is more than the tag of the image in {}",
                file.path
            );
            Refusal::new(RefusalCode::SharedVariable, message)
        };
        if !matches!(
            variables.sharing(context, places, place.file, name)?,
            Sharing::Own
        ) {
            return Err(shared(place.file, name));
        }
        for written in handed_over::written(context, place.file, name)? {
            let caller = Place {
                file: written.file,
                ..*place
            };
            let own = TagValue {
                kind: TagKind::Literal(LATEST.into()),
                site: Some(written.site),
                origin: written.origin,
                written: value.written.clone(),
            };
            match &written.variable {
                Some(variable) => {
                    let sharing = variables.sharing(context, places, written.file, variable)?;
                    if !matches!(sharing, Sharing::Own) {
                        return Err(shared(written.file, variable));
                    }
                    self.at_the_value(&caller, &own, variable, tag)?;
                }
                None => self.at_the_site(&caller, &own, tag)?,
            }
            let first = self
                .first_use
                .entry(written.file.id)
                .or_insert(written.order);
            *first = written.order.min(*first);
        }
        Ok(())
    }

    /// Changes the value of the variable `name`, which holds the tag.
    fn at_the_value(
        &mut self,
        place: &Place<'_>,
        value: &TagValue,
        name: &SmolStr,
        tag: &str,
    ) -> Result<(), Refusal> {
        if !matches!(value.origin, Origin::EnvVariables(_)) {
            return self.at_the_site(place, value, tag);
        }
        let whole = place
            .file
            .assigned(name)
            .find(|a| a.place == AssignmentPlace::EnvVariables)
            .map_or("", |a| &*a.value);
        let moved = moved_site(value);
        let (before, after) = match moved {
            Some(site) if whole.len() > LATEST.len() => (
                whole.get(..site.range.start as usize),
                whole.get(site.range.end as usize..),
            ),
            _ if whole == LATEST => (Some(""), Some("")),
            _ => (None, None),
        };
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte))
        };
        let (Some(before), Some(after)) = (before, after) else {
            return Err(Refusal::uncertain(format!(
                "the place of the tag in `{name}` is not certain"
            )));
        };
        if !plain(before) || !plain(after) {
            let message = format!("`{name}` holds more than the name of an image and its tag");
            return Err(Refusal::new(RefusalCode::UnsupportedForm, message));
        }
        let assignment = format!("{name}=\"{before}{tag}{after}\"");
        let assignments = self.assignments.entry(place.file.id).or_default();
        if !assignments.contains(&assignment) {
            assignments.push(assignment);
        }
        Ok(())
    }

    /// Changes the tag where it is written.
    fn at_the_site(
        &mut self,
        place: &Place<'_>,
        value: &TagValue,
        tag: &str,
    ) -> Result<(), Refusal> {
        let shown = || format!("{} in {}", describe(place.image.role), place.file.path);
        let Some(site) = moved_site(value) else {
            // `$REPO:$TAG-amd64` moves with its variable.
            if !value.kind.is_latest() && value.written.contains('$') {
                return Ok(());
            }
            let message = format!("the place of the tag ({}) is not certain", shown());
            return Err(Refusal::uncertain(message).at(
                place.file.id,
                place.image.span,
                describe(place.image.role),
            ));
        };
        let implicit = value.kind == TagKind::Implicit;
        let change = write(place.file, site, tag, implicit).map_err(|refusal| {
            let message = format!(
                "not everywhere the variable would be expanded: {refusal} ({})",
                shown()
            );
            let what = describe(place.image.role);
            Refusal::new(refusal.code, message).at(place.file.id, site.source, what)
        })?;
        self.inner |= site.expansion == Expansion::InnerShell;
        self.changes.push(change);
        Ok(())
    }
}

/// What is known of who reads the variables, found out once.
#[derive(Default)]
pub(crate) struct Variables {
    known: BTreeMap<(FileId, SmolStr), Sharing>,
}

impl Variables {
    /// Who reads the variable `name` of the file, where `places` move.
    ///
    /// # Errors
    /// As for [`Reads::sharing`].
    pub(crate) fn sharing<'a>(
        &mut self,
        context: &Context<'a>,
        places: &[Tagged<'_>],
        file: &'a FileFacts,
        name: &SmolStr,
    ) -> Result<&Sharing, Refusal> {
        match self.known.entry((file.id, name.clone())) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(entry) => {
                // A tag given without its repository moves with the variable.
                let bare = file.uses.iter().filter(|image| {
                    image.repository.key().is_empty() && image.role == Role::Deploy
                });
                let own = places.iter().filter(|(place, _)| place.file.id == file.id);
                let moved: Vec<&ImageUse> = own.map(|(place, _)| place.image).chain(bare).collect();
                let sharing = context
                    .reads(file)
                    .sharing(context.workspace, name, &moved)?;
                Ok(entry.insert(sharing))
            }
        }
    }
}

/// The variable that the tag comes out of, if it is not written where the image is used.
pub(crate) fn variable_of<'a>(place: &Place<'a>, value: &'a TagValue) -> Option<&'a SmolStr> {
    if let Origin::EnvVariables(name) = &value.origin {
        return Some(name);
    }
    let site = value
        .site
        .filter(|site| !place.image.span.contains(site.source))?;
    assignment_at(place.file, site).map(|assignment| &assignment.name)
}

pub(super) const LATEST: &str = "latest";

/// Whether the tag is `latest`, or one of its parts: `latest-amd64` of a manifest list.
fn is_latest_or_part(tag: &TagValue) -> bool {
    tag.kind.is_latest() || is_part(tag)
}

/// Whether the tag is `latest` with the name of a platform or a variant of the image beside it.
pub(crate) fn is_part(tag: &TagValue) -> bool {
    match &tag.kind {
        TagKind::Literal(text) => word_in(text).is_some() && &**text != LATEST,
        // Of variables only those that name a platform: `latest-$COMMIT` is a tag of its own.
        TagKind::Variable(expression) => {
            let platform = |name: &str| {
                let name = plain_name(name).to_ascii_uppercase();
                ["ARCH", "PLATFORM", "CPU"]
                    .iter()
                    .any(|it| name.contains(it))
            };
            let mut words = 0;
            let known = expression.atoms.iter().all(|atom| match &atom.kind {
                AtomKind::Literal(text) => {
                    words += usize::from(word_in(text).is_some());
                    true
                }
                AtomKind::Variable(name) => platform(name),
                AtomKind::Computed(_) => false,
            });
            known && words == 1
        }
        _ => false,
    }
}

/// Where the word `latest` begins among the words of a tag.
fn word_in(text: &str) -> Option<usize> {
    let mut at = 0;
    for word in text.split(['-', '_', '.']) {
        if word == LATEST {
            return Some(at);
        }
        at += word.len() + 1;
    }
    None
}

/// The place of what moves: the tag, or the word `latest` in it.
fn moved_site(tag: &TagValue) -> Option<Site> {
    let word = |site: Option<Site>, text: &str| {
        let at = word_in(text)?;
        Some(site?.slice(at, at + LATEST.len()))
    };
    match &tag.kind {
        TagKind::Literal(text) if &**text != LATEST => word(tag.site, text),
        TagKind::Variable(expression) => {
            expression.atoms.iter().find_map(|atom| match &atom.kind {
                AtomKind::Literal(text) => word(atom.site, text),
                _ => None,
            })
        }
        _ => tag.site,
    }
}

/// Whether parts of `latest` are pushed that nothing here puts together or deploys.
pub(crate) fn has_loose_parts(places: &[Tagged<'_>]) -> bool {
    let mut parts = places.iter().filter(|(_, tag)| is_part(tag)).peekable();
    parts.peek().is_some()
        && !parts.any(|(place, _)| !pushes(place.image.role) && place.image.role != Role::Build)
}

/// The change that writes `tag` at `site`.
///
/// # Errors
/// Nothing would expand it there; the reason.
pub(crate) fn write(
    file: &FileFacts,
    site: Site,
    tag: &str,
    implicit: bool,
) -> Result<Change, Refusal> {
    let colon = if implicit { ":" } else { "" };
    let mut range = site.range;
    let mut words = WordEffect::Within;
    let text = match site.expansion {
        Expansion::Shell | Expansion::InnerShell => format!("{colon}{tag}"),
        Expansion::SingleQuoted if site.inside_quotes => {
            return Err(Refusal::new(
                RefusalCode::Quoted,
                "it stands in quotes inside a nested script",
            ));
        }
        Expansion::SingleQuoted => {
            // The quotes are closed around it, or go where they would be empty.
            let text = item_text(file, site.node);
            let text = text.as_deref().unwrap_or_default();
            let before = text.get(..range.start as usize).unwrap_or("");
            let after = text.get(range.end as usize..).unwrap_or("");
            if before
                .rfind('\'')
                .is_some_and(|open| before[..open].ends_with('$'))
            {
                return Err(Refusal::new(RefusalCode::Quoted, "it stands in `$'…'`"));
            }
            let opens = before.ends_with('\'') && colon.is_empty();
            let closes = after.starts_with('\'');
            range = Span::new(
                range.start as usize - usize::from(opens),
                range.end as usize + usize::from(closes),
            );
            let close = if opens { "" } else { "'" };
            let open = if closes { "" } else { "'" };
            format!("{colon}{close}\"{tag}\"{open}")
        }
        Expansion::CopilotManifest => {
            words = WordEffect::NotShell;
            if !is_plain(tag) {
                return Err(Refusal::new(
                    RefusalCode::NotExpanded,
                    "Copilot replaces only plain `${NAME}` in a manifest",
                ));
            }
            format!("{colon}{tag}")
        }
        Expansion::Never(reason) => return Err(refusal::not_expanded(reason)),
    };
    Ok(Change {
        file: file.id,
        node: site.node,
        kind: ChangeKind::Replace { range, text, words },
    })
}

/// Whether all variables of the tag are written as `${NAME}`, without an operator.
fn is_plain(tag: &str) -> bool {
    tag.match_indices('$').all(|(at, _)| {
        tag[at + 1..].strip_prefix('{').is_some_and(|rest| {
            let name = plain_name(rest);
            !name.is_empty() && rest[name.len()..].starts_with('}')
        })
    })
}

/// The time at which the place's text is evaluated: for an assigned value, of the assignment.
fn first_order(place: &Place<'_>, value: &TagValue) -> Order {
    let assigned = value
        .site
        .and_then(|site| place.file.assigned_at(site.source));
    assigned.unwrap_or(place.image.order)
}
