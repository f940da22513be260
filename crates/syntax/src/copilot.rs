//! The typed views of AWS Copilot's manifests: workloads, environments, pipelines.
//!
//! As with buildspecs, a view names nodes and judges nothing. Shapes: aws/copilot-cli
//! `internal/pkg/manifest` at v1.33 (the last release read; Copilot's support ended 2026-06-12).

use crate::yaml::{Entry, NodeId, NodeKind, Tree};

/// The six kinds of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkloadKind {
    /// `Load Balanced Web Service`
    LoadBalancedWebService,
    /// `Backend Service`
    BackendService,
    /// `Request-Driven Web Service`
    RequestDrivenWebService,
    /// `Worker Service`
    WorkerService,
    /// `Static Site`: files, no image.
    StaticSite,
    /// `Scheduled Job`
    ScheduledJob,
}

impl WorkloadKind {
    /// The kind that a manifest's `type` names.
    #[must_use]
    pub fn from_type(text: &str) -> Option<Self> {
        Some(match text {
            "Load Balanced Web Service" => Self::LoadBalancedWebService,
            "Backend Service" => Self::BackendService,
            "Request-Driven Web Service" => Self::RequestDrivenWebService,
            "Worker Service" => Self::WorkerService,
            "Static Site" => Self::StaticSite,
            "Scheduled Job" => Self::ScheduledJob,
            _ => return None,
        })
    }

    /// Whether it is a job rather than a service.
    #[must_use]
    pub fn is_job(self) -> bool {
        self == Self::ScheduledJob
    }
}

/// A service's or job's manifest.
#[derive(Clone, Debug)]
pub struct WorkloadManifest {
    /// The document's mapping.
    pub root: NodeId,
    /// `type`.
    pub kind: WorkloadKind,
    /// `name`.
    pub name: Option<NodeId>,
    /// The images of the base section.
    pub images: Images,
    /// The images of each `environments.<name>` section, with the section's key.
    pub environments: Vec<(NodeId, Images)>,
}

/// The images of a manifest, or of one environment's section of it.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// `image.build`: a Dockerfile's path or a mapping, never an image reference.
    pub build: Option<NodeId>,
    /// `image.location`, an image reference.
    pub location: Option<NodeId>,
    /// `image` itself where it is a scalar, which Copilot rejects for the main container.
    pub plain: Option<NodeId>,
    /// `image.build.cache_from`, image references that are only hints.
    pub cache_from: Vec<NodeId>,
    /// `sidecars.<name>.image` (or `.image.location`), with the sidecar's key.
    pub sidecars: Vec<(NodeId, NodeId)>,
    /// Keys of sidecars that Copilot builds (`sidecars.<name>.image.build`).
    pub built_sidecars: Vec<NodeId>,
    /// `logging.image`.
    pub logging: Option<NodeId>,
}

/// An environment's manifest.
#[derive(Clone, Debug)]
pub struct EnvironmentManifest {
    /// The document's mapping.
    pub root: NodeId,
    /// `name`.
    pub name: Option<NodeId>,
}

/// A pipeline's manifest.
#[derive(Clone, Debug)]
pub struct PipelineManifest {
    /// The document's mapping.
    pub root: NodeId,
    /// `name`.
    pub name: Option<NodeId>,
    /// `source.properties.branch`.
    pub branch: Option<NodeId>,
    /// `build.image`, CodeBuild's build image. Nobody expands variables here.
    pub build_image: Option<NodeId>,
    /// `build.buildspec`.
    pub buildspec: Option<NodeId>,
    /// `stages`.
    pub stages: Vec<Stage>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The stage's mapping.
    pub node: NodeId,
    /// `name`: the environment.
    pub name: Option<NodeId>,
    /// `test_commands`: shell text.
    pub test_commands: Vec<NodeId>,
    /// The workloads of `deployments`.
    pub deployments: Vec<Entry>,
}

impl WorkloadManifest {
    /// Reads the mapping at `root`; `None` if its `type` is no workload's.
    #[must_use]
    pub fn read(tree: &Tree, root: NodeId) -> Option<Self> {
        let kind = WorkloadKind::from_type(tree.text(tree.get(root, "type")?)?)?;
        let environments = entries(tree, tree.get(root, "environments"))
            .into_iter()
            .map(|entry| (entry.key, Images::read(tree, entry.value)))
            .collect();
        Some(Self {
            root,
            kind,
            name: tree.get(root, "name"),
            images: Images::read(tree, root),
            environments,
        })
    }

    /// Whether Copilot builds the main image, in any environment.
    #[must_use]
    pub fn builds(&self) -> bool {
        self.images.build.is_some()
            || self
                .environments
                .iter()
                .any(|(_, images)| images.build.is_some())
    }

    /// Whether some environment builds the image in its own way.
    #[must_use]
    pub fn builds_per_environment(&self) -> bool {
        self.environments
            .iter()
            .any(|(_, images)| images.build.is_some())
    }
}

impl WorkloadManifest {
    /// Whether, in some environment, Copilot builds a sidecar and takes the main image from a registry.
    #[must_use]
    pub fn builds_only_sidecars(&self) -> bool {
        let base = &self.images;
        let main_is_taken = |images: &Images| images.location.is_some() && images.build.is_none();
        let everywhere = main_is_taken(base) && !base.built_sidecars.is_empty();
        everywhere
            || self.environments.iter().any(|(_, own)| {
                // A `build` or `location` of the environment replaces the other one.
                let changed = own.location.is_some() || own.build.is_some();
                let taken = main_is_taken(if changed { own } else { base });
                let built = base.built_sidecars.iter().chain(&own.built_sidecars);
                taken && built.count() > 0
            })
    }
}

impl Images {
    fn read(tree: &Tree, section: NodeId) -> Self {
        let mut images = Self::default();
        if let Some(image) = tree.get(section, "image") {
            match &tree.node(tree.resolve(image)).kind {
                NodeKind::Mapping(_) => {
                    images.build = tree.get(image, "build");
                    images.location = tree.get(image, "location");
                    if let Some(build) = images.build
                        && let Some(list) = tree.get(build, "cache_from")
                        && let Some(sequence) = tree.sequence(list)
                    {
                        images.cache_from.clone_from(&sequence.items);
                    }
                }
                NodeKind::Scalar(_) if !tree.is_null(image) => images.plain = Some(image),
                _ => {}
            }
        }
        for entry in entries(tree, tree.get(section, "sidecars")) {
            let Some(image) = tree.get(entry.value, "image") else {
                continue;
            };
            if tree.mapping(image).is_some() {
                if let Some(location) = tree.get(image, "location") {
                    images.sidecars.push((entry.key, location));
                }
                if tree.get(image, "build").is_some() {
                    images.built_sidecars.push(entry.key);
                }
            } else {
                images.sidecars.push((entry.key, image));
            }
        }
        images.logging = tree
            .get(section, "logging")
            .and_then(|logging| tree.get(logging, "image"));
        images
    }
}

impl EnvironmentManifest {
    /// Reads the mapping at `root`; `None` if its `type` is not `Environment`.
    #[must_use]
    pub fn read(tree: &Tree, root: NodeId) -> Option<Self> {
        (tree.text(tree.get(root, "type")?)? == "Environment").then(|| Self {
            root,
            name: tree.get(root, "name"),
        })
    }
}

impl PipelineManifest {
    /// Reads the mapping at `root`; `None` unless it has both `source` with a provider and `stages`.
    #[must_use]
    pub fn read(tree: &Tree, root: NodeId) -> Option<Self> {
        let source = tree.get(root, "source")?;
        tree.get(source, "provider")?;
        let stages = tree.sequence(tree.get(root, "stages")?)?;
        let build = tree.get(root, "build");
        let stages = stages
            .items
            .iter()
            .map(|node| Stage {
                node: *node,
                name: tree.get(*node, "name"),
                test_commands: tree
                    .get(*node, "test_commands")
                    .and_then(|id| tree.sequence(id))
                    .map_or_else(Vec::new, |list| list.items.clone()),
                deployments: entries(tree, tree.get(*node, "deployments")),
            })
            .collect();
        Some(Self {
            root,
            name: tree.get(root, "name"),
            branch: tree
                .get(source, "properties")
                .and_then(|id| tree.get(id, "branch")),
            build_image: build.and_then(|id| tree.get(id, "image")),
            buildspec: build.and_then(|id| tree.get(id, "buildspec")),
            stages,
        })
    }
}

fn entries(tree: &Tree, node: Option<NodeId>) -> Vec<Entry> {
    node.and_then(|id| tree.mapping(id))
        .map_or_else(Vec::new, |mapping| mapping.entries.clone())
}
