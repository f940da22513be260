//! `[environments]` of `tagwright.toml`: branches with their environments.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer,
};
use serde::ser::{Serialize, Serializer};
use tagwright_rules::environments::{BRANCHES, Environment, Environments, Pattern, Target};

use crate::provided;

/// `[environments]` as it is written: patterns of branches with their environments, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<(toml::Spanned<String>, Entry)>);

/// What a branch belongs to.
#[derive(Clone, Debug, JsonSchema, serde::Serialize)]
#[serde(untagged)]
#[schemars(untagged, rename = "BranchTarget")]
pub enum Entry {
    /// The environment of this name.
    Name(String),
    /// The environment and where it is.
    Full(Box<Full>),
}

/// An environment and where it is.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Environment")]
pub struct Full {
    /// The name of the environment. Only `"*"`, for the branches that no other pattern names, has none: each of them has a repository of its own.
    pub environment: Option<String>,
    /// The account in which the environment is, twelve digits, if it has one of its own.
    #[schemars(with = "Option<String>")]
    pub account: Option<toml::Spanned<String>>,
    /// The name of the environment's repository, `{image}` for the image's name: `{image}-` and the environment if absent. For `"*"`, what stands before the branch.
    #[schemars(with = "Option<String>")]
    pub repository: Option<toml::Spanned<String>>,
    /// Variables of the environment's builds, kept in Parameter Store. Not for secrets.
    #[schemars(with = "BTreeMap<String, String>")]
    pub settings: BTreeMap<toml::Spanned<String>, String>,
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = BTreeMap::<toml::Spanned<String>, Entry>::deserialize(deserializer)?;
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|(pattern, _)| pattern.span().start);
        Ok(Self(entries))
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(pattern, entry)| (pattern.get_ref(), entry)),
        )
    }
}

impl JsonSchema for Table {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Environments".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, Entry>::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Entry;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of an environment, or a table")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Entry, E> {
                Ok(Entry::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                let full = Full::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Entry::Full(Box::new(full)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What is wrong, and where: a span of the file.
type Fault = (std::ops::Range<usize>, String);

impl Table {
    /// The environments, if there are any.
    ///
    /// # Errors
    /// The first entry that means nothing.
    pub fn read(&self) -> Result<Option<Environments>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut all = Environments::default();
        for (pattern, entry) in &self.0 {
            let (name, target) = entry.read(pattern)?;
            let at = |message: String| (pattern.span(), message);
            if matches!(&**pattern.get_ref(), "*" | "**") {
                match name {
                    None => all.others = target,
                    Some(_) => {
                        let message = "`*` has no environment: it stands for the branches that nothing else names, each with a repository of its own";
                        return Err(at(message.to_owned()));
                    }
                }
                continue;
            }
            let written = pattern.get_ref();
            let read =
                Pattern::parse(written).map_err(|fault| at(format!("`{written}` {fault}")))?;
            let Some(name) = name else {
                return Err(at(format!("`{written}` needs an `environment`")));
            };
            let taken = all.patterns().find(|(it, _)| it.shell() == read.shell());
            if let Some((other, _)) = taken {
                let message = format!(
                    "`{written}` and `{}` are the same branches for a repository's name",
                    other.glob()
                );
                return Err(at(message));
            }
            match all.named.iter_mut().find(|it| it.name == name) {
                Some(known) => {
                    known.branches.push(read);
                    join(&mut known.target, target).map_err(|key| {
                        at(format!("`{key}` of {name} is already something else"))
                    })?;
                }
                None => all.named.push(Environment {
                    name,
                    branches: vec![read],
                    target,
                }),
            }
        }
        // Which images there are is not known here; that any would clash is.
        if let Some(clash) = all.clash("image") {
            let (pattern, _) = &self.0[0];
            return Err((pattern.span(), clash));
        }
        Ok(Some(all))
    }
}

impl Entry {
    /// The environment's name, in lower case, and where it is.
    fn read(&self, pattern: &toml::Spanned<String>) -> Result<(Option<String>, Target), Fault> {
        let (name, target) = match self {
            Entry::Name(name) => (Some(name), Target::default()),
            Entry::Full(full) => (full.environment.as_ref(), full.target()?),
        };
        let Some(name) = name else {
            return Ok((None, target));
        };
        let valid = tagwright_rules::environments::repository_name(name);
        let at = |message: String| (pattern.span(), message);
        if valid != name.to_ascii_lowercase() || valid.contains(['/', '_', '.']) || valid.len() > 32
        {
            return Err(at(format!(
                "`{name}` cannot be the name of an environment: use letters, digits and single dashes, at most 32"
            )));
        }
        if valid == BRANCHES {
            return Err(at(format!(
                "`{BRANCHES}` is what the repositories of branches are called; choose another name"
            )));
        }
        Ok((Some(valid), target))
    }
}

impl Full {
    fn target(&self) -> Result<Target, Fault> {
        if let Some(account) = &self.account {
            let digits = account.get_ref();
            if digits.len() != 12 || !digits.bytes().all(|it| it.is_ascii_digit()) {
                let message = format!("`{digits}` is not an AWS account: twelve digits");
                return Err((account.span(), message));
            }
        }
        if let Some(repository) = &self.repository {
            let name = repository.get_ref().replace("{image}", "image");
            if name.contains(['{', '}', ':', '$'])
                || tagwright_rules::environments::repository_name(&name).len() < 2
            {
                let message = format!(
                    "`{}` cannot be the name of a repository in Amazon ECR",
                    repository.get_ref()
                );
                return Err((repository.span(), message));
            }
        }
        for (variable, value) in &self.settings {
            let name = variable.get_ref();
            let at = |message: String| (variable.span(), message);
            if !is_variable(name) || provided::is_reserved(name) {
                return Err(at(format!("`{name}` cannot be a variable of a build")));
            }
            if value.is_empty() || value.len() > 4096 {
                return Err(at(format!(
                    "the value of `{name}` cannot be kept in Parameter Store: it takes 1 to 4096 characters"
                )));
            }
        }
        let settings = self.settings.iter();
        Ok(Target {
            account: self.account.as_ref().map(|it| it.get_ref().clone()),
            repository: self.repository.as_ref().map(|it| it.get_ref().clone()),
            settings: settings
                .map(|(name, value)| (name.get_ref().clone(), value.clone()))
                .collect(),
        })
    }
}

/// Adds what a second entry of an environment says.
///
/// # Errors
/// The key that both set, differently.
fn join(known: &mut Target, more: Target) -> Result<(), &'static str> {
    for (key, known, more) in [
        ("account", &mut known.account, more.account),
        ("repository", &mut known.repository, more.repository),
    ] {
        match (&*known, more) {
            (_, None) => {}
            (None, Some(value)) => *known = Some(value),
            (Some(before), Some(value)) if *before == value => {}
            _ => return Err(key),
        }
    }
    for (name, value) in more.settings {
        if known.settings.get(&name).is_some_and(|it| *it != value) {
            return Err("settings");
        }
        known.settings.insert(name, value);
    }
    Ok(())
}

/// Whether the shell takes the text as the name of a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(text: &str) -> Config {
        Config::parse(text, "tagwright.toml", &crate::analysis::catalog()).unwrap()
    }

    fn error(text: &str) -> String {
        let read = Config::parse(text, "tagwright.toml", &crate::analysis::catalog());
        read.unwrap_err().to_string()
    }

    #[test]
    fn branches_are_mapped_to_environments_by_name_or_in_full() {
        let config = read(
            "[environments]\nmain = \"Production\"\n\"hotfix/*\" = { environment = \"production\", account = \"111122223333\" }\nqa = { environment = \"qa\", repository = \"qa/{image}\", settings = { LOG_LEVEL = \"debug\" } }\n\"*\" = { repository = \"dev/{image}\" }\n",
        );
        let all = config.environments.read().unwrap().unwrap();
        assert_eq!(all.named.len(), 2);
        let production = &all.named[0];
        assert_eq!(production.name, "production");
        assert_eq!(production.branches.len(), 2);
        assert_eq!(production.target.account.as_deref(), Some("111122223333"));
        assert_eq!(production.repository("web"), "web-production");
        assert_eq!(all.named[1].repository("web"), "qa/web");
        assert_eq!(all.named[1].target.settings["LOG_LEVEL"], "debug");
        assert_eq!(all.branches_of("web"), "dev/web");
        assert_eq!(read("").environments.read().unwrap(), None);
    }

    #[test]
    fn what_means_nothing_is_named_with_its_place() {
        for (text, said) in [
            ("main = 1\n", ":2:8: invalid type"),
            ("main = { enviroment = \"x\" }\n", ":2:10: unknown field"),
            (
                "main = { account = \"111122223333\" }\n",
                ":2:1: `main` needs an `environment`",
            ),
            (
                "\"re*/x\" = \"x\"\n",
                ":2:2: `re*/x` has `*` before its end",
            ),
            (
                "main = \"a/b\"\n",
                ":2:1: `a/b` cannot be the name of an environment",
            ),
            ("main = \"branches\"\n", ":2:1: `branches` is what"),
            ("\"*\" = \"dev\"\n", ":2:2: `*` has no environment"),
            (
                "main = { environment = \"x\", account = \"1\" }\n",
                ":2:40: `1` is not an AWS account",
            ),
            (
                "main = { environment = \"x\", repository = \"a:b\" }\n",
                ":2:43: `a:b` cannot be the name of a repository",
            ),
            (
                "main = { environment = \"x\", settings = { PATH = \"1\" } }\n",
                ":2:42: `PATH` cannot be a variable",
            ),
            (
                "main = { environment = \"x\", settings = { A = \"\" } }\n",
                ":2:42: the value of `A`",
            ),
            (
                "\"a/b\" = \"x\"\na-b = \"y\"\n",
                ":3:1: `a-b` and `a/b` are the same branches",
            ),
            (
                "a = { environment = \"x\", account = \"111122223333\" }\nb = { environment = \"x\", account = \"444455556666\" }\n",
                ":3:1: `account` of x is already",
            ),
            (
                "a = { environment = \"x\", repository = \"web\" }\nb = { environment = \"y\", repository = \"web\" }\n",
                "x and y would share the repository `web`",
            ),
        ] {
            let found = error(&format!("[environments]\n{text}"));
            assert!(found.contains(said), "{text}{found}");
        }
    }
}
