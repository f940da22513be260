//! The fix of a fallback to `latest` behind a value that every build with a source has: a build without it stops.

use std::collections::BTreeSet;

use tagwright_flow::expression::{Expansion, Origin, plain_name};
use tagwright_flow::facts::{FileFacts, TagValue};
use tagwright_flow::habits::ItemScript;
use tagwright_syntax::Span;
use tagwright_syntax::shell::Command;

use super::joined::Tagged;
use crate::source_known::{Known, made_of};
use crate::variables::item_text;
use crate::{Applicability, Change, ChangeKind, Fix, Refusal, RefusalCode, WordEffect};

/// What the fix does, for people.
pub(super) const MESSAGE: &str = "stop instead of taking `latest`";

/// The fix, if all `places` have `latest` only as the fallback of such a value; `None` if one of them has not. No command
/// can tell the branch of a build that has not even a commit, so the branch tag is no answer.
pub(super) fn without_source(places: &[Tagged<'_>]) -> Option<Result<Fix, Refusal>> {
    let mut found = Vec::new();
    for (place, tag) in places {
        let Origin::Fallback(name) = &tag.origin else {
            return None;
        };
        let (known, _) = made_of(place.file, name)?;
        found.push((place.file, *tag, &**name, known));
    }
    if found.is_empty() {
        return None;
    }
    let changes: Result<BTreeSet<Change>, Refusal> = found
        .into_iter()
        .map(|(file, tag, name, known)| change(file, tag, name, known))
        .collect();
    Some(changes.map(|changes| Fix {
        message: MESSAGE.to_owned(),
        applicability: Applicability::Unsafe,
        changes: changes.into_iter().collect(),
    }))
}

/// The change of the expansion, whole: its operator is part of how the shell reads the name before it.
fn change(file: &FileFacts, tag: &TagValue, name: &str, known: Known) -> Result<Change, Refusal> {
    let refused = || {
        let message =
            format!("`{name}` does not fall back to the word `latest` where it is expanded");
        let refusal = Refusal::new(RefusalCode::UnsupportedForm, message);
        match tag.site {
            Some(site) => refusal.at(file.id, site.source, "`latest` is written here"),
            None => refusal,
        }
    };
    let site = tag.site.ok_or_else(refused)?;
    if !matches!(site.expansion, Expansion::Shell | Expansion::InnerShell) {
        return Err(refused());
    }
    let text = item_text(file, site.node).ok_or_else(refused)?;
    let range = expansion(&text, site.range, name).ok_or_else(refused)?;
    let scripts = file.scripts();
    let item = scripts.iter().find(|it| it.whole && it.node == site.node);
    if item.is_none_or(|item| runs_apart(item, range)) {
        let message = "the fallback is taken in a shell of its own, and the build would go on";
        let refusal = Refusal::new(RefusalCode::UnsupportedForm, message);
        return Err(refusal.at(file.id, site.source, "taken here"));
    }
    let what = match known {
        Known::Commit => "no commit to tag the image with",
        Known::Build => "no build to tag the image with",
    };
    Ok(Change {
        file: file.id,
        node: site.node,
        kind: ChangeKind::Replace {
            range,
            text: format!("${{{}:?{what}}}", plain_name(name)),
            words: WordEffect::Within,
        },
    })
}

/// The bytes of `${NAME:-latest}`, `:=`, `-` or `=`, around the word.
fn expansion(text: &str, word: Span, name: &str) -> Option<Span> {
    let before = text.get(..word.start as usize)?;
    let after = text.get(word.end as usize..)?;
    let head = [":=", ":-", "=", "-"]
        .iter()
        .find_map(|operator| before.strip_suffix(operator))?;
    let start = head
        .strip_suffix(plain_name(name))?
        .strip_suffix("${")?
        .len();
    after
        .starts_with('}')
        .then(|| Span::new(start, word.end as usize + 1))
}

/// Whether a substitution or a pipeline holds the bytes: only that would stop.
fn runs_apart(item: &ItemScript, range: Span) -> bool {
    let holds = |command: &&Command| {
        let assigned = command.assignments.iter().map(|it| it.span);
        command.span.contains(range) || assigned.into_iter().any(|it| it.contains(range))
    };
    let mut around = item.script.commands.iter().filter(holds);
    around.any(|it| it.context.subshell || it.context.substitution > 0)
}
