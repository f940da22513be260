//! Where a command can be inserted, and how the branch variable gets its value in a file.

use tagwright_flow::FileId;
use tagwright_flow::facts::{AssignmentPlace, CommandList, FileFacts, Order};
use tagwright_syntax::buildspec::{PhaseName, Version};
use tagwright_syntax::yaml::ScalarStyle;
use tagwright_syntax::{SmolStr, Span};

use crate::context::Context;
use crate::{Change, ChangeKind, Refusal, RefusalCode, WordEffect};

/// Where a command can be inserted.
#[derive(Clone, Copy)]
pub(crate) enum Insertion<'a> {
    /// Before this 0-based index of the list.
    Item(&'a CommandList, u32),
    /// At the start of the `|` block that stands in place of a list.
    Start(&'a CommandList),
    /// Nowhere; the reason.
    Nowhere(RefusalCode, &'static str),
}

impl Insertion<'_> {
    pub(crate) fn insert(
        &self,
        file: FileId,
        value: impl Into<SmolStr>,
    ) -> Result<Change, Refusal> {
        let value = value.into();
        match self {
            Insertion::Item(list, index) => Ok(Change {
                file,
                node: list.node,
                kind: ChangeKind::InsertItem {
                    index: *index,
                    value,
                },
            }),
            Insertion::Start(list) => {
                let mut value = String::from(value);
                if !value.ends_with('\n') {
                    value.push('\n');
                }
                Ok(Change {
                    file,
                    node: list.node,
                    kind: ChangeKind::Replace {
                        range: Span::empty(0),
                        text: value,
                        words: WordEffect::Commands,
                    },
                })
            }
            Insertion::Nowhere(code, reason) => Err(Refusal::new(*code, *reason)),
        }
    }
}

/// How the branch variable gets its value in a file.
pub(crate) struct Definition<'a> {
    /// The command to insert, if the file has none.
    pub(crate) change: Option<Change>,
    /// Where further commands go that use it.
    pub(crate) place: Insertion<'a>,
}

/// Makes sure that the branch variable is defined in the buildspec before `order`; `inner` if a nested
/// shell reads it, so that it has to be exported.
pub(crate) fn define_branch<'a>(
    context: &Context<'_>,
    file: &'a FileFacts,
    order: Order,
    inner: bool,
) -> Result<Definition<'a>, Refusal> {
    let settings = context.settings;
    let variable = &*settings.branch_variable;
    let spec = file.buildspec.as_ref().ok_or_else(|| {
        let message = format!("{} has no commands that could set {variable}", file.path);
        Refusal::new(RefusalCode::BranchUnknown, message)
    })?;
    if spec.version == Version::V0_1 {
        return Err(Refusal::new(
            RefusalCode::BranchUnknown,
            "in version 0.1 every command runs in a shell of its own, so a variable set by one does not reach the next",
        ));
    }
    if let Some(template) = spec.template {
        let message = format!(
            "{} is {template}, whose own language may read `${{…}}`",
            file.path
        );
        return Err(Refusal::new(RefusalCode::Template, message));
    }
    if file.error.is_some() {
        let message = format!("{} cannot be read to its end", file.path);
        return Err(Refusal::new(RefusalCode::Unreadable, message));
    }
    let start = insertion(file, order);
    if settings.branch_defined {
        return Ok(Definition {
            change: None,
            place: start,
        });
    }
    let mut defined = file
        .assigned(variable)
        .filter(|a| !a.subshell && a.order <= order)
        .filter(|a| a.place != AssignmentPlace::Loop)
        .peekable();
    if defined.peek().is_some() {
        let exported = file.assigned(variable).any(|a| a.exported);
        if inner && !exported {
            let message =
                format!("{variable} is set but not exported, so a nested shell would not see it");
            return Err(Refusal::new(RefusalCode::BranchUnknown, message));
        }
        let last = defined.map(|a| a.order).max().unwrap_or(order);
        return Ok(Definition {
            change: None,
            place: if last.item == 0 {
                start
            } else {
                after(file, last)
            },
        });
    }
    let place = match spec.copilot_pipeline {
        Some(at) if at < order => after(file, at),
        _ => start,
    };
    let derivation = context.derivation(spec.copilot_pipeline.is_some_and(|at| at < order));
    Ok(Definition {
        change: Some(place.insert(file.id, derivation)?),
        place,
    })
}

/// The top of the earliest list that runs before `order`.
fn insertion(file: &FileFacts, order: Order) -> Insertion<'_> {
    let Some(spec) = &file.buildspec else {
        return Insertion::Nowhere(RefusalCode::NoPlace, "the file has no commands");
    };
    if spec.inline {
        return Insertion::Nowhere(
            RefusalCode::InsideAnotherFile,
            "the buildspec stands inside another file, where tagwright inserts nothing",
        );
    }
    let holds = |list: &&CommandList| list.items.0 <= order.item && order.item < list.items.1;
    let used = spec.lists.iter().find(holds);
    let in_install = used.is_some_and(|list| list.phase == PhaseName::Install);
    let pre_build = spec
        .lists
        .iter()
        .find(|list| !in_install && list.phase == PhaseName::PreBuild && !list.finally);
    for list in pre_build.into_iter().chain(used) {
        if list.is_list && !list.flow {
            return Insertion::Item(list, 0);
        }
        if !list.is_list && list.style == Some(ScalarStyle::Literal) {
            return Insertion::Start(list);
        }
    }
    Insertion::Nowhere(
        RefusalCode::NoPlace,
        "the commands are not written as a list with dashes, so there is no place for the command that sets the variable",
    )
}

/// Right after the item that runs at `order`.
pub(crate) fn after(file: &FileFacts, order: Order) -> Insertion<'_> {
    let Some(spec) = &file.buildspec else {
        return Insertion::Nowhere(RefusalCode::NoPlace, "the file has no commands");
    };
    if spec.inline {
        return Insertion::Nowhere(
            RefusalCode::InsideAnotherFile,
            "the buildspec stands inside another file, where tagwright inserts nothing",
        );
    }
    let list = spec
        .lists
        .iter()
        .find(|list| list.items.0 <= order.item && order.item < list.items.1);
    match list {
        Some(list) if list.is_list && !list.flow => {
            Insertion::Item(list, list.index(order.item) + 1)
        }
        _ => Insertion::Nowhere(
            RefusalCode::NoPlace,
            "the commands are not written as a list with dashes",
        ),
    }
}
