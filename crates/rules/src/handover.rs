//! What a build hands to a deployment: the files that its commands write, and the artifacts that take them.

use tagwright_flow::facts::FileFacts;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::shell::{Command, Part, PartKind, RedirectKind, Script, Word};
use tagwright_syntax::yaml::{NodeId, Tree};

/// Stands in the text of a file for a value that is known only when the build runs.
pub(crate) const HOLE: char = '\u{fffc}';

/// A command that writes a file.
pub(crate) struct Write<'s> {
    /// The file, as the command names it.
    pub(crate) target: &'s Word,
    /// Where the target stands, or the script that writes it; bytes of the item's text.
    pub(crate) span: Span,
    /// What it writes, with a [`HOLE`] for each value; `None` if that cannot be read.
    pub(crate) text: Option<String>,
    /// The command that writes it, its 0-based index in the script.
    pub(crate) command: usize,
    /// It adds to the file.
    pub(crate) appends: bool,
}

/// The files that the commands of `script`, which was read from `text`, write by `>` or `tee`.
pub(crate) fn writes<'s>(script: &'s Script, text: &str) -> Vec<Write<'s>> {
    let mut found = Vec::new();
    for (index, command) in script.commands.iter().enumerate() {
        for redirect in &command.redirects {
            if let (RedirectKind::Output, Some(target)) = (redirect.kind, &redirect.target) {
                let before = text.get(..target.span.start as usize).unwrap_or_default();
                found.push(Write {
                    target,
                    span: target.span,
                    text: printed(command),
                    command: index,
                    appends: before.trim_end().ends_with(">>"),
                });
            }
        }
        let source = index.checked_sub(1).map(|it| &script.commands[it]);
        let piped = command.context.pipe_index == 1 && command.context.pipe_length == 2;
        if command.program().as_deref() == Some("tee") {
            let appends = command.words.iter().any(|it| it.is("-a"));
            let files = command.words[1..].iter();
            for target in files.filter(|it| !it.literal_prefix().starts_with('-')) {
                found.push(Write {
                    target,
                    span: target.span,
                    text: source.filter(|_| piped).and_then(printed),
                    command: index,
                    appends,
                });
            }
        }
    }
    found
}

/// What a command prints.
fn printed(command: &Command) -> Option<String> {
    match &*command.program()? {
        "echo" => echo(&command.words[1..]),
        "printf" => printf(&command.words[1..]),
        "cat" if command.words.len() == 1 => {
            let body = command
                .redirects
                .iter()
                .find_map(|it| it.here_document.as_ref())?;
            Some(expanded(&body.parts))
        }
        "jq" => jq(&command.words[1..]),
        _ => None,
    }
}

fn expanded(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match &part.kind {
            PartKind::Literal(literal) => text.push_str(literal),
            _ => text.push(HOLE),
        }
    }
    text
}

fn echo(words: &[Word]) -> Option<String> {
    let flags = words
        .iter()
        .take_while(|it| it.is("-n") || it.is("-e") || it.is("-E") || it.is("-ne"));
    let words = &words[flags.count()..];
    let texts: Vec<String> = words.iter().map(|it| expanded(&it.parts)).collect();
    let text = texts.join(" ");
    // Of what a backslash makes, shells agree only where it is none of theirs.
    let odd = text
        .match_indices('\\')
        .any(|(at, _)| !text[at + 1..].starts_with('"'));
    (!odd).then_some(text)
}

/// What `jq -n '{key: …}'` prints, with a hole for each value: of any other filter only jq knows it.
fn jq(words: &[Word]) -> Option<String> {
    let makes = |word: &Word| {
        let flags = word.literal_prefix();
        flags == "--null-input"
            || flags.starts_with('-') && !flags.starts_with("--") && flags.contains('n')
    };
    if !words.iter().any(makes) {
        return None;
    }
    let mut filters = words.iter().filter_map(Word::literal);
    let filter = filters.find(|it| it.starts_with('{'))?;
    let inside = filter.trim_end().strip_prefix('{')?.strip_suffix('}')?;
    if inside.contains(['{', '}', '[', ']', '(', ')', '|', '\\']) {
        return None;
    }
    let mut object = serde_json::Map::new();
    for entry in inside.split(',') {
        let key = entry.split(':').next()?.trim().trim_matches('"');
        object.insert(
            key.trim_start_matches('$').to_owned(),
            HOLE.to_string().into(),
        );
    }
    serde_json::to_string(&object).ok()
}

fn printf(words: &[Word]) -> Option<String> {
    let (format, arguments) = words.split_first()?;
    let mut arguments = arguments.iter();
    let mut text = String::new();
    let format = expanded(&format.parts);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next()? {
                '%' => text.push('%'),
                's' => text.push_str(&expanded(&arguments.next()?.parts)),
                _ => return None,
            },
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                c @ ('"' | '\\') => text.push(c),
                _ => return None,
            },
            c => text.push(c),
        }
    }
    // With more arguments than the format takes, it is used again.
    arguments.next().is_none().then_some(text)
}

/// The file that a word or a path names, without its folder; of a word with expansions the text behind the last.
pub(crate) fn file_name(word: &Word) -> Option<String> {
    let text = expanded(&word.parts);
    let name = text.rsplit('/').next()?;
    (!name.contains(HOLE)).then(|| name.to_owned())
}

/// Why a text is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotJson {
    /// It depends on values whether it is.
    Unknown,
    /// The shell has taken the quotes.
    NoQuotes,
    /// It has single quotes.
    SingleQuotes,
    /// Anything else.
    Other,
}

/// The JSON of a text that a command writes; strings keep their [`HOLE`]s.
pub(crate) fn json(text: &str) -> Result<serde_json::Value, NotJson> {
    let text = text.trim();
    if !text.starts_with(['[', '{']) {
        return Err(NotJson::Unknown);
    }
    if !text.contains('"') {
        if let Ok(value) = serde_json::from_str(text) {
            return Ok(value);
        }
        let inner = text.trim_start_matches(|c: char| matches!(c, '[' | '{') || c.is_whitespace());
        let key = inner.split(':').next().unwrap_or_default();
        let bare = key.trim().trim_matches('\'');
        let is_key = !bare.is_empty() && bare.bytes().all(|it| it.is_ascii_alphanumeric());
        return Err(match (inner.contains(':') && is_key, key.contains('\'')) {
            (false, _) => NotJson::Unknown,
            (true, true) => NotJson::SingleQuotes,
            (true, false) => NotJson::NoQuotes,
        });
    }
    let mut inside = false;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            HOLE if !inside => return Err(NotJson::Unknown),
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    serde_json::from_str(text).map_err(|_| NotJson::Other)
}

/// One artifact of a buildspec: a list of files and where it is taken from.
pub(crate) struct Artifact {
    /// The identifier of a secondary artifact; `None` for the primary one.
    pub(crate) id: Option<String>,
    /// Its `base-directory`; empty if it has none.
    pub(crate) base: String,
    /// Its `files`, with the scalar of each.
    pub(crate) files: Vec<(String, NodeId)>,
}

/// The artifacts of a buildspec; `None` if its section cannot be read.
pub(crate) fn artifacts(tree: &Tree, spec: &Buildspec) -> Option<Vec<Artifact>> {
    let section = spec.artifacts.as_ref()?.node;
    let mut found = vec![artifact(tree, section, None)];
    if let Some(secondary) = tree.get(section, "secondary-artifacts") {
        for entry in &tree.mapping(secondary)?.entries {
            let id = tree.text(entry.key)?.to_owned();
            found.push(artifact(tree, entry.value, Some(id)));
        }
    }
    Some(found)
}

fn artifact(tree: &Tree, node: NodeId, id: Option<String>) -> Artifact {
    let base = tree
        .get(node, "base-directory")
        .and_then(|it| tree.text(it));
    let files = tree.get(node, "files");
    let items = files.map_or_else(Vec::new, |files| match tree.sequence(files) {
        Some(list) => list.items.clone(),
        None => vec![files],
    });
    let files = items
        .into_iter()
        .filter_map(|it| Some((tree.text(it)?.to_owned(), it)));
    Artifact {
        id,
        base: base.unwrap_or_default().to_owned(),
        files: files.collect(),
    }
}

/// Whether one of the artifact's patterns may take a file of this name, wherever that is.
pub(crate) fn may_take(artifact: &Artifact, name: &str) -> bool {
    artifact.files.iter().any(|(pattern, _)| {
        let last = pattern.rsplit('/').next().unwrap_or(pattern);
        pattern.contains('$')
            || matches!(last, "" | ".")
            || crate::pipeline::artifact_not_listed::is_match(last, name)
    })
}

/// The artifact that a build hands to a pipeline under this name, if that is certain: the only one is the primary
/// one, of several each is the secondary one of its name. With what it is called and where the section stands.
pub(crate) fn handed_on(
    file: &FileFacts,
    outputs: &[Box<str>],
    name: &str,
) -> Option<(Artifact, String, Span)> {
    let facts = file.buildspec.as_ref()?;
    if facts.inline || facts.template.is_some() || file.error.is_some() {
        return None;
    }
    let tree = file.tree();
    let spec = Buildspec::read(&tree, tree.root()?)?;
    let section = tree.node(spec.artifacts.as_ref()?.node).span;
    let mut all = artifacts(&tree, &spec)?.into_iter();
    match outputs {
        [_] => all.next().filter(|it| !it.files.is_empty()),
        _ => all.find(|it| it.id.as_deref() == Some(name)),
    }
    .map(|it| {
        let called = it.id.as_ref().map_or("`artifacts`".to_owned(), |id| {
            format!("the secondary artifact `{id}`")
        });
        (it, called, section)
    })
}

#[cfg(test)]
mod tests {
    use tagwright_syntax::shell;

    use super::*;

    fn text_of(command: &str) -> Option<String> {
        let script = shell::parsed(command);
        writes(&script, command).pop()?.text
    }

    #[test]
    fn what_is_written_is_what_the_shell_gives() {
        let cases = [
            (r#"echo [{"a":"b"}] > f"#, Some("[{a:b}]")),
            (
                r#"echo "[{\"a\":\"$B\"}]" > f"#,
                Some("[{\"a\":\"\u{fffc}\"}]"),
            ),
            (
                r#"printf '[{"a":"%s"}]' "$B" > f"#,
                Some("[{\"a\":\"\u{fffc}\"}]"),
            ),
            (
                r#"printf '[{"a":"%s"}]' x | tee f"#,
                Some("[{\"a\":\"x\"}]"),
            ),
            (r#"printf "[{\\\"a\\\":1}]" > f"#, Some("[{\"a\":1}]")),
            (
                "cat > f <<EOF\n{\"a\":\"$B\"}\nEOF\n",
                Some("{\"a\":\"\u{fffc}\"}\n"),
            ),
            ("printf '%d' 1 > f", None),
            ("printf '%s' a b > f", None),
            (r"echo 'a\nb' > f", None),
            ("jq . a > f", None),
            (
                r#"jq -n --arg i "$B" '{name: "a", imageUri: $i}' > f"#,
                Some("{\"name\":\"\u{fffc}\",\"imageUri\":\"\u{fffc}\"}"),
            ),
            (r#"jq -n --arg i "$B" '[{name: "a"}]' > f"#, None),
            (r#"jq '{name: .a}' a.json > f"#, None),
        ];
        for (command, expected) in cases {
            assert_eq!(text_of(command).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn a_text_is_json_or_it_is_said_why_not() {
        assert!(json("[{\"a\":\"\u{fffc}\"}]").is_ok());
        let cases = [
            ("[{a:b}]", NotJson::NoQuotes),
            ("[{'a':'b'}]", NotJson::SingleQuotes),
            ("[{\"a\":\u{fffc}}]", NotJson::Unknown),
            ("[\u{fffc}]", NotJson::Unknown),
            ("\u{fffc}", NotJson::Unknown),
            ("[{\\\"a\\\":\\\"b\\\"}]", NotJson::Other),
            ("[{\"a\":\"b\"}", NotJson::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text), Err(expected), "{text}");
        }
    }
}
