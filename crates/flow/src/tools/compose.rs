//! Compose: the images that it builds and pushes stand in its files.

use tagwright_syntax::SmolStr;

use super::Tool;
use super::docker;
use super::options::{Arguments, Options};
use super::table::{Failure, Program};
use super::words::View;

/// Compose as a program of its own.
pub(super) static ROW: Program = Program {
    failure: Failure::Of(&["build", "push"]),
    ..Program::new(&["docker-compose", "podman-compose"], Tool::Docker)
};

/// A call of Compose that does something with the images of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeCall {
    /// What it does.
    pub action: ComposeAction,
    /// The files that it is given (`-f`), as far as their names are written out; none: those that Compose
    /// looks for.
    pub files: Vec<SmolStr>,
    /// Whether a file or service is not written out.
    pub unknown: bool,
    /// The services; none: all of them.
    pub services: Vec<SmolStr>,
}

/// What Compose does with images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComposeAction {
    /// `build`.
    Build,
    /// `push`, `build --push`.
    Push,
    /// `pull`.
    Pull,
    /// `up`, `create`, `run`, `start`.
    Run,
}

/// Options with a value of Compose 2.40 and of `nerdctl compose` 2 (2026-11), before and behind the command.
const COMPOSE: Options = Options::new(&[
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "--env-file",
    "--project-directory",
    "--parallel",
    "--progress",
    "--ansi",
    "--build-arg",
    "--builder",
    "-m",
    "--memory",
    "--ssh",
    "--scale",
    "-t",
    "--timeout",
    "--wait-timeout",
    "--pull",
    "-e",
    "--env",
    "--name",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--entrypoint",
    "-v",
    "--volume",
    "--exit-code-from",
    "--attach",
]);

pub(super) fn call(view: &View<'_>) -> Option<ComposeCall> {
    let from = if ROW.names.contains(&view.program.as_str()) {
        view.start + 1
    } else if docker::ROW.names.contains(&view.program.as_str()) {
        let compose = (view.start + 1..view.len()).find(|word| view.is(*word, "compose"))?;
        compose + 1
    } else {
        return None;
    };
    let arguments = Arguments::read(view, from, &COMPOSE);
    let words = arguments.positionals();
    let (name, services) = words.split_first()?;
    let action = match view.literal(*name)?.as_str() {
        "build" if arguments.has(&["--push"]) => ComposeAction::Push,
        "build" => ComposeAction::Build,
        "push" => ComposeAction::Push,
        "pull" => ComposeAction::Pull,
        "up" | "create" | "run" | "start" => ComposeAction::Run,
        _ => return None,
    };
    let literal = |text: &str| (!text.contains(super::words::OPAQUE)).then(|| SmolStr::from(text));
    let files: Vec<_> = arguments
        .values(&["-f", "--file"])
        .map(|file| literal(&file.text))
        .collect();
    // Behind `run SERVICE` stands the command of the container.
    let most = if view.is(*name, "run") { 1 } else { usize::MAX };
    let services: Vec<_> = services
        .iter()
        .take(most)
        .map(|word| literal(&view.shape(*word).text))
        .collect();
    Some(ComposeCall {
        action,
        unknown: files.iter().chain(&services).any(Option::is_none),
        files: files.into_iter().flatten().collect(),
        services: services.into_iter().flatten().collect(),
    })
}

#[cfg(test)]
mod tests {
    use tagwright_syntax::shell::parse;

    use super::*;

    fn of(text: &str) -> Option<ComposeCall> {
        let script = parse(text);
        call(&View::new(&script.commands[0], text)?)
    }

    #[test]
    fn every_client_of_compose_is_read() {
        for (text, action, files, services) in [
            ("docker compose push", ComposeAction::Push, vec![], vec![]),
            (
                "nerdctl compose -f a.yml push web",
                ComposeAction::Push,
                vec!["a.yml"],
                vec!["web"],
            ),
            (
                "finch compose build --push web api",
                ComposeAction::Push,
                vec![],
                vec!["web", "api"],
            ),
            (
                "docker-compose -f a.yml -f b.yml build",
                ComposeAction::Build,
                vec!["a.yml", "b.yml"],
                vec![],
            ),
            (
                "sudo podman compose --profile x up -d web",
                ComposeAction::Run,
                vec![],
                vec!["web"],
            ),
            (
                "docker compose run --rm web npm test",
                ComposeAction::Run,
                vec![],
                vec!["web"],
            ),
        ] {
            let found = of(text);
            let found = found.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.action, action, "{text}");
            assert_eq!(found.files, files, "{text}");
            assert_eq!(found.services, services, "{text}");
            assert!(!found.unknown, "{text}");
        }
        for text in [
            "docker compose config",
            "docker push web",
            "docker-compose down",
            "compose push",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        let text = "docker compose -f $FILE push";
        let found = of(text);
        assert!(found.is_some_and(|call| call.unknown));
    }
}
