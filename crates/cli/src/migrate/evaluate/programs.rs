//! What the small programs print that buildspecs use to make a tag: `echo`, `cut`, `tr`, `sed` and the like. What is
//! not here, or is called in another way, is not known.

use regex::{Captures, Regex};

/// What the program prints, given its arguments and what it reads; `None` where that is not known.
pub(super) fn run(program: &str, arguments: &[String], input: &str) -> Option<String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match program {
        "printf" => printf(&arguments),
        "cat" if arguments.is_empty() => Some(input.to_owned()),
        "xargs" if arguments.is_empty() => {
            let words: Vec<&str> = input.split_whitespace().collect();
            Some(format!("{}\n", words.join(" ")))
        }
        "basename" => match arguments.as_slice() {
            [path] => {
                let path = path.trim_end_matches('/');
                Some(format!("{}\n", path.rsplit('/').next().unwrap_or(path)))
            }
            _ => None,
        },
        "cut" => cut(&arguments, input),
        "head" => head(&arguments, input),
        "tr" => tr(&arguments, input),
        "sed" => sed(&arguments, input),
        "awk" => awk(&arguments, input),
        _ => None,
    }
}

/// Each line changed, the ends of lines kept.
fn by_line(input: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut output = String::with_capacity(input.len());
    for line in input.split_inclusive('\n') {
        let text = line.strip_suffix('\n').unwrap_or(line);
        output.push_str(&change(text)?);
        output.push('\n');
    }
    Some(output)
}

/// `%s` with and without a precision, and the usual escapes.
fn printf(arguments: &[&str]) -> Option<String> {
    let (format, values) = arguments.split_first()?;
    let mut values = values.iter();
    let mut output = String::new();
    loop {
        let before = values.len();
        let mut rest = format.chars();
        while let Some(next) = rest.next() {
            match next {
                '%' => conversion(&mut rest, &mut values, &mut output)?,
                '\\' => output.push(match rest.next()? {
                    'n' => '\n',
                    't' => '\t',
                    '\\' => '\\',
                    '"' => '"',
                    _ => return None,
                }),
                other => output.push(other),
            }
        }
        if values.len() == 0 || values.len() == before {
            return Some(output);
        }
    }
}

fn conversion(
    format: &mut std::str::Chars<'_>,
    values: &mut std::slice::Iter<'_, &str>,
    output: &mut String,
) -> Option<()> {
    let rest = format.as_str();
    let end = rest.find(['s', 'd', '%'])?;
    let (precision, kind) = (&rest[..end], &rest[end..=end]);
    *format = rest[end + 1..].chars();
    match (precision, kind) {
        ("", "%") => output.push('%'),
        ("", _) => output.push_str(values.next().unwrap_or(&"")),
        (_, "s") => {
            let length: usize = precision.strip_prefix('.')?.parse().ok()?;
            let value = values.next().unwrap_or(&"");
            output.extend(value.chars().take(length));
        }
        _ => return None,
    }
    Some(())
}

/// The value of an option that is given as `-c 1-7` or `-c1-7`.
fn option<'a>(arguments: &[&'a str], name: &str) -> Option<&'a str> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if let Some(value) = argument.strip_prefix(name) {
            return if value.is_empty() {
                rest.next().copied()
            } else {
                Some(value)
            };
        }
    }
    None
}

fn cut(arguments: &[&str], input: &str) -> Option<String> {
    let takes = |list: &str| -> Option<Vec<(usize, usize)>> {
        list.split(',')
            .map(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str, absent: usize| {
                    if text.is_empty() {
                        Some(absent)
                    } else {
                        text.parse().ok()
                    }
                };
                Some((number(from, 1)?, number(to, usize::MAX)?))
            })
            .collect()
    };
    let inside = |ranges: &[(usize, usize)], number: usize| {
        ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&number))
    };
    if let Some(list) = option(arguments, "-c").or_else(|| option(arguments, "-b")) {
        let ranges = takes(list)?;
        return by_line(input, |line| {
            let characters = (1..).zip(line.chars());
            Some(
                characters
                    .filter(|(at, _)| inside(&ranges, *at))
                    .map(|(_, c)| c)
                    .collect(),
            )
        });
    }
    let ranges = takes(option(arguments, "-f")?)?;
    let delimiter = option(arguments, "-d").unwrap_or("\t");
    by_line(input, |line| {
        if !line.contains(delimiter) {
            return Some(line.to_owned());
        }
        let fields = (1..).zip(line.split(delimiter));
        let kept: Vec<&str> = fields
            .filter(|(at, _)| inside(&ranges, *at))
            .map(|(_, f)| f)
            .collect();
        Some(kept.join(delimiter))
    })
}

fn head(arguments: &[&str], input: &str) -> Option<String> {
    if let Some(count) = option(arguments, "-c") {
        return Some(input.chars().take(count.parse().ok()?).collect());
    }
    let lines = match arguments {
        ["-1"] => 1,
        _ => option(arguments, "-n")?.parse().ok()?,
    };
    Some(input.split_inclusive('\n').take(lines).collect())
}

/// The characters of a set of `tr`.
fn characters(set: &str) -> Option<Vec<char>> {
    match set {
        "[:upper:]" => return Some(('A'..='Z').collect()),
        "[:lower:]" => return Some(('a'..='z').collect()),
        "[:alnum:]" => return Some(('0'..='9').chain('A'..='Z').chain('a'..='z').collect()),
        _ if set.contains("[:") => return None,
        _ => {}
    }
    let mut listed = Vec::new();
    let mut rest = set.chars().peekable();
    while let Some(next) = rest.next() {
        let from = match next {
            '\\' => match rest.next()? {
                'n' => '\n',
                't' => '\t',
                other => other,
            },
            other => other,
        };
        let mut ahead = rest.clone();
        if ahead.next() == Some('-')
            && let Some(to) = ahead.next()
        {
            listed.extend(from..=to);
            rest = ahead;
        } else {
            listed.push(from);
        }
    }
    Some(listed)
}

fn tr(arguments: &[&str], input: &str) -> Option<String> {
    let flags = arguments
        .first()
        .filter(|first| first.starts_with('-') && first.len() > 1);
    let flags = flags.map_or("", |flags| &flags[1..]);
    if !flags
        .chars()
        .all(|flag| matches!(flag, 'd' | 'c' | 'C' | 's'))
    {
        return None;
    }
    let sets = &arguments[usize::from(!flags.is_empty())..];
    let first = characters(sets.first()?)?;
    let complement = flags.contains(['c', 'C']);
    let position = |c: char| {
        let at = first.iter().position(|known| *known == c);
        if complement {
            at.is_none().then_some(usize::MAX)
        } else {
            at
        }
    };
    if flags.contains('d') {
        return Some(input.chars().filter(|c| position(*c).is_none()).collect());
    }
    let second = match sets.get(1) {
        Some(set) => characters(set)?,
        None => return None,
    };
    let last = *second.last()?;
    let mut output = String::with_capacity(input.len());
    for character in input.chars() {
        match position(character) {
            None => output.push(character),
            Some(at) => {
                let new = second.get(at).copied().unwrap_or(last);
                if !(flags.contains('s') && output.ends_with(new)) {
                    output.push(new);
                }
            }
        }
    }
    Some(output)
}

/// `print` of one field.
fn awk(arguments: &[&str], input: &str) -> Option<String> {
    let (program, options) = arguments.split_last()?;
    let separator = if options.is_empty() {
        None
    } else {
        Some(option(options, "-F")?)
    };
    let field = program.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let field = field
        .strip_prefix("print")?
        .trim()
        .trim_end_matches(';')
        .strip_prefix('$')?;
    if separator.is_some_and(|it| it.chars().count() != 1) {
        return None;
    }
    by_line(input, |line| {
        let fields: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        let at = match field {
            "NF" => fields.len(),
            number => number.parse().ok()?,
        };
        let field = at.checked_sub(1).and_then(|at| fields.get(at));
        Some(field.map_or_else(String::new, |field| (*field).to_owned()))
    })
}

/// Programs that only substitute.
fn sed(arguments: &[&str], input: &str) -> Option<String> {
    let mut extended = false;
    let mut scripts = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "-E" | "-r" => extended = true,
            "-e" => scripts.push(*rest.next()?),
            other if other.starts_with('-') => return None,
            other if scripts.is_empty() => scripts.push(other),
            _ => return None,
        }
    }
    let mut substitutions = Vec::new();
    for script in scripts {
        let mut script = script.trim();
        while !script.is_empty() {
            let (substitution, rest) = Substitution::read(script, extended)?;
            substitutions.push(substitution);
            script = rest.trim_start_matches([';', ' ', '\n']);
        }
    }
    by_line(input, |line| {
        let mut line = line.to_owned();
        for substitution in &substitutions {
            line = substitution.apply(&line);
        }
        Some(line)
    })
}

struct Substitution {
    pattern: Regex,
    replacement: String,
    all: bool,
}

impl Substitution {
    /// The substitution at the start of `script`, and what follows it.
    fn read(script: &str, extended: bool) -> Option<(Self, &str)> {
        let rest = script.strip_prefix('s')?;
        let delimiter = rest.chars().next().filter(|c| !c.is_alphanumeric())?;
        let (pattern, rest) = part(&rest[delimiter.len_utf8()..], delimiter)?;
        let (replacement, rest) = part(rest, delimiter)?;
        let flags = rest.find([';', ' ', '\n']).unwrap_or(rest.len());
        let (flags, rest) = rest.split_at(flags);
        let all = match flags {
            "" => false,
            "g" => true,
            _ => return None,
        };
        let pattern = if extended {
            pattern
        } else {
            as_extended(&pattern)
        };
        if pattern.contains("[:") || pattern.contains("\\n") || !alternatives_differ(&pattern) {
            return None;
        }
        let pattern = Regex::new(&pattern.replace("[^[", "[^\\[")).ok()?;
        Some((
            Self {
                pattern,
                replacement,
                all,
            },
            rest,
        ))
    }

    fn apply(&self, line: &str) -> String {
        let put = |captures: &Captures<'_>| {
            let mut output = String::new();
            let mut rest = self.replacement.chars();
            let group = |index: usize| captures.get(index).map_or("", |found| found.as_str());
            while let Some(next) = rest.next() {
                match next {
                    '&' => output.push_str(group(0)),
                    '\\' => match rest.next() {
                        Some(digit) if digit.is_ascii_digit() => {
                            output.push_str(group(digit.to_digit(10).unwrap_or(0) as usize));
                        }
                        Some(other) => output.push(other),
                        None => {}
                    },
                    other => output.push(other),
                }
            }
            output
        };
        let limit = usize::from(!self.all);
        self.pattern.replacen(line, limit, put).into_owned()
    }
}

/// Whether the library takes the same alternative as sed, which takes the longest: each group with alternatives holds
/// plain texts, none of which begins another.
fn alternatives_differ(pattern: &str) -> bool {
    if !pattern.contains('|') {
        return true;
    }
    let mut outside = String::new();
    let mut rest = pattern;
    while let Some((before, group)) = rest.split_once('(') {
        outside.push_str(before);
        let Some((group, after)) = group.split_once(')') else {
            return false;
        };
        let plain = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c))
        };
        let texts: Vec<&str> = group.split('|').collect();
        let begins = |text: &&str| {
            texts
                .iter()
                .filter(|other| other.starts_with(*text))
                .count()
                > 1
        };
        if texts.len() > 1 && (!texts.iter().all(|text| plain(text)) || texts.iter().any(begins)) {
            return false;
        }
        rest = after;
    }
    outside.push_str(rest);
    !outside.contains('|')
}

/// The text up to the delimiter, in which an escaped delimiter stands for itself, and what follows.
fn part(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut rest = text.char_indices();
    while let Some((at, next)) = rest.next() {
        if next == delimiter {
            return Some((found, &text[at + next.len_utf8()..]));
        }
        if next == '\\' {
            let (_, escaped) = rest.next()?;
            if escaped != delimiter {
                found.push('\\');
            }
            found.push(escaped);
            continue;
        }
        found.push(next);
    }
    None
}

/// A basic regular expression as an extended one.
fn as_extended(pattern: &str) -> String {
    let mut extended = String::new();
    let mut rest = pattern.chars();
    let mut in_set = false;
    while let Some(next) = rest.next() {
        match next {
            '\\' if !in_set => match rest.next() {
                Some(sign @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) => extended.push(sign),
                Some(other) => extended.extend(['\\', other]),
                None => {}
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' if !in_set => extended.extend(['\\', next]),
            '[' => {
                in_set = true;
                extended.push(next);
            }
            ']' => {
                in_set = false;
                extended.push(next);
            }
            other => extended.push(other),
        }
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str], input: &str) -> Option<String> {
        let arguments: Vec<String> = line[1..].iter().map(|it| (*it).to_owned()).collect();
        run(line[0], &arguments, input)
    }

    #[test]
    fn programs_print_what_they_print_in_a_build() {
        for (line, input, expected) in [
            (&["cut", "-c", "1-7"][..], "0123456789\n", "0123456\n"),
            (&["cut", "-c1-7"], "0123456789\n", "0123456\n"),
            (&["cut", "-d", "/", "-f", "3-"], "refs/heads/a/b\n", "a/b\n"),
            (&["cut", "-d:", "-f2"], "shop:1\n", "1\n"),
            (&["head", "-c", "3"], "abcdef\n", "abc"),
            (&["tr", "/", "-"], "a/b/c\n", "a-b-c\n"),
            (&["tr", "[:upper:]", "[:lower:]"], "Ab\n", "ab\n"),
            (&["tr", "-c", "a-z", "-"], "a b\n", "a-b-"),
            (&["tr", "-cs", "a-z\\n", "-"], "a  b\n", "a-b\n"),
            (&["tr", "-d", "a-c"], "abcd\n", "d\n"),
            (&["sed", "s/\\//-/g"], "a/b/c\n", "a-b-c\n"),
            (&["sed", "s,^refs/heads/,,"], "refs/heads/x\n", "x\n"),
            (
                &["sed", "-E", "s,^refs/(heads|tags)/,,;s/x/y/"],
                "refs/tags/x\n",
                "y\n",
            ),
            (&["sed", "s/\\(a\\)b/\\1-&/"], "ab\n", "a-ab\n"),
            (&["sed", "-e", "s/[^[:alnum:]]/-/g"], "", ""),
            (&["awk", "-F/", "{print $NF}"], "a/b/c\n", "c\n"),
            (&["awk", "-F", "/", "{ print $2 }"], "a/b/c\n", "b\n"),
            (&["printf", "%s-%.3s\\n", "a", "bcdef"], "", "a-bcd\n"),
            (&["printf", "%s\\n", "a", "b"], "", "a\nb\n"),
            (&["basename", "a/b/"], "", "b\n"),
        ] {
            if line.contains(&"s/[^[:alnum:]]/-/g") {
                assert_eq!(said(line, input), None);
                continue;
            }
            assert_eq!(said(line, input).as_deref(), Some(expected), "{line:?}");
        }
        for line in [
            &["sed", "-n", "s/a/b/p"][..],
            &["sed", "-E", "s/a|ab/x/"],
            &["sed", "/x/d"],
            &["cut", "-f", "x"],
            &["date", "+%s"],
        ] {
            assert_eq!(said(line, "a\n"), None, "{line:?}");
        }
    }
}
