//! Which branch belongs to which environment, and what the repositories of both are called.
//!
//! Everything that asks for a branch asks for it in the form in which the branch variable holds it as part of a
//! repository's name ([`branch_name`]): in lower case, with `-` for `/`. So the buildspec, the conditions of the
//! pipeline and the repositories agree, also about a branch that nobody has thought of.

use std::collections::BTreeMap;

use tagwright_flow::expression::{Piece, Repository};

/// The environments that the configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environments {
    /// The environments, in the order in which the configuration names them.
    pub named: Vec<Environment>,
    /// The branches that belong to none of them: each has a repository of its own.
    pub others: Target,
}

/// An environment and the branches that are deployed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name: lower case letters, digits and single dashes.
    pub name: String,
    /// Its branches.
    pub branches: Vec<Pattern>,
    /// Where it is.
    pub target: Target,
}

/// Where the images of an environment go, and what its builds are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The account, twelve digits; `None`: the one into which the description is deployed.
    pub account: Option<String>,
    /// The name of its repositories, `{image}` for the image's; `None`: the image and the environment.
    pub repository: Option<String>,
    /// The settings of its builds: variables with their values.
    pub settings: BTreeMap<String, String>,
}

/// A branch, or all branches that begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The branch of this name.
    Branch(String),
    /// The branches whose names begin so: `release/` for `release/*`.
    Prefix(String),
}

/// What [`Environments::of`] says about a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home<'a> {
    /// It is deployed to this environment.
    Environment(&'a Environment),
    /// It has a repository of its own.
    Itself,
}

/// The name of what holds the repositories of branches, beside those of environments.
pub const BRANCHES: &str = "branches";

/// Characters of the name of a repository (Amazon ECR API reference, `repositoryName`, 2026-11).
pub const LONGEST_REPOSITORY: usize = 256;

/// What a branch is cut to before a checksum is added, and the most that it has with one.
const CUT: usize = 69;
const LONGEST_BRANCH: usize = 80;

impl Pattern {
    /// Reads a pattern: a branch, or one with `*` (`**` is the same) at its end.
    ///
    /// # Errors
    /// What is wrong with it, to be read behind its name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let prefix = text.strip_suffix("**").or_else(|| text.strip_suffix('*'));
        let literal = prefix.unwrap_or(text);
        if literal.contains('*') {
            return Err("has `*` before its end; only `release/*` and the like are supported");
        }
        if literal.contains(|c: char| {
            c.is_whitespace() || c.is_control() || "~^:?[]\\\"'`$".contains(c) || !c.is_ascii()
        }) || literal.starts_with('/')
            || literal.contains("//")
            || literal.contains("..")
        {
            return Err("is not the name of a branch");
        }
        match prefix {
            Some("") => Err("stands for every branch"),
            Some(prefix) if folded(prefix) != prefix.to_ascii_lowercase().replace('/', "-") => {
                Err("holds what the name of a repository cannot hold")
            }
            Some(prefix) => Ok(Pattern::Prefix(prefix.to_owned())),
            None if text.is_empty() || text.ends_with('/') => Err("is not the name of a branch"),
            None => Ok(Pattern::Branch(text.to_owned())),
        }
    }

    /// The pattern as `case` of the shell compares it with the branch variable.
    #[must_use]
    pub fn shell(&self) -> String {
        match self {
            Pattern::Branch(name) => branch_name(name),
            Pattern::Prefix(prefix) => format!("{}*", folded(prefix)),
        }
    }

    /// Whether the branch, in the form of [`branch_name`], is meant.
    fn holds(&self, branch: &str) -> bool {
        match self {
            Pattern::Branch(name) => branch_name(name) == branch,
            Pattern::Prefix(prefix) => branch.starts_with(&folded(prefix)),
        }
    }

    /// A branch goes before all prefixes, a longer prefix before a shorter one.
    fn weight(&self) -> usize {
        match self {
            Pattern::Branch(_) => usize::MAX,
            Pattern::Prefix(prefix) => prefix.len(),
        }
    }

    /// A regular expression of Java for exactly these branches, without anchors. `/` and `-` are the same, as in
    /// the branch variable; in a prefix upper and lower case are, too.
    fn regex(&self) -> String {
        let quoted = |text: &str, alike: bool| {
            let quote = |c: char| match c {
                '/' | '-' if alike => "[/-]".to_owned(),
                c if c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '-') => c.to_string(),
                c => format!("\\{c}"),
            };
            text.chars().map(quote).collect::<String>()
        };
        match self {
            // A name that is changed in more than its slashes has a checksum of its own.
            Pattern::Branch(name) => quoted(name, branch_name(name) == name.replace('/', "-")),
            Pattern::Prefix(prefix) => format!("(?i:{}).*", quoted(prefix, true)),
        }
    }

    /// The pattern as the configuration and the triggers of a pipeline write it.
    #[must_use]
    pub fn glob(&self) -> String {
        match self {
            Pattern::Branch(name) => name.clone(),
            Pattern::Prefix(prefix) => format!("{prefix}**"),
        }
    }
}

impl Environments {
    /// The patterns with their environments, the one that decides first.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, &Environment)> {
        let mut all: Vec<_> = self
            .named
            .iter()
            .flat_map(|it| it.branches.iter().map(move |pattern| (pattern, it)))
            .collect();
        all.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight()));
        all.into_iter()
    }

    /// Where a branch belongs.
    #[must_use]
    pub fn of(&self, branch: &str) -> Home<'_> {
        let branch = branch_name(branch);
        self.patterns()
            .find(|(pattern, _)| pattern.holds(&branch))
            .map_or(Home::Itself, |(_, environment)| {
                Home::Environment(environment)
            })
    }

    /// A regular expression of Java that holds for the branches of `environment` only; `None`: for those that
    /// belong to none.
    #[must_use]
    pub fn regex(&self, environment: Option<&Environment>) -> String {
        let without = |taken: &[String], pattern: &str| {
            if taken.is_empty() {
                pattern.to_owned()
            } else {
                format!("(?!(?:{})$){pattern}", taken.join("|"))
            }
        };
        let Some(environment) = environment else {
            let taken: Vec<String> = self.patterns().map(|(it, _)| it.regex()).collect();
            return format!("^{}$", without(&taken, ".*"));
        };
        let own = environment.branches.iter().map(|pattern| {
            // What is more special than the pattern takes branches away from it.
            let special = self.patterns().filter(|(other, of)| {
                of.name != environment.name
                    && other.weight() > pattern.weight()
                    && pattern.holds(other.shell().trim_end_matches('*'))
            });
            let taken: Vec<String> = special.map(|(other, _)| other.regex()).collect();
            without(&taken, &pattern.regex())
        });
        let own: Vec<String> = own.collect();
        match &own[..] {
            [one] => format!("^{one}$"),
            all => format!("^(?:{})$", all.join("|")),
        }
    }

    /// The shell command that sets `variable` to the name of the repository of `image` for the branch that the
    /// variable `branch` holds. A value from outside, of a project that takes it from Parameter Store, is kept where
    /// the branch belongs to an environment.
    #[must_use]
    pub fn definition(&self, image: &str, variable: &str, branch: &str) -> String {
        let mut text = format!(
            "# {variable}: the repository of the branch's environment, or of the branch itself\ncase \"${branch}\" in\n"
        );
        for (pattern, environment) in self.patterns() {
            let name = environment.repository(image);
            text.push_str(&format!(
                "  {}) {variable}=\"${{{variable}:-{name}}}\" ;;\n",
                pattern.shell()
            ));
        }
        let others = self.branches_of(image);
        text.push_str(&format!(
            "  *) {variable}=\"{others}/${branch}\" ;;\nesac\nexport {variable}\n"
        ));
        text
    }

    /// The shell command that adds the branch that `branch` holds to the address in `variable`, unless the branch
    /// belongs to an environment: the project of an environment has the address of its repository, the one for all
    /// other branches what stands before them.
    #[must_use]
    pub fn addition(&self, variable: &str, branch: &str) -> String {
        let patterns: Vec<String> = self.patterns().map(|(it, _)| it.shell()).collect();
        format!(
            "# {variable}: of a branch without an environment, the repository of its own\ncase \"${branch}\" in\n  {}) ;;\n  *) {variable}=\"${variable}/${branch}\" ;;\nesac\nexport {variable}\n",
            patterns.join(" | ")
        )
    }

    /// What stands before the branch in the repositories of branches, without the slash at its end.
    #[must_use]
    pub fn branches_of(&self, image: &str) -> String {
        self.others.repository_of(image, BRANCHES)
    }

    /// Two environments whose images would share a repository, or one that would lie among those of branches.
    #[must_use]
    pub fn clash(&self, image: &str) -> Option<String> {
        let branches = format!("{}/", self.branches_of(image));
        for (at, environment) in self.named.iter().enumerate() {
            let name = environment.repository(image);
            if name.starts_with(&branches) {
                return Some(format!(
                    "`{name}` of {} lies among the repositories of branches, `{branches}…`",
                    environment.name
                ));
            }
            let same = self.named[..at].iter().find(|it| {
                it.repository(image) == name && it.target.account == environment.target.account
            });
            if let Some(other) = same {
                return Some(format!(
                    "{} and {} would share the repository `{name}`",
                    other.name, environment.name
                ));
            }
        }
        None
    }
}

impl Environment {
    /// The name of the environment's repository for an image.
    #[must_use]
    pub fn repository(&self, image: &str) -> String {
        self.target.repository_of(image, &self.name)
    }
}

impl Target {
    fn repository_of(&self, image: &str, suffix: &str) -> String {
        let template = self.repository.as_deref().unwrap_or("{image}-");
        let whole = template.replace("{image}", image);
        let name = if self.repository.is_some() {
            whole
        } else {
            format!("{whole}{suffix}")
        };
        repository_name(&name)
    }
}

/// A command that says where an image is pushed to, read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The variable that it sets.
    pub variable: String,
    /// The image; `None` where the variable holds the whole address.
    pub image: Option<String>,
}

impl Definition {
    /// Reads the text of a command, if it is one that [`Environments::definition`] or [`Environments::addition`]
    /// makes, for whatever branches.
    #[must_use]
    pub fn read(text: &str, environments: &Environments) -> Option<Self> {
        let (variable, rest) = text.strip_prefix("# ")?.split_once(": ")?;
        let found = |image: Option<String>| Definition {
            variable: variable.to_owned(),
            image,
        };
        if rest.starts_with("of a branch without an environment") {
            return Some(found(None));
        }
        if !rest.starts_with("the repository of the branch's environment") {
            return None;
        }
        let other = format!("  *) {variable}=\"");
        let line = text.lines().find_map(|line| line.strip_prefix(&*other))?;
        let (folder, _) = line.rsplit_once("/$")?;
        // The name with a sign in the place of the image, which is no part of any.
        let frame = environments
            .others
            .repository
            .as_deref()
            .unwrap_or("{image}-branches");
        let (before, after) = frame.split_once("{image}")?;
        let image = folder.strip_prefix(before)?.strip_suffix(after)?;
        Some(found(Some(image.to_owned())))
    }

    /// What the command sets the variable to, for the branch that the branch variable holds; `before`: what the project
    /// has set it to, empty if nothing.
    #[must_use]
    pub fn value(&self, environments: &Environments, branch: &str, before: &str) -> String {
        match (environments.of(branch), &self.image) {
            (Home::Environment(_), _) if !before.is_empty() => before.to_owned(),
            (Home::Environment(it), Some(image)) => it.repository(image),
            (Home::Environment(_), None) => before.to_owned(),
            (Home::Itself, Some(image)) => format!("{}/{branch}", environments.branches_of(image)),
            (Home::Itself, None) => format!("{before}/{branch}"),
        }
    }
}

/// What stands behind the registry of a repository, if it is text.
#[must_use]
pub fn image_name(repository: &Repository) -> Option<&str> {
    let mut pieces = repository.pieces();
    let Some(Piece::Text(last)) = pieces.next_back() else {
        return None;
    };
    let only = pieces.all(|piece| !matches!(piece, Piece::Text(text) if text.contains('/')));
    let (_, name) = last.split_once('/').filter(|_| only)?;
    (!name.is_empty()).then_some(name)
}

/// The variable of a build that says where the image of this name is pushed to.
#[must_use]
pub fn variable(image: &str) -> String {
    let mut name: String = image
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name + "_REPOSITORY"
}

/// The text as the name of a repository of Amazon ECR: lower case, one separator between letters and digits, at
/// most 256 characters.
#[must_use]
pub fn repository_name(text: &str) -> String {
    let parts = text.split('/').map(|part| {
        let part = folded(part);
        part.trim_end_matches(['_', '.', '-']).to_owned()
    });
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("/");
    name.truncate(LONGEST_REPOSITORY);
    name.truncate(name.trim_end_matches(['_', '.', '-', '/']).len());
    name
}

/// The branch as [`crate::derivation::Derivation`] sets the branch variable where it becomes part of a
/// repository's name: at most 80 characters, with a checksum where more than slashes had to change.
#[must_use]
pub fn branch_name(branch: &str) -> String {
    let plain = branch.replace('/', "-");
    let folded = folded(&plain);
    let name = folded.strip_suffix(['_', '.', '-']).unwrap_or(&folded);
    if name == plain && name.len() <= LONGEST_BRANCH {
        return name.to_owned();
    }
    let cut = name.get(..CUT).unwrap_or(name);
    let cut = cut.trim_end_matches(['_', '.', '-']);
    format!("{cut}-{}", checksum(branch.as_bytes()))
        .trim_start_matches('-')
        .to_owned()
}

/// In lower case; what cannot be part of a repository's name becomes `-`; of separators in a row only the first,
/// none at the start.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut separated = true;
    for byte in text.bytes() {
        let byte = byte.to_ascii_lowercase();
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            folded.push(char::from(byte));
            separated = false;
        } else if !separated {
            let kept = matches!(byte, b'_' | b'.' | b'-');
            folded.push(if kept { char::from(byte) } else { '-' });
            separated = true;
        }
    }
    folded
}

/// What `cksum` prints first (POSIX.1-2024, `cksum`).
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: u8| {
        (0..8).fold(sum ^ (u32::from(byte) << 24), |sum, _| {
            let carry = sum >> 31;
            (sum << 1) ^ (carry * 0x04c1_1db7)
        })
    };
    let mut sum = bytes.iter().fold(0, |sum, byte| step(sum, *byte));
    let mut length = bytes.len();
    while length > 0 {
        sum = step(sum, (length & 0xff) as u8);
        length >>= 8;
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environments(mapping: &[(&str, &str)]) -> Environments {
        let mut all = Environments::default();
        for (pattern, name) in mapping {
            let pattern = Pattern::parse(pattern).unwrap();
            match all.named.iter_mut().find(|it| it.name == *name) {
                Some(known) => known.branches.push(pattern),
                None => all.named.push(Environment {
                    name: (*name).to_owned(),
                    branches: vec![pattern],
                    target: Target::default(),
                }),
            }
        }
        all
    }

    #[test]
    fn a_branch_is_named_as_the_derivation_names_it() {
        for branch in [
            "main",
            "feature/x",
            "feature/X-1",
            "Release/1.0",
            "_a",
            "a_",
            "a__b",
            "fix/#12",
            "übung",
            "a.~b",
            &"long/".repeat(30),
            &"x".repeat(80),
            &"x".repeat(81),
            &format!("{}-y-z", "x".repeat(68)),
        ] {
            let mut derivation = crate::derivation::Derivation::new("BRANCH_NAME");
            derivation.repository = true;
            let script = format!("{}printf %s \"$BRANCH_NAME\"", derivation.text());
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .env_remove("CODEBUILD_WEBHOOK_TRIGGER")
                .env("BRANCH_NAME", branch)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(branch_name(branch), said, "{branch}");
        }
    }

    #[test]
    fn the_most_special_pattern_decides() {
        let all = environments(&[
            ("release/*", "staging"),
            ("main", "production"),
            ("release/hot*", "production"),
            ("release/hot-x*", "staging"),
            ("QA", "qa"),
        ]);
        let home = |branch: &str| match all.of(branch) {
            Home::Environment(it) => it.name.clone(),
            Home::Itself => BRANCHES.to_owned(),
        };
        for (branch, name) in [
            ("main", "production"),
            ("Main", BRANCHES),
            ("maintenance", BRANCHES),
            ("release/1.0", "staging"),
            ("release-1.0", "staging"),
            ("Release/1.0", "staging"),
            ("release/hotfix", "production"),
            ("release/hot-x1", "staging"),
            ("release", BRANCHES),
            ("QA", "qa"),
            ("qa", BRANCHES),
            ("feature/main", BRANCHES),
        ] {
            assert_eq!(home(branch), name, "{branch}");
        }
        let regex = |name: &str| all.regex(all.named.iter().find(|it| it.name == name));
        assert_eq!(regex("qa"), "^QA$");
        assert_eq!(
            regex("production"),
            "^(?:main|(?!(?:(?i:release[/-]hot[/-]x).*)$)(?i:release[/-]hot).*)$"
        );
    }

    #[test]
    fn the_definition_takes_the_environment_or_the_branch() {
        let all = environments(&[("release/*", "staging"), ("main", "production")]);
        let script = format!(
            "set -u\n{}printf %s \"$NAME\"",
            all.definition("team/web", "NAME", "BRANCH_NAME")
        );
        for (branch, name) in [
            ("main", "team/web-production"),
            ("release-1.0", "team/web-staging"),
            ("feature-x", "team/web-branches/feature-x"),
        ] {
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .env("BRANCH_NAME", branch)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
        }
    }

    #[test]
    fn an_address_of_the_project_is_taken_or_added_to() {
        let all = environments(&[("release/*", "staging"), ("main", "production")]);
        for (branch, address) in [
            ("main", "host/web-x"),
            ("release-1", "host/web-x"),
            ("feature-x", "host/web-x/feature-x"),
        ] {
            let script = format!("{}printf %s \"$URI\"", all.addition("URI", "BRANCH_NAME"));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .env("BRANCH_NAME", branch)
                .env("URI", "host/web-x")
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), address);
        }
        for (text, image) in [
            (all.definition("team/web", "NAME", "B"), Some("team/web")),
            (all.addition("NAME", "B"), None),
        ] {
            let read = Definition::read(&text, &all).unwrap();
            assert_eq!((&*read.variable, read.image.as_deref()), ("NAME", image));
        }
        assert_eq!(Definition::read("# NAME: a comment\n", &all), None);
        assert_eq!(variable("team/web-api"), "TEAM_WEB_API_REPOSITORY");
        assert_eq!(variable("3d"), "_3D_REPOSITORY");
    }

    #[test]
    fn names_of_repositories_are_made_valid() {
        for (text, name) in [
            ("Web-production", "web-production"),
            ("team//Web__x-", "team/web_x"),
            ("-/.a", "a"),
            ("a b", "a-b"),
        ] {
            assert_eq!(repository_name(text), name);
        }
        assert_eq!(repository_name(&"a/".repeat(200)).len(), 255);
    }

    #[test]
    fn repositories_that_would_be_shared_are_named() {
        let mut all = environments(&[("main", "production"), ("qa", "qa")]);
        assert_eq!(all.clash("web"), None);
        all.named[0].target.repository = Some("web-qa".to_owned());
        assert_eq!(
            all.clash("web").unwrap(),
            "production and qa would share the repository `web-qa`"
        );
        all.named[0].target.repository = Some("web-branches/main".to_owned());
        assert!(all.clash("web").unwrap().contains("lies among"));
    }

    #[test]
    fn patterns_that_the_shell_and_the_pipeline_would_read_apart_are_refused() {
        for text in [
            "*/x", "a*b", "a b", "", "/a", "a..b", "x/", "$x", "*", "a+*", "a--*",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
