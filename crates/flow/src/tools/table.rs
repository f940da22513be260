//! The table of tools: one row per tool, beside its reader, in the tool's own file.
//!
//! Whatever has to know tools by name asks here: which commands are read, which texts are worth parsing,
//! whose words hold scripts, whose failure fails the build. A new tool is one row and its name in [`TOOLS`].

use std::collections::HashMap;
use std::sync::LazyLock;

use tagwright_syntax::shell::{Command, Word};

use super::shells::Nested;
use super::words::View;
use super::{
    Found, Tool, aws, bazel, buildah, builders, compose, copilot, crane, docker, gradle, helm,
    http, jq, kaniko, kubectl, kustomize, languages, make, node, orchestrators, print, pulumi,
    scanner, sed, shells, skopeo, stacks, terraform,
};
use crate::search::AnyOf;

/// All tools that are known by name.
pub static TOOLS: &[&Program] = &[
    &docker::ROW,
    &compose::ROW,
    &buildah::ROW,
    &kaniko::ROW,
    &crane::ROW,
    &crane::REGCTL,
    &crane::ORAS,
    &skopeo::ROW,
    &scanner::TRIVY,
    &scanner::LAST_WORD,
    &scanner::COSIGN,
    &aws::ROW,
    &aws::ELASTIC_BEANSTALK,
    &stacks::SAM,
    &stacks::CDK,
    &kubectl::ROW,
    &kubectl::DISTRIBUTIONS,
    &helm::ROW,
    &kustomize::ROW,
    &orchestrators::NOMAD,
    &copilot::ROW,
    &terraform::ROW,
    &pulumi::ROW,
    &builders::PACK,
    &builders::KO,
    &bazel::ROW,
    &make::ROW,
    &make::RUNNERS,
    &node::NPM,
    &node::YARN,
    &node::NPX,
    &node::PNPM,
    &gradle::ROW,
    &sed::ROW,
    &jq::JQ,
    &jq::YQ,
    &print::ROW,
    &print::POWERSHELL,
    &print::ENVSUBST,
    &http::ROW,
    &shells::ROW,
    &shells::SOURCE,
    &shells::SSH,
    &shells::SU,
    &shells::EVAL,
    &languages::INTERPRETERS,
    &languages::EDITORS,
    &languages::COMPILERS,
    &languages::DOTNET,
    &languages::TESTS,
];

/// One tool.
pub struct Program {
    /// The names of its program, aliases and drop-in replacements included, without folder and `.exe`.
    pub names: &'static [&'static str],
    /// The start of further names (`copilot-linux`), if it has any.
    pub prefixes: &'static [&'static str],
    /// What it is in reports.
    pub family: Tool,
    /// Words one of which is in every text where the tool names or redeploys an image; a buildspec with no
    /// trigger of any tool has no command worth reading. Empty where another word shows it (`latest`).
    pub triggers: &'static [&'static str],
    /// Words that make a single command worth reading, although it has no expansion, no `=` and no trigger.
    pub hints: &'static [&'static str],
    /// Finds the images in one command.
    pub(super) read: fn(&View<'_>, &mut Found),
    /// The script among the words of one command.
    pub(super) script: fn(&View<'_>) -> Option<Nested>,
    /// Whether it reads a script or a template of its own among its words, in which `$` and placeholders
    /// are its own.
    pub own_language: bool,
    /// Whether its failure is a failure of the build.
    pub failure: Failure,
    /// Whether one command deploys again whatever the existing definition names.
    pub(super) redeploys: fn(&View<'_>) -> bool,
    /// Whether it builds and runs containers, with the command line of docker.
    pub containers: bool,
    /// The words behind its name with which it logs in to a registry, taking `--username` and `--password-stdin`;
    /// empty if it does not.
    pub login: &'static [&'static str],
    /// Whether it only looks at images, or signs them.
    pub scans: bool,
    /// What it may change in a file that it is given.
    pub edits: Edits,
}

/// What a tool may change in a file that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// Nothing.
    Nothing,
    /// Anything.
    Anything,
    /// A value, if its words speak of that; or it only looks at the file.
    Values,
}

/// Which commands of a tool have to succeed for the build to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// None is known to.
    Ignored,
    /// All.
    Always,
    /// Those whose first word is one of these.
    Of(&'static [&'static str]),
}

impl Program {
    /// A row that reads nothing.
    pub(super) const fn new(names: &'static [&'static str], family: Tool) -> Self {
        Self {
            names,
            prefixes: &[],
            family,
            triggers: &[],
            hints: &[],
            read: |_, _| {},
            script: |_| None,
            own_language: false,
            failure: Failure::Ignored,
            redeploys: |_| false,
            containers: false,
            login: &[],
            scans: false,
            edits: Edits::Nothing,
        }
    }

    /// Whether it names images in its words, rather than being a shell or a printer of text.
    pub(super) fn is_about_images(&self) -> bool {
        self.family != Tool::Other
            && self.family != Tool::ImageDefinitions
            && self.family != Tool::Sed
            || self.scans
    }

    fn is(&self, name: &str) -> bool {
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// The tool whose program has this name, without folder and `.exe`.
#[must_use]
pub fn tool(name: &str) -> Option<&'static Program> {
    // Asked of every command several times.
    static BY_NAME: LazyLock<HashMap<&str, &Program>> = LazyLock::new(|| {
        let names = TOOLS.iter().flat_map(|tool| tool.names);
        names
            .filter_map(|name| Some((*name, TOOLS.iter().find(|tool| tool.is(name))?)))
            .map(|(name, tool)| (name, *tool))
            .collect()
    });
    static WITH_PREFIXES: LazyLock<Vec<&Program>> = LazyLock::new(|| {
        let tools = TOOLS.iter().copied();
        tools.filter(|tool| !tool.prefixes.is_empty()).collect()
    });
    let known = BY_NAME.get(name).copied();
    known.or_else(|| WITH_PREFIXES.iter().copied().find(|tool| tool.is(name)))
}

/// Further words without which no command of a file can matter: the files and options that carry images
/// whatever writes them, and what an unknown program could be given.
const TRIGGERS: &[&str] = &[
    "imagedef",
    "imageDetail",
    "ImageUri",
    "imageUri",
    "BRANCH",
    "latest",
];

/// Words without which no command of a file can matter.
pub(crate) static FILE_TRIGGERS: LazyLock<AnyOf> = LazyLock::new(|| {
    let of_tools = TOOLS.iter().flat_map(|tool| tool.triggers);
    AnyOf::of(of_tools.chain(TRIGGERS).copied().collect())
});

/// What makes a command worth reading that has no expansion, no `=` and no redirection from a text.
pub(crate) static COMMAND_TRIGGERS: LazyLock<AnyOf> = LazyLock::new(|| {
    let of_tools = TOOLS
        .iter()
        .flat_map(|tool| tool.triggers.iter().chain(tool.hints));
    AnyOf::of(of_tools.chain(TRIGGERS).chain(&["{{"]).copied().collect())
});

/// Words one of which is in every text with a command for which [`failure_matters`].
static FAILURES: LazyLock<AnyOf> = LazyLock::new(|| {
    let failing = TOOLS.iter().filter(|tool| tool.failure != Failure::Ignored);
    AnyOf::of(failing.flat_map(|tool| tool.names).copied().collect())
});

/// Whether some command of `text` may be one for which [`failure_matters`]: a guess that is never wrong when
/// it says no.
#[must_use]
pub fn may_fail_the_build(text: &str) -> bool {
    FAILURES.is_in(text)
}

/// Whether the failure of `command` is a failure of the build: it builds, tests, pushes or deploys.
#[must_use]
pub fn failure_matters(command: &Command) -> bool {
    // Only values are looked at, no places: the script's text is not needed.
    let Some(view) = View::new(command, "") else {
        return false;
    };
    match tool(&view.program).map(|tool| tool.failure) {
        Some(Failure::Always) => true,
        Some(Failure::Of(words)) => words.iter().any(|word| view.is(view.start + 1, word)),
        Some(Failure::Ignored) | None => false,
    }
}

/// Whether `command` logs in to a registry: `docker login`, `helm registry login`.
#[must_use]
pub fn registry_login(command: &Command) -> bool {
    let name = command.program();
    let login = name
        .as_deref()
        .and_then(tool)
        .map_or(&[][..], |it| it.login);
    !login.is_empty()
        && command.words.len() > login.len()
        && command.words[1..]
            .iter()
            .zip(login)
            .all(|(word, text)| word.is(text))
}

/// Whether the program builds and runs containers with the command line of docker.
#[must_use]
pub fn is_container_tool(name: &str) -> bool {
    tool(name).is_some_and(|tool| tool.containers)
}

/// Whether a word names a program that reads a script or a template of its own among its words, in which `$`
/// and placeholders are its own. Every word is looked at, because `sudo`, `docker run image` and the like
/// may stand before it.
pub(crate) fn hands_on_scripts(command: &Command) -> bool {
    command.words.iter().filter_map(Word::value).any(|word| {
        let name = word.rsplit('/').next().unwrap_or(&word);
        tool(name).is_some_and(|tool| tool.own_language)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_is_in_one_row() {
        let mut known = HashSet::new();
        for tool in TOOLS {
            for name in tool.names {
                assert!(known.insert(*name), "{name}");
            }
        }
    }

    #[test]
    fn every_container_tool_is_read_like_docker() {
        for name in ["docker", "podman", "nerdctl", "finch"] {
            assert!(is_container_tool(name), "{name}");
            assert!(FILE_TRIGGERS.is_in(&format!("{name} push x")), "{name}");
            assert!(
                may_fail_the_build(&format!("{name} push x\necho")),
                "{name}"
            );
        }
    }
}
