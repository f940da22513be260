//! The typed view of a buildspec, versions 0.1 and 0.2.
//!
//! A view names the nodes that mean something to CodeBuild; it copies no text and judges nothing. Keys
//! that are absent, or of a shape that CodeBuild would not read, are simply not in the view: what is
//! wrong with them is for the rules to say, from the tree.
//!
//! Grammar: CodeBuild user guide, "Build specification reference" (stored copy of 2026).

use crate::yaml::{Entry, NodeId, NodeKind, Tree};

/// A buildspec's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 0.1: every command runs in a shell of its own.
    V0_1,
    /// 0.2: all commands share one shell's variables and folder.
    V0_2,
    /// Absent, or something that CodeBuild rejects.
    Other,
}

/// The phases, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// `install`
    Install,
    /// `pre_build`
    PreBuild,
    /// `build`
    Build,
    /// `post_build`; runs although `build` failed.
    PostBuild,
}

impl PhaseName {
    /// All phases, in the order in which they run.
    pub const ALL: [PhaseName; 4] = [
        PhaseName::Install,
        PhaseName::PreBuild,
        PhaseName::Build,
        PhaseName::PostBuild,
    ];

    /// The key in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PhaseName::Install => "install",
            PhaseName::PreBuild => "pre_build",
            PhaseName::Build => "build",
            PhaseName::PostBuild => "post_build",
        }
    }
}

/// A buildspec.
#[derive(Clone, Debug)]
pub struct Buildspec {
    /// The document's mapping.
    pub root: NodeId,
    /// `version`.
    pub version: Version,
    /// `env` (in 0.1 `environment_variables`).
    pub env: Env,
    /// The known phases that the file has, in the order in which they run.
    pub phases: Vec<Phase>,
    /// `batch`.
    pub batch: Option<NodeId>,
    /// `reports`.
    pub reports: Option<NodeId>,
    /// `artifacts`, its lists read.
    pub artifacts: Option<Artifacts>,
    /// `cache`.
    pub cache: Option<NodeId>,
    /// `proxy`.
    pub proxy: Option<NodeId>,
}

/// The `env` section.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The section's mapping.
    pub node: Option<NodeId>,
    /// `shell`.
    pub shell: Option<NodeId>,
    /// `variables` (in 0.1 `plaintext`): literal text, never expanded.
    pub variables: Vec<Entry>,
    /// `parameter-store`.
    pub parameter_store: Vec<Entry>,
    /// `secrets-manager`.
    pub secrets_manager: Vec<Entry>,
    /// `exported-variables`.
    pub exported_variables: Vec<NodeId>,
}

/// One phase.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Which.
    pub name: PhaseName,
    /// Its key.
    pub key: NodeId,
    /// Its mapping.
    pub node: NodeId,
    /// `commands`.
    pub commands: Option<Commands>,
    /// `finally`.
    pub finally: Option<Commands>,
    /// `on-failure`.
    pub on_failure: Option<NodeId>,
    /// `runtime-versions`.
    pub runtime_versions: Vec<Entry>,
    /// `run-as`.
    pub run_as: Option<NodeId>,
    /// `steps` (GitHub Actions syntax; excludes `commands`).
    pub steps: Option<NodeId>,
}

/// `commands` or `finally`.
#[derive(Clone, Debug)]
pub struct Commands {
    /// The list, or the one scalar that stands in its place.
    pub node: NodeId,
    /// Whether it is a list.
    pub is_list: bool,
    /// The scalars, in order, with their 0-based index in the list. Items of another shape are left out.
    pub items: Vec<(usize, NodeId)>,
}

/// The `artifacts` section.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// The section's mapping.
    pub node: NodeId,
    /// The scalars of `files`, those of `secondary-artifacts` included.
    pub files: Vec<NodeId>,
}

impl Buildspec {
    /// Reads the mapping at `root` as a buildspec. `None` if it is no mapping or has neither `phases` nor
    /// `batch` nor a `version` of 0.1 or 0.2.
    #[must_use]
    pub fn read(tree: &Tree, root: NodeId) -> Option<Self> {
        tree.mapping(root)?;
        let version = match tree.get(root, "version").and_then(|id| tree.text(id)) {
            Some("0.1") => Version::V0_1,
            Some("0.2") => Version::V0_2,
            _ => Version::Other,
        };
        let phases = tree.get(root, "phases");
        let batch = tree.get(root, "batch");
        if phases.is_none() && batch.is_none() && version == Version::Other {
            return None;
        }
        let phases = phases.map_or_else(Vec::new, |phases| {
            PhaseName::ALL
                .into_iter()
                .filter_map(|name| Phase::read(tree, name, phases))
                .collect()
        });
        Some(Self {
            root,
            version,
            env: Env::read(tree, root),
            phases,
            batch,
            reports: tree.get(root, "reports"),
            artifacts: tree.get(root, "artifacts").map(|node| Artifacts {
                node,
                files: artifact_files(tree, node),
            }),
            cache: tree.get(root, "cache"),
            proxy: tree.get(root, "proxy"),
        })
    }

    /// All commands with the phase they run in, in the order in which they run: of each phase first
    /// `commands`, then `finally`.
    pub fn commands(&self) -> impl Iterator<Item = (&Phase, &Commands, usize, NodeId)> {
        self.phases.iter().flat_map(|phase| {
            phase
                .commands
                .iter()
                .chain(&phase.finally)
                .flat_map(move |list| {
                    list.items
                        .iter()
                        .map(move |(index, id)| (phase, list, *index, *id))
                })
        })
    }
}

impl Env {
    fn read(tree: &Tree, root: NodeId) -> Self {
        let node = tree
            .get(root, "env")
            .or_else(|| tree.get(root, "environment_variables"));
        let Some(node) = node else {
            return Self::default();
        };
        let entries = |key: &str| {
            tree.get(node, key)
                .and_then(|id| tree.mapping(id))
                .map_or_else(Vec::new, |mapping| mapping.entries.clone())
        };
        let mut variables = entries("variables");
        variables.extend(entries("plaintext"));
        Self {
            node: Some(node),
            shell: tree.get(node, "shell"),
            variables,
            parameter_store: entries("parameter-store"),
            secrets_manager: entries("secrets-manager"),
            exported_variables: tree
                .get(node, "exported-variables")
                .map_or_else(Vec::new, |id| scalars(tree, id)),
        }
    }
}

impl Phase {
    fn read(tree: &Tree, name: PhaseName, phases: NodeId) -> Option<Self> {
        let entry = tree.entry(phases, name.as_str())?;
        let mut phase = Self {
            name,
            key: entry.key,
            node: entry.value,
            commands: None,
            finally: None,
            on_failure: None,
            runtime_versions: Vec::new(),
            run_as: None,
            steps: None,
        };
        let entries = tree.mapping(entry.value).map_or(&[][..], |it| &it.entries);
        // Of a key that stands twice the last one counts.
        for Entry { key, value } in entries {
            match tree.text(*key) {
                Some("commands") => phase.commands = Commands::read(tree, *value),
                Some("finally") => phase.finally = Commands::read(tree, *value),
                Some("on-failure") => phase.on_failure = Some(*value),
                Some("runtime-versions") => {
                    let versions = tree.mapping(*value);
                    phase.runtime_versions =
                        versions.map_or_else(Vec::new, |mapping| mapping.entries.clone());
                }
                Some("run-as") => phase.run_as = Some(*value),
                Some("steps") => phase.steps = Some(*value),
                _ => {}
            }
        }
        Some(phase)
    }
}

impl Commands {
    fn read(tree: &Tree, node: NodeId) -> Option<Self> {
        match &tree.node(tree.resolve(node)).kind {
            NodeKind::Sequence(sequence) => Some(Self {
                node,
                is_list: true,
                items: sequence
                    .items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| tree.scalar(**item).is_some() && !tree.is_null(**item))
                    .map(|(index, item)| (index, *item))
                    .collect(),
            }),
            NodeKind::Scalar(_) if !tree.is_null(node) => Some(Self {
                node,
                is_list: false,
                items: vec![(0, node)],
            }),
            _ => None,
        }
    }
}

/// The scalars of a list, or the one scalar that stands in its place.
fn scalars(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    match &tree.node(tree.resolve(node)).kind {
        NodeKind::Sequence(sequence) => sequence
            .items
            .iter()
            .copied()
            .filter(|item| tree.scalar(*item).is_some())
            .collect(),
        NodeKind::Scalar(_) => vec![node],
        _ => Vec::new(),
    }
}

fn artifact_files(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    let mut files = tree
        .get(node, "files")
        .map_or_else(Vec::new, |id| scalars(tree, id));
    if let Some(secondary) = tree
        .get(node, "secondary-artifacts")
        .and_then(|id| tree.mapping(id))
    {
        for entry in &secondary.entries {
            if let Some(id) = tree.get(entry.value, "files") {
                files.extend(scalars(tree, id));
            }
        }
    }
    files
}
