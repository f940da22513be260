//! What a script gets from the commands that run it: the branch variable, and tags that are written there.

use tagwright_flow::FileId;
use tagwright_flow::expression::{AtomKind, Expression, Origin, Site};
use tagwright_flow::facts::{FileFacts, Order, ScriptRun, TagValue};
use tagwright_flow::mentions::Mention;
use tagwright_syntax::shell::Word;
use tagwright_syntax::{SmolStr, Span};

use super::tag_edits::LATEST;
use crate::context::{Context, Place};
use crate::variables::assignment_at;
use crate::{Refusal, RefusalCode};

/// Scripts that run scripts are followed this far.
const DEEPEST: u32 = 4;

/// Whether the branch variable that a buildspec exports reaches the script in every run of it, and means nothing else
/// there.
///
/// # Errors
/// It does not; the reason.
pub(super) fn may_read_branch(context: &Context<'_>, script: &FileFacts) -> Result<(), Refusal> {
    of_script(context, script, 0)
}

fn of_script(context: &Context<'_>, script: &FileFacts, depth: u32) -> Result<(), Refusal> {
    let variable = &*context.settings.branch_variable;
    if context.workspace.builds_of(script.id).is_empty() || depth > DEEPEST {
        let message = format!("no buildspec here is known to run {}", script.path);
        return Err(Refusal::new(RefusalCode::BranchUnknown, message));
    }
    if let Some(assigned) = script.assignments.iter().find(|it| *it.name == *variable) {
        let message = format!("{} sets {variable} itself", script.path);
        let refusal = Refusal::new(RefusalCode::SharedVariable, message);
        return Err(refusal.at(script.id, assigned.span, format!("{variable} is set here")));
    }
    if let Some(span) = unset(script, variable) {
        let message = format!("{} unsets {variable}", script.path);
        let refusal = Refusal::new(RefusalCode::SharedVariable, message);
        return Err(refusal.at(script.id, span, format!("{variable} is unset here")));
    }
    if script.habits().sets_unknown
        && let Some(path) = context.assigned_in_script(variable)
    {
        let message = format!(
            "{} runs other files in its own shell, and {path} sets {variable}",
            script.path
        );
        return Err(Refusal::new(RefusalCode::SharedVariable, message));
    }
    context.may_redefine(script, variable, 0)?;
    if let Some(mention) = context.other_caller(script.id) {
        return Err(also_run(script, variable, &mention));
    }
    for (caller, _) in context.workspace.runs_of(script.id) {
        if caller.script.is_some() {
            of_script(context, caller, depth + 1)?;
        }
    }
    Ok(())
}

/// Where the script takes the variable away, or one that is not written out.
fn unset(script: &FileFacts, variable: &str) -> Option<Span> {
    let scripts = script.scripts();
    let items = scripts.iter().filter(|item| item.whole);
    let mut commands = items.flat_map(|item| &item.script.commands);
    let command = commands.find(|command| {
        let unsets = command.words.first().is_some_and(|word| {
            word.is("unset") || word.is("export") && command.words.iter().any(|it| it.is("-n"))
        });
        let named = |word: &Word| word.literal().is_none_or(|name| name == variable);
        unsets && command.words.iter().skip(1).any(named)
    });
    command.map(|command| command.span)
}

fn also_run(script: &FileFacts, variable: &str, mention: &Mention) -> Refusal {
    let Mention { path, position, .. } = mention;
    let message = format!(
        "{path}:{} uses {} too, in a way that tagwright does not follow, so {variable} may not be set there",
        position.line, script.path
    );
    let refusal = Refusal::new(RefusalCode::BranchUnknown, message);
    let what = format!("{} is named here", script.path);
    match mention.file {
        Some(file) => refusal.at(file, mention.span, what),
        None => refusal.elsewhere(&**path, (position.line, position.column), what),
    }
}

/// A place in a file that runs a script where the tag is written which the script gets.
pub(super) struct Written<'a> {
    /// The file.
    pub(super) file: &'a FileFacts,
    /// The word `latest`.
    pub(super) site: Site,
    /// How it comes to the script.
    pub(super) origin: Origin,
    /// The variable of that file which holds it, if one does.
    pub(super) variable: Option<SmolStr>,
    /// When it is needed.
    pub(super) order: Order,
}

/// Where the tag is written that the script of the place is given as `name`, by all who run it.
///
/// # Errors
/// For some of them that is not certain.
pub(super) fn written<'a>(
    context: &Context<'a>,
    script: &'a FileFacts,
    name: &str,
) -> Result<Vec<Written<'a>>, Refusal> {
    let mut found = Vec::new();
    collect(context, script, name, 0, &mut found)?;
    Ok(found)
}

fn collect<'a>(
    context: &Context<'a>,
    script: &'a FileFacts,
    name: &str,
    depth: u32,
    found: &mut Vec<Written<'a>>,
) -> Result<(), Refusal> {
    let uncertain = |caller: &FileFacts, run: &ScriptRun| {
        let message = format!(
            "cannot locate the tag that {} passes to {}",
            caller.path, script.path
        );
        Refusal::uncertain(message).at(caller.id, run.span, "run here")
    };
    for (caller, run) in context.workspace.runs_of(script.id) {
        let given = run.environment.iter().find(|(known, _)| known == name);
        for value in given.into_iter().flat_map(|(_, values)| values) {
            let Some((atom, length)) = latest_in(value) else {
                continue;
            };
            match (&atom.origin, atom.site) {
                (Origin::Given(outer), None) if depth < DEEPEST => {
                    collect(context, caller, outer, depth + 1, found)?;
                }
                (origin, Some(site)) => {
                    let site = site.slice(length - LATEST.len(), length);
                    let assigned = assignment_at(caller, site);
                    let variable = match origin {
                        Origin::EnvVariables(name) => Some(name.clone()),
                        _ => assigned.map(|it| it.name.clone()),
                    };
                    found.push(Written {
                        file: caller,
                        site,
                        origin: origin.clone(),
                        variable,
                        order: assigned.map_or(run.order, |it| it.order.min(run.order)),
                    });
                }
                _ => return Err(uncertain(caller, run)),
            }
        }
    }
    Ok(())
}

/// The text that ends the value, and its length, if it is `latest` or ends in that as a tag.
fn latest_in(value: &Expression) -> Option<(&tagwright_flow::expression::Atom, usize)> {
    let atom = value.atoms.last()?;
    let AtomKind::Literal(text) = &atom.kind else {
        return None;
    };
    let tag = text.rsplit(':').next()?;
    (tag == LATEST).then_some((atom, text.len()))
}

/// Where the tag of the place is written, if not there: bytes of the files of those who run the script.
pub(super) fn origins<'a>(
    context: &Context<'a>,
    place: &Place<'a>,
    tag: &TagValue,
) -> Vec<(FileId, Span)> {
    let Origin::Given(name) = &tag.origin else {
        return Vec::new();
    };
    let written = written(context, place.file, name).unwrap_or_default();
    written
        .iter()
        .map(|it| (it.file.id, it.site.source))
        .collect()
}
