//! Reading options as the programs do.
//!
//! Two dialects cover all tools of this folder: `pflag` and `getopt` (`--name v`, `--name=v`, `-n v`, `-nv`,
//! clustered shorts), and Go's `flag` as Terraform uses it (`-name v`). A table lists the options that take
//! a value; every other option is taken for a switch.

use super::words::{Slice, View};

/// The options of one command.
pub(super) struct Options {
    /// Those that take a value, with their dashes.
    pub(super) values: &'static [&'static str],
    /// `-name` is one option, not a cluster.
    pub(super) single_dash: bool,
}

impl Options {
    pub(super) const fn new(values: &'static [&'static str]) -> Self {
        Self {
            values,
            single_dash: false,
        }
    }
}

/// One argument.
#[derive(Debug)]
pub(super) enum Argument {
    /// An option, with its dashes, and its value.
    Option(String, Option<Slice>),
    /// The word at this index.
    Positional(usize),
}

/// The arguments of a command.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<Argument>);

impl Arguments {
    /// Reads the words from `from` on.
    pub(super) fn read(view: &View<'_>, from: usize, options: &Options) -> Self {
        Self::read_some(view, from, options, usize::MAX)
    }

    /// Reads until `positionals` positional arguments have been met.
    pub(super) fn read_some(
        view: &View<'_>,
        from: usize,
        options: &Options,
        positionals: usize,
    ) -> Self {
        let mut found = Vec::new();
        let mut met = 0;
        let mut at = from;
        while at < view.len() && met < positionals {
            let shape = view.shape(at);
            let text = &*shape.text;
            if text == "--" {
                found.extend((at + 1..view.len()).map(Argument::Positional));
                break;
            }
            let takes = |name: &str| options.values.contains(&name);
            if text.starts_with("--")
                || (options.single_dash && text.starts_with('-') && text.len() > 1)
            {
                let (name, attached) = match text.find('=') {
                    Some(equals) => (&text[..equals], shape.tail(equals + 1, Some(at))),
                    None => (text, None),
                };
                if attached.is_none() && takes(name) && !text.ends_with('=') {
                    found.push(Argument::Option(name.to_string(), view.whole(at + 1)));
                    at += 2;
                } else {
                    found.push(Argument::Option(name.to_string(), attached));
                    at += 1;
                }
                continue;
            }
            if text.starts_with('-') && text.len() > 1 {
                let mut swallowed = 1;
                for (offset, letter) in text.char_indices().skip(1) {
                    let name = format!("-{letter}");
                    let rest = offset + letter.len_utf8();
                    if !takes(&name) {
                        found.push(Argument::Option(name, None));
                        continue;
                    }
                    let rest = rest + usize::from(text[rest..].starts_with('='));
                    let value = if rest < text.len() {
                        shape.tail(rest, Some(at))
                    } else {
                        swallowed = 2;
                        view.whole(at + 1)
                    };
                    found.push(Argument::Option(name, value));
                    break;
                }
                at += swallowed;
                continue;
            }
            found.push(Argument::Positional(at));
            met += 1;
            at += 1;
        }
        Self(found)
    }

    /// The values of the options with one of `names`, in order.
    pub(super) fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Slice> {
        self.0.iter().filter_map(move |argument| match argument {
            Argument::Option(name, Some(value)) if names.contains(&name.as_str()) => Some(value),
            _ => None,
        })
    }

    /// Whether an option with one of `names` is given and not switched off.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|argument| match argument {
            Argument::Option(name, value) => {
                names.contains(&name.as_str()) && value.as_ref().is_none_or(|v| v.text != "false")
            }
            Argument::Positional(_) => false,
        })
    }

    /// The indexes of the positional words.
    pub(super) fn positionals(&self) -> Vec<usize> {
        self.each_positional().collect()
    }

    /// The index of the first positional word from the `from`th word on.
    pub(super) fn first_positional(
        view: &View<'_>,
        from: usize,
        options: &Options,
    ) -> Option<usize> {
        Self::read_some(view, from, options, 1)
            .each_positional()
            .next()
    }

    fn each_positional(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|argument| match argument {
            Argument::Positional(index) => Some(*index),
            Argument::Option(..) => None,
        })
    }
}
