//! Names of images in any text: where one ends, what its variables stand for, and whether two may be one image.

use std::collections::{BTreeMap, HashSet};

use tagwright_syntax::Span;

/// How often variables are replaced by what they hold.
const DEPTH: usize = 8;
/// So many names are followed that one text stands for in turn.
const MOST_TURNS: usize = 64;
/// Longer names are cut: no registry takes them.
const LONGEST: usize = 400;

/// Registries that hold other people's images. A repository whose name is not known is none of theirs.
const PUBLIC: [&str; 9] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry.gitlab.com",
    "registry.k8s.io",
    "k8s.gcr.io",
];

/// A piece of a name: text, or something that may stand for any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    Text(String),
    /// The variable, if that is all there is to it.
    Open(Option<String>),
}

/// An image's name, as far as a text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pieces: Vec<Piece>,
}

/// The bytes of the name that ends at `end`, quotes around and in it included.
pub(super) fn before(text: &str, end: usize) -> Span {
    let bytes = text.as_bytes();
    let mut at = end;
    let mut quote: Option<u8> = None;
    while at > 0 && end - at < LONGEST {
        let byte = bytes[at - 1];
        match byte {
            b'}' | b')' => match opening(bytes, at - 1) {
                Some(open) => at = open,
                None => break,
            },
            b'"' | b'\'' => {
                let escaped = at > 1 && bytes[at - 2] == b'\\';
                if escaped || (quote.is_none() && at != end && quote_opens(bytes, at - 1)) {
                    break;
                }
                match quote {
                    None => quote = Some(byte),
                    Some(open) if open == byte => quote = None,
                    Some(_) => break,
                }
                at -= 1;
            }
            b':' => {
                // A registry's port.
                let digits = bytes[at..end]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                if digits == 0 || bytes.get(at + digits) != Some(&b'/') {
                    break;
                }
                at -= 1;
            }
            _ if byte.is_ascii_alphanumeric()
                || !byte.is_ascii()
                || b"._-/$@~%#!&".contains(&byte) =>
            {
                at -= 1
            }
            _ => break,
        }
    }
    while !text.is_char_boundary(at) {
        at += 1;
    }
    // A quote that opens before the name belongs to the text around it.
    if quote.is_some() && at < end && matches!(bytes[at], b'"' | b'\'') {
        at += 1;
    }
    Span::new(at, end)
}

/// Whether the quote at `at` opens a text rather than ending one: what stands before it is no part of a name.
fn quote_opens(bytes: &[u8], at: usize) -> bool {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/$})".contains(&byte);
    // The letter of Python's `f"{repo}:latest"` and C#'s `$"{repo}:latest"`.
    let letter = at > 0 && matches!(bytes[at - 1], b'f' | b'F' | b'$');
    let before = if letter { at - 1 } else { at };
    before == 0 || !goes_on(bytes[before - 1])
}

/// Where the bracket that closes at `close` opens, with the sign before it.
fn opening(bytes: &[u8], close: usize) -> Option<usize> {
    let (shut, open) = if bytes[close] == b'}' {
        (b'}', b'{')
    } else {
        (b')', b'(')
    };
    let mut depth = 0;
    for at in (close.saturating_sub(LONGEST)..=close).rev() {
        if bytes[at] == shut {
            depth += 1;
        } else if bytes[at] == open {
            depth -= 1;
            if depth == 0 {
                let signed = at > 0 && matches!(bytes[at - 1], b'$' | b'#' | b'%');
                return match (signed, shut) {
                    (true, _) => Some(at - 1),
                    (false, b'}') => Some(at),
                    _ => None,
                };
            }
        } else if bytes[at] == b'\n' {
            return None;
        }
    }
    None
}

/// The bytes of the key that ends before the sign at `sign`, without quotes.
pub(super) fn key_before(text: &str, sign: usize) -> Option<Span> {
    let head = text[..sign].trim_end_matches([' ', '\t', ':', '?', '+', '|']);
    let head = head.trim_end_matches(['"', '\'', '\\', ']']);
    let start = head
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))
        .map_or(0, |at| {
            at + head[at..].chars().next().map_or(1, char::len_utf8)
        });
    let key = head[start..].trim_start_matches('-');
    let start = head.len() - key.len();
    (!key.is_empty()).then(|| Span::new(start, head.len()))
}

/// The name in `ParameterKey=NAME,ParameterValue=latest` and `name=NAME,value=latest`, before the second key, which starts
/// at `key`.
pub(super) fn parameter_before(text: &str, key: usize) -> Option<&str> {
    let head = text[..key].strip_suffix(',')?;
    let start = head.rfind(|c: char| c.is_whitespace() || c == '=')?;
    head[start..].strip_prefix('=')
}

/// Whether a key's name says that it holds an image's tag.
pub(super) fn is_tag_key(key: &str) -> bool {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in key.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && lower) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        lower = c.is_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.push(word);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&&**word));
    has(&["tag", "tags", "image", "images", "img"])
        || words
            .iter()
            .any(|word| word.len() > 5 && word.ends_with("tag"))
        || has(&["version", "release", "ver"])
            && has(&["app", "container", "docker", "service", "deploy"])
}

impl Name {
    /// Reads a name as it is written in a shell, a template or a program.
    pub(super) fn read(written: &str) -> Self {
        let written = written
            .trim_start_matches("docker://")
            .trim_start_matches("oci://")
            // Of any other scheme, whose colon ends the name.
            .trim_start_matches("//");
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = written;
        // Behind the sign of a replacement (`s/web:.*/web:latest/`) stands the end of a name.
        let part = written.trim_start_matches(['/', '|', ',', '&', '!', '@', '~']);
        if part.len() < written.len() {
            pieces.push(Piece::Open(None));
            rest = part;
        }
        while let Some(first) = rest.chars().next() {
            let (piece, length) = match first {
                '"' | '\'' | '\\' => (None, 1),
                '$' | '#' | '%' | '{' | '<' => open(rest),
                _ => {
                    let end = rest
                        .find(['"', '\'', '\\', '$', '#', '%', '{', '<'])
                        .unwrap_or(rest.len());
                    (Some(Piece::Text(rest[..end].to_owned())), end)
                }
            };
            match (piece, pieces.last_mut()) {
                (Some(Piece::Text(text)), Some(Piece::Text(last))) => last.push_str(&text),
                (Some(piece), _) => pieces.push(piece),
                (None, _) => {}
            }
            rest = &rest[length..];
        }
        Self { pieces }
    }

    /// The name with its variables replaced by what `values` says they hold.
    pub(super) fn resolve(mut self, values: &BTreeMap<String, Vec<String>>) -> Self {
        for _ in 0..DEPTH {
            let mut changed = false;
            let mut pieces: Vec<Piece> = Vec::new();
            for piece in std::mem::take(&mut self.pieces) {
                let held = match &piece {
                    Piece::Open(Some(variable)) => values.get(variable).map(Vec::as_slice),
                    _ => None,
                };
                match held {
                    Some([value]) if !value.is_empty() => {
                        changed = true;
                        pieces.extend(Name::read(value).pieces);
                    }
                    Some([_, _, ..]) => pieces.push(Piece::Open(None)),
                    _ => pieces.push(piece),
                }
            }
            self.pieces = join(pieces);
            let length: usize = self.pieces.iter().map(Piece::len).sum();
            if !changed || length > LONGEST || self.pieces.len() > 32 {
                break;
            }
        }
        self
    }

    /// The names that it stands for in turn, where `turns` says of one of its variables that it has one value after the
    /// other, and which (none if they are not known); none where it has no such variable.
    pub(super) fn in_turn(&self, turns: &dyn Fn(&str) -> Option<Vec<String>>) -> Vec<Self> {
        let mut names = vec![Self::default()];
        let mut varies = false;
        for piece in &self.pieces {
            let values = match piece {
                Piece::Open(Some(variable)) => turns(variable),
                _ => None,
            };
            varies |= values.is_some();
            let values: Vec<Piece> = match values {
                None => vec![piece.clone()],
                Some(values) if values.is_empty() || names.len() * values.len() > MOST_TURNS => {
                    vec![Piece::Open(None)]
                }
                Some(values) => values.into_iter().map(Piece::Text).collect(),
            };
            let with = |name: &Self, value: &Piece| {
                let pieces = name.pieces.iter().chain([value]).cloned().collect();
                let pieces = join(pieces);
                Self { pieces }
            };
            names = names
                .iter()
                .flat_map(|name| values.iter().map(|value| with(name, value)))
                .collect();
        }
        if varies { names } else { Vec::new() }
    }

    /// What stands behind the last slash, if that is text.
    pub(super) fn tail(&self) -> Option<&str> {
        match self.pieces.last() {
            Some(Piece::Text(text)) => match text.rsplit_once('/') {
                Some((_, tail)) => Some(tail),
                None if self.pieces.len() == 1 => Some(text),
                None => None,
            },
            _ => None,
        }
    }

    /// Whether nothing of it is text.
    pub(super) fn is_open(&self) -> bool {
        !self
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(_)))
    }

    fn has_registry(&self) -> bool {
        match self.pieces.first() {
            Some(Piece::Text(text)) => match text.split_once('/') {
                Some((host, _)) => host.contains(['.', ':']) || host == "localhost",
                None => self.pieces.len() > 1 && text.contains('.'),
            },
            Some(Piece::Open(_)) => true,
            None => false,
        }
    }

    fn has_slash(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if text.contains('/')))
    }

    fn is_public(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Text(text))
            if PUBLIC.contains(&text.split('/').next().unwrap_or("")))
    }

    fn pattern(&self) -> Vec<Option<char>> {
        let mut pattern = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => pattern.extend(text.chars().map(Some)),
                Piece::Open(_) => pattern.push(None),
            }
        }
        pattern
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Piece::Text(text) => text.len(),
            Piece::Open(_) => 1,
        }
    }
}

fn join(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (piece, joined.last_mut()) {
            (Piece::Text(text), Some(Piece::Text(last))) => last.push_str(&text),
            (piece, _) => joined.push(piece),
        }
    }
    joined
}

/// The piece that starts with a sign, and its length in bytes.
fn open(rest: &str) -> (Option<Piece>, usize) {
    let after = rest.trim_start_matches(['$', '#', '%']);
    let signs = rest.len() - after.len();
    let variable = |name: &str| {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        Some(Piece::Open(plain.then(|| name.to_owned())))
    };
    for (shut, sign) in [('}', "{"), (')', "("), ('>', "<")] {
        let Some(inner) = after.strip_prefix(sign) else {
            continue;
        };
        if sign == "(" && signs == 0 {
            break;
        }
        let mut depth = 1;
        for (at, c) in inner.char_indices() {
            if sign.starts_with(c) {
                depth += 1;
            } else if c == shut {
                depth -= 1;
                if depth == 0 {
                    let name = inner[..at]
                        .split([':', '-', '#', '%', '/', '=', '?'])
                        .next();
                    return (variable(name.unwrap_or("").trim()), signs + 1 + at + 1);
                }
            }
        }
        return (Some(Piece::Open(None)), rest.len());
    }
    if signs == 0 {
        return (Some(Piece::Text(rest[..1].to_owned())), 1);
    }
    let after = after.strip_prefix("env:").unwrap_or(after);
    let name = after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(after, |end| &after[..end]);
    let length = rest.len() - after.len() + name.len();
    (variable(name), length.max(1))
}

/// Whether `name` may be the image that the workspace calls `own`; no only where the texts say so.
pub(super) fn may_be(own: &Name, name: &Name) -> bool {
    if own == name {
        return true;
    }
    if let (Some(a), Some(b)) = (own.tail(), name.tail())
        && a != b
    {
        return false;
    }
    // An image without a registry is on the build machine, or somebody else's.
    let local = |name: &Name| !name.has_slash() && name.tail().is_some();
    if local(own) || local(name) {
        return false;
    }
    if own.tail().is_none() && (name.is_public() && !own.is_public() || !name.has_registry()) {
        return false;
    }
    meet(&own.pattern(), &name.pattern())
}

/// Whether some text fits both patterns, in which `None` stands for any text.
fn meet(a: &[Option<char>], b: &[Option<char>]) -> bool {
    let mut reach: HashSet<(usize, usize)> = HashSet::new();
    let mut todo = vec![(0, 0)];
    while let Some((i, j)) = todo.pop() {
        if !reach.insert((i, j)) {
            continue;
        }
        match (a.get(i), b.get(j)) {
            (None, None) => return true,
            (Some(None), _) if b.get(j).is_some() => todo.extend([(i + 1, j), (i, j + 1)]),
            (_, Some(None)) if a.get(i).is_some() => todo.extend([(i, j + 1), (i + 1, j)]),
            (Some(None), None) => todo.push((i + 1, j)),
            (None, Some(None)) => todo.push((i, j + 1)),
            (Some(x), Some(y)) if x == y => todo.push((i + 1, j + 1)),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_no_image_name_goes_on() {
        for (text, expected) in [
            ("docker push $REPO:", "$REPO"),
            ("x \"$REPO\":", "\"$REPO\""),
            ("x=\"$REPO:", "$REPO"),
            (
                "(${A}.dkr.ecr.$R.amazonaws.com/web:",
                "${A}.dkr.ecr.$R.amazonaws.com/web",
            ),
            ("img localhost:5000/web:", "localhost:5000/web"),
            (
                "\"${aws_ecr_repository.web[\"a\"].repository_url}:",
                "${aws_ecr_repository.web[\"a\"].repository_url}",
            ),
            ("image: {{ .Values.image }}:", "{{ .Values.image }}"),
            ("$(REG)/web:", "$(REG)/web"),
            ("\\\"$REPO:", "$REPO"),
            ("x = f\"{repo}:", "{repo}"),
            ("x = $\"{repo}:", "{repo}"),
            ("x = [f'{reg}/web:", "{reg}/web"),
        ] {
            assert_eq!(before(text, text.len() - 1).of(text), expected, "{text}");
        }
    }

    #[test]
    fn two_names_are_apart_only_where_the_texts_say_so() {
        let ecr = "1.dkr.ecr.eu.amazonaws.com/web";
        for (own, name, expected) in [
            (ecr, ecr, true),
            (ecr, "${A}.dkr.ecr.${AWS::Region}.amazonaws.com/web", true),
            (ecr, "1.dkr.ecr.eu.amazonaws.com/api", false),
            (ecr, "ghcr.io/me/web", false),
            (ecr, "web", false),
            (ecr, "//1.dkr.ecr.eu.amazonaws.com/web", true),
            (ecr, "/web", true),
            (ecr, "|api", false),
            (ecr, "$IMAGE", true),
            (ecr, "$REG/web", true),
            (ecr, "$REG/api", false),
            ("${REPO}", ecr, true),
            ("${REPO}", "postgres", false),
            ("${REPO}", "bitnami/redis", false),
            ("${REPO}", "gcr.io/kaniko-project/executor", false),
            ("me/web", "me/web", true),
            ("me/web", "you/web", false),
            ("web", "web", true),
            (
                "${REG}/app-${ENV}",
                "1.dkr.ecr.eu.amazonaws.com/app-qa",
                true,
            ),
            (
                "${REG}/app-${ENV}",
                "1.dkr.ecr.eu.amazonaws.com/site-qa",
                false,
            ),
        ] {
            let (one, other) = (Name::read(own), Name::read(name));
            assert_eq!(may_be(&one, &other), expected, "{own} {name}");
        }
    }

    #[test]
    fn variables_are_replaced_by_the_only_value_they_have() {
        let values = BTreeMap::from([
            ("IMAGE".to_owned(), vec!["$REG/web".to_owned()]),
            (
                "REG".to_owned(),
                vec!["1.dkr.ecr.eu.amazonaws.com".to_owned()],
            ),
            ("TWO".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
        ]);
        let read = |text: &str| Name::read(text).resolve(&values);
        assert_eq!(
            read("${IMAGE}"),
            Name::read("1.dkr.ecr.eu.amazonaws.com/web")
        );
        assert!(read("$TWO").is_open());
        assert_eq!(read("$OTHER"), Name::read("${OTHER}"));
    }
}
