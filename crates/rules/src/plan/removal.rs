//! Which bytes of a script go with commands that go: their lines, or the command and what joins it to its neighbour.
//!
//! What stays runs under the circumstances under which it ran: a command goes only together with the end of a line, a
//! `;` or an `&&`, and the rest has to be whole when it is read again.

use std::collections::BTreeSet;
use std::ops::Range;

use tagwright_syntax::Span;
use tagwright_syntax::shell::{self, Command, RedirectKind, Script, Status};

/// What goes out of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// All of it: nothing but blanks and comments would be left.
    Whole,
    /// These bytes, ascending and apart.
    Parts(Vec<Span>),
}

/// The bytes that go with the commands whose indices in the script are in `gone`; `None` if that cannot be done without
/// changing when another one runs.
pub(super) fn of_commands(text: &str, script: &Script, gone: &BTreeSet<usize>) -> Option<Removal> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in gone {
        let own = cover(text, script.commands.get(*index)?)?;
        match runs.last_mut() {
            Some(last) if own.start < last.end => last.end = last.end.max(own.end),
            Some(last) if joins(text, script, last.end..own.start) => last.end = own.end,
            _ => runs.push(own),
        }
    }
    let mut parts = Vec::new();
    for run in &runs {
        match part(text, run)? {
            Removal::Whole => return Some(Removal::Whole),
            Removal::Parts(spans) => parts.extend(spans),
        }
    }
    for part in &mut parts {
        *part = with_comment_above(text, script, *part);
    }
    let mut left = String::new();
    let mut at = 0;
    for part in &parts {
        left.push_str(text.get(at..part.start as usize)?);
        at = part.end as usize;
    }
    left.push_str(text.get(at..)?);
    let after = shell::parse(&left);
    let inside = |command: &&Command| {
        let span = command.span.range();
        parts
            .iter()
            .any(|part| part.start as usize <= span.start && span.end <= part.end as usize)
    };
    let removed = script.commands.iter().filter(inside).count();
    // What is left of a compound command is no whole one.
    let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if left.lines().all(is_empty) {
        return Some(Removal::Whole);
    }
    let whole =
        after.status == Status::Clean && after.commands.len() + removed == script.commands.len();
    whole.then_some(Removal::Parts(parts))
}

/// The bytes of a command with its redirections. `None` if it has a here-document, or runs with others in a pipeline or
/// a substitution.
fn cover(text: &str, command: &Command) -> Option<Range<usize>> {
    let context = &command.context;
    if context.pipe_length > 1 || context.substitution > 0 {
        return None;
    }
    let mut end = command.span.end as usize;
    for redirect in &command.redirects {
        if redirect.kind == RedirectKind::HereDocument || redirect.here_document.is_some() {
            return None;
        }
        let target = redirect.target.as_ref();
        end = end.max(target.map_or(0, |it| it.span.end as usize));
    }
    let rest = text.get(end..)?;
    let trimmed = rest.trim_start_matches([' ', '\t']);
    if trimmed.starts_with("2>&1") {
        end += rest.len() - trimmed.len() + "2>&1".len();
    }
    Some(command.span.start as usize..end)
}

/// Whether two commands that both go stand side by side, with nothing between them but what goes as well.
fn joins(text: &str, script: &Script, between: Range<usize>) -> bool {
    let mut gap = text.get(between.clone()).unwrap_or("x").to_owned();
    let comments = script.comments.iter().rev();
    for comment in
        comments.filter(|it| between.start <= it.start as usize && it.end as usize <= between.end)
    {
        // A comment on a line of its own stays, so that each command goes by itself.
        let start = comment.start as usize - between.start;
        if gap[..start]
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim().is_empty() && gap[..start].contains('\n'))
        {
            return false;
        }
        gap.replace_range(start..comment.end as usize - between.start, "");
    }
    gap.replace("&&", "")
        .replace("||", "")
        .replace("\\\n", "")
        .chars()
        .all(|it| matches!(it, ' ' | '\t' | '\n' | ';'))
}

/// What stands before a command.
enum Before {
    /// The start of its line, at this byte.
    Line(usize),
    /// `;` or `&&`, which begins at this byte, the blanks before it included.
    Joined(usize),
    Other,
}

/// What stands behind a command.
enum Behind {
    /// The end of its line; the next one starts at this byte.
    Line(usize),
    /// `;` or `&&`; the next command starts at this byte.
    Joined(usize),
    Other,
}

fn part(text: &str, run: &Range<usize>) -> Option<Removal> {
    let span = match (before(text, run.start), behind(text, run.end)) {
        (Before::Line(0), Behind::Line(next)) if next == text.len() => return Some(Removal::Whole),
        (Before::Line(start), Behind::Line(next)) => {
            // The last line, without a line break of its own: the one before goes with it.
            let open = next == text.len() && !text.ends_with('\n');
            Span::new(start - usize::from(open && start > 0), next)
        }
        (_, Behind::Joined(next)) => Span::new(run.start, next),
        // A test without what it decides about says nothing.
        (Before::Joined(start), Behind::Line(_)) if text[..start].ends_with(']') => return None,
        (Before::Joined(start), Behind::Line(_)) => Span::new(start, run.end),
        _ => return None,
    };
    Some(Removal::Parts(vec![span]))
}

fn before(text: &str, at: usize) -> Before {
    let mut before = &text[..at];
    loop {
        before = before.trim_end_matches([' ', '\t']);
        match before.strip_suffix("\\\n") {
            Some(rest) => before = rest,
            None => break,
        }
    }
    if before.is_empty() {
        return Before::Line(0);
    }
    let joined = |text: &str, sign: &str| text[..text.len() - sign.len()].trim_end().len();
    if before.ends_with('\n') {
        let above = before.trim_end();
        return if above.ends_with("&&") {
            Before::Joined(joined(above, "&&"))
        } else if above.ends_with('|') {
            Before::Other
        } else {
            Before::Line(before.len())
        };
    }
    if before.ends_with("&&") {
        Before::Joined(joined(before, "&&"))
    } else if before.ends_with(';') && !before.ends_with(";;") {
        Before::Joined(joined(before, ";"))
    } else {
        Before::Other
    }
}

fn behind(text: &str, at: usize) -> Behind {
    let blanks = |at: usize| {
        let mut at = at;
        loop {
            let rest = &text[at..];
            if rest.starts_with([' ', '\t']) {
                at += 1;
            } else if rest.starts_with("\\\n") {
                at += 2;
            } else {
                return at;
            }
        }
    };
    let line = |at: usize| {
        let rest = &text[at..];
        let ends = rest.is_empty() || rest.starts_with(['\n', '#']);
        ends.then(|| rest.find('\n').map_or(text.len(), |it| at + it + 1))
    };
    let at = blanks(at);
    if let Some(next) = line(at) {
        return Behind::Line(next);
    }
    let rest = &text[at..];
    if rest.starts_with("&&") {
        let mut next = blanks(at + 2);
        while text[next..].starts_with('\n') {
            next = blanks(next + 1);
        }
        return Behind::Joined(next);
    }
    if rest.starts_with(';') && !rest.starts_with(";;") {
        let next = blanks(at + 1);
        return line(next).map_or(Behind::Joined(next), Behind::Line);
    }
    Behind::Other
}

/// With the line above it, if that is a comment about what goes and `part` are whole lines.
fn with_comment_above(text: &str, script: &Script, part: Span) -> Span {
    let start = part.start as usize;
    let Some(above) = text[..start].strip_suffix('\n') else {
        return part;
    };
    let first = above.rfind('\n').map_or(0, |it| it + 1);
    let comment = above[first..].trim_start_matches([' ', '\t']);
    let from = above.len() - comment.len();
    let known = script.comments.iter().any(|it| it.start as usize == from);
    let longer = text[..first].lines().next_back();
    let block = longer.is_some_and(|it| it.trim_start().starts_with('#'));
    if known && !block && is_about_the_alias(comment) {
        Span::new(first, part.end as usize)
    } else {
        part
    }
}

/// Whether a comment above a command that goes would say something untrue without it: it names `latest` and nothing
/// beside that.
pub(super) fn is_about_the_alias(comment: &str) -> bool {
    let words = comment
        .split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'))
        .map(str::to_ascii_lowercase);
    let others = ["and", "both", "tags", "images", "commit", "tagwright"];
    let mut latest = false;
    for word in words {
        latest |= word == "latest";
        if others.contains(&&*word) {
            return false;
        }
    }
    latest && !comment.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without the commands that hold `latest`; `None` if that cannot be.
    fn without(text: &str) -> Option<String> {
        let script = shell::parse(text);
        let gone = script.commands.iter().enumerate();
        let gone = gone.filter(|(_, it)| it.span.of(text).contains("latest"));
        match of_commands(text, &script, &gone.map(|(index, _)| index).collect())? {
            Removal::Whole => Some(String::new()),
            Removal::Parts(parts) => {
                let mut left = text.to_owned();
                for part in parts.iter().rev() {
                    left.replace_range(part.range(), "");
                }
                Some(left)
            }
        }
    }

    #[test]
    fn a_command_goes_with_what_joins_it() {
        for (before, after) in [
            ("push a:latest", ""),
            ("push a:latest\n", ""),
            ("push a:latest && push a:$T", "push a:$T"),
            ("push a:$T && push a:latest", "push a:$T"),
            ("push a:$T; push a:latest; ls", "push a:$T; ls"),
            ("push a:$T; push a:latest;", "push a:$T;"),
            ("x && push a:latest && y", "x && y"),
            ("tag a:latest && push a:latest && y", "y"),
            ("x\npush a:latest\ny\n", "x\ny\n"),
            ("x\npush a:latest # alias\ny\n", "x\ny\n"),
            ("x\n  push a:latest\n", "x\n"),
            ("x\npush a:latest", "x"),
            ("x\n# push latest\npush a:latest\ny\n", "x\ny\n"),
            (
                "x\n# push both tags, latest too\npush a:latest\ny\n",
                "x\n# push both tags, latest too\ny\n",
            ),
            ("x &&\n  push a:latest\ny\n", "x\ny\n"),
            ("push a:latest \\\n  && push a:$T\n", "push a:$T\n"),
            ("push \\\n  a:latest\ny\n", "y\n"),
            ("push a:latest > /dev/null 2>&1\ny\n", "y\n"),
            (
                "if x; then\n  push a:latest\n  push a:$T\nfi\n",
                "if x; then\n  push a:$T\nfi\n",
            ),
            ("if x; then push a:latest; y; fi", "if x; then y; fi"),
        ] {
            assert_eq!(without(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_would_run_otherwise_stays() {
        for text in [
            "push a:latest || y",
            "x || push a:latest",
            "x | push a:latest",
            "push a:latest | tee log",
            "if x; then push a:latest; fi",
            "if x; then\n  push a:latest\nfi\ny\n",
            "for t in 1 2; do push a:latest; done",
            "for t in 1 2; do\n  tag a:latest\n  push a:latest\ndone",
            "x=$(push a:latest); y",
            "(push a:latest)",
            "[ -n \"$X\" ] && push a:latest",
            "push a:latest & y",
            "cat a:latest <<E\nx\nE\ny\n",
        ] {
            assert_eq!(without(text), None, "{text}");
        }
    }
}
