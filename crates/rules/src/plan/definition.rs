//! Where a command can be inserted, and how the branch variable gets its value in a file.

use tagwright_flow::FileId;
use tagwright_flow::facts::{BuildspecFacts, CommandList, FileFacts, Order};
use tagwright_syntax::buildspec::{PhaseName, Version};
use tagwright_syntax::yaml::ScalarStyle;
use tagwright_syntax::{SmolStr, Span};

use crate::branch_variable::{self, Value};
use crate::context::Context;
use crate::shell_text::names_in;
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
    /// The first command item that runs after what is inserted, as [`Order::item`] counts.
    fn first_item(&self) -> u32 {
        match self {
            Insertion::Item(list, index) => {
                let items = list.items.0..list.items.1;
                let mut behind = items.skip_while(|item| list.index(*item) < *index);
                behind.next().unwrap_or(list.items.1)
            }
            Insertion::Start(list) => list.items.0,
            Insertion::Nowhere(..) => 0,
        }
    }

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
            Insertion::Nowhere(code, reason) => {
                Err(Refusal::new(*code, *reason).at(file, Span::empty(0), "this file"))
            }
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

/// The buildspec, if a command that sets `variable` can be inserted into it.
fn definable<'a>(file: &'a FileFacts, variable: &str) -> Result<&'a BuildspecFacts, Refusal> {
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
    Ok(spec)
}

/// The change that inserts the definition of the branch variable right after the command item at `order`,
/// which gives it a value that is not an image tag in every build.
pub(crate) fn define_branch_after(
    context: &Context<'_>,
    file: &FileFacts,
    order: Order,
) -> Result<Change, Refusal> {
    let variable = &*context.settings.branch_variable;
    let spec = definable(file, variable)?;
    let place = after(file, order);
    context.may_redefine(file, variable, place.first_item())?;
    let copilot_pipeline = spec.copilot_pipeline.is_some_and(|at| at < order);
    place.insert(file.id, context.derivation(copilot_pipeline))
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
    let spec = definable(file, variable)?;
    let start = insertion(file, order);
    if settings.branch_defined {
        return Ok(Definition {
            change: None,
            place: start,
        });
    }
    let unknown = |message: String| Err(Refusal::new(RefusalCode::BranchUnknown, message));
    let place = match branch_variable::value(context.workspace, file, variable, order)? {
        Value::Set(last) => {
            let exported = file.assigned(variable).any(|a| a.exported);
            if inner && !exported {
                return unknown(format!(
                    "{variable} is set but not exported, so a nested shell would not see it"
                ));
            }
            return Ok(Definition {
                change: None,
                place: after(file, last),
            });
        }
        Value::Unsure(last) if last.item < order.item => after(file, last),
        Value::Unsure(_) => {
            return unknown(format!(
                "{variable} is set and used in the same command, and not in every build to the branch"
            ));
        }
        Value::None => match spec.copilot_pipeline {
            Some(at) if at < order => after(file, at),
            _ => start,
        },
    };
    context.may_redefine(file, variable, place.first_item())?;
    let derivation = context.derivation(spec.copilot_pipeline.is_some_and(|at| at < order));
    Ok(Definition {
        change: Some(place.insert(file.id, derivation)?),
        place,
    })
}

/// The same if `tag` reads the branch variable; a tag made of what CodeBuild sets needs no definition.
pub(super) fn define_for<'a>(
    context: &Context<'_>,
    file: &'a FileFacts,
    order: Order,
    inner: bool,
    tag: &str,
) -> Result<Definition<'a>, Refusal> {
    if reads_branch(context, tag) {
        return define_branch(context, file, order, inner);
    }
    Ok(Definition {
        change: None,
        place: insertion(file, order),
    })
}

/// Whether the tag, as shell text, reads the branch variable.
pub(super) fn reads_branch(context: &Context<'_>, tag: &str) -> bool {
    names_in(tag).any(|name| name == context.settings.branch_variable)
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

/// Right before the item that runs at `order`.
pub(super) fn before(file: &FileFacts, order: Order) -> Insertion<'_> {
    match after(file, order) {
        Insertion::Item(list, next) => Insertion::Item(list, next.saturating_sub(1)),
        other => other,
    }
}

/// Behind the last command of the file.
pub(super) fn at_the_end(file: &FileFacts) -> Insertion<'_> {
    let mut lists = file.buildspec.iter().flat_map(|spec| &spec.lists);
    match lists.rfind(|list| !list.finally) {
        Some(list) if list.items.1 > list.items.0 => after(
            file,
            Order {
                item: list.items.1 - 1,
                command: 0,
            },
        ),
        _ => Insertion::Nowhere(RefusalCode::NoPlace, "the file has no commands"),
    }
}

/// Right after the item that runs at `order`.
fn after(file: &FileFacts, order: Order) -> Insertion<'_> {
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
