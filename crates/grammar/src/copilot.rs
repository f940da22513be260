//! The grammars of Copilot's manifests as data: sections, their keys, and what each value may be. The JSON
//! Schemas and the rules about manifests are made from these tables.
//!
//! Source: aws/copilot-cli v1.33.2, `internal/pkg/manifest` (the YAML tags of the structures, and
//! `validate.go` for allowed words), as of 2024-03; the releases after it, the last ones, are not known to
//! have changed a key. Copilot reads with Go's yaml.v3 and takes no notice of keys that it does not know.

use tagwright_syntax::Span;

use crate::section::{Key, PLAIN, Section, Value, key};

const TEXT: Value = Value::Text;
const BOOLEAN: Value = Value::Boolean;
const WHOLE: Value = Value::Whole;
const DURATION: Value = Value::Duration;
const TEXTS: Value = Value::List(&Value::Text);
const TEXT_OR_TEXTS: Value = Value::ListOrOne(&Value::Text);
const LABELS: Value = Value::Names(&Value::Text);
const DEPENDS_ON: Value = Value::Names(&Value::Words(&["START", "COMPLETE", "SUCCESS", "HEALTHY"]));
const TEXT_OR_IMPORT: Value = Value::OneOf(&[Value::Text, Value::Section(&FROM_CFN)]);
const VARIABLES: Value = Value::Names(&TEXT_OR_IMPORT);
const SECRETS: Value = Value::Names(&Value::OneOf(&[Value::Text, Value::Section(&SECRET)]));
const SUBNETS: Value = Value::OneOf(&[TEXTS, Value::Section(&SUBNETS_BY_TAG)]);
const PLACEMENT: Value = Value::OneOf(&[
    Value::Exactly(&["public", "private"]),
    Value::Section(&PLACEMENT_SUBNETS),
]);
const ALIAS: Value = Value::OneOf(&[
    Value::Text,
    Value::List(&Value::OneOf(&[
        Value::Text,
        Value::Section(&ADVANCED_ALIAS),
    ])),
]);

/// A release of Copilot 1: the numbers behind the `1`.
pub type Release = (u32, u32);

/// The first release that tags by itself what `package --upload-assets` pushes.
pub const UPLOADS_ASSETS: Release = (16, 0);

/// From the first of these releases to the one before the second, the location of a main image is lost if a
/// sidecar is built (aws/copilot-cli 4547, put right by 5555).
pub const LOSES_LOCATION: std::ops::Range<Release> = (27, 0)..(32, 1);

/// The releases that addresses in `text` name, `copilot-linux-v1.31.0` or `download/v1.31.0/copilot-…`: the
/// bytes of `1.31.0`, and the release. Comments of YAML and of the shell are passed over.
pub fn pinned_releases(text: &str) -> Vec<(Span, Release)> {
    let mut found = Vec::new();
    for (at, sign) in text.match_indices("v1.") {
        let line = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let before = &text[line..at];
        if before.trim_start().starts_with('#') {
            continue;
        }
        let after = &text[at + sign.len()..];
        let length = after
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(after.len());
        let (numbers, behind) = after.split_at(length);
        let asset = before
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("copilot-") && name.ends_with('-'));
        let folder = before.ends_with("/copilot-cli/releases/download/") && behind.starts_with('/');
        let mut numbers = numbers.split('.').map(|number| number.parse().ok());
        let (minor, patch) = (numbers.next().flatten(), numbers.next().flatten());
        if let (true, Some(minor)) = (asset || folder, minor) {
            let span = Span::new(at + 1, at + sign.len() + length);
            found.push((span, (minor, patch.unwrap_or(0))));
        }
    }
    found
}

/// Where the tables of manifests are from.
pub const READ_FROM: &str = "aws/copilot-cli v1.33.2, `internal/pkg/manifest`";

/// A service's or a job's manifest, by its `type`.
pub static WORKLOADS: [(&str, &Section); 6] = [
    ("Load Balanced Web Service", &LOAD_BALANCED),
    ("Backend Service", &BACKEND),
    ("Request-Driven Web Service", &REQUEST_DRIVEN),
    ("Worker Service", &WORKER),
    ("Scheduled Job", &SCHEDULED_JOB),
    ("Static Site", &STATIC_SITE),
];

/// The grammar of the workloads of this `type`.
pub fn workload(kind: &str) -> Option<&'static Section> {
    WORKLOADS
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, section)| *section)
}

/// `name` and `type`.
pub static WORKLOAD: Section = Section {
    name: "every workload",
    keys: &[
        key("name", TEXT, "The name, the same as the folder's."),
        key(
            "type",
            Value::Exactly(&[
                "Load Balanced Web Service",
                "Backend Service",
                "Request-Driven Web Service",
                "Worker Service",
                "Scheduled Job",
                "Static Site",
            ]),
            "The kind of workload.",
        ),
    ],
    ..PLAIN
};

/// A manifest of the type Load Balanced Web Service.
pub static LOAD_BALANCED: Section = Section {
    name: "the top level of a Load Balanced Web Service",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&LOAD_BALANCED_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &LOAD_BALANCED_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static LOAD_BALANCED_CONFIG: Section = Section {
    name: "a Load Balanced Web Service",
    keys: &[
        key(
            "image",
            Value::Section(&IMAGE_WITH_PORT_AND_HEALTH),
            "The main container's image.",
        ),
        key(
            "http",
            Value::OneOf(&[Value::Boolean, Value::Section(&HTTP)]),
            "The routes of the Application Load Balancer; false: none.",
        ),
        key("nlb", Value::Section(&NLB), "The Network Load Balancer."),
        key("deployment", Value::Section(&DEPLOYMENT), DEPLOYMENT_DOCS),
        key(
            "observability",
            Value::Section(&OBSERVABILITY),
            OBSERVABILITY_DOCS,
        ),
    ],
    includes: &[&TASK, &COMMANDS, &PUBLISHES],
    ..PLAIN
};

/// A manifest of the type Backend Service.
pub static BACKEND: Section = Section {
    name: "the top level of a Backend Service",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&BACKEND_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &BACKEND_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static BACKEND_CONFIG: Section = Section {
    name: "a Backend Service",
    keys: &[
        key(
            "image",
            Value::Section(&IMAGE_WITH_PORT_AND_HEALTH),
            "The main container's image.",
        ),
        key(
            "http",
            Value::Section(&HTTP),
            "The routes of the internal load balancer.",
        ),
        key("deployment", Value::Section(&DEPLOYMENT), DEPLOYMENT_DOCS),
        key(
            "observability",
            Value::Section(&OBSERVABILITY),
            OBSERVABILITY_DOCS,
        ),
    ],
    includes: &[&TASK, &COMMANDS, &PUBLISHES],
    ..PLAIN
};

/// A manifest of the type Worker Service.
pub static WORKER: Section = Section {
    name: "the top level of a Worker Service",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&WORKER_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &WORKER_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static WORKER_CONFIG: Section = Section {
    name: "a Worker Service",
    keys: &[
        key(
            "image",
            Value::Section(&IMAGE_WITH_HEALTH),
            "The main container's image.",
        ),
        key(
            "subscribe",
            Value::Section(&SUBSCRIBE),
            "The topics that the worker reads.",
        ),
        key(
            "deployment",
            Value::Section(&WORKER_DEPLOYMENT),
            DEPLOYMENT_DOCS,
        ),
        key(
            "observability",
            Value::Section(&OBSERVABILITY),
            OBSERVABILITY_DOCS,
        ),
    ],
    includes: &[&TASK, &COMMANDS, &PUBLISHES],
    ..PLAIN
};

/// A manifest of the type Scheduled Job.
pub static SCHEDULED_JOB: Section = Section {
    name: "the top level of a Scheduled Job",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&SCHEDULED_JOB_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &SCHEDULED_JOB_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static SCHEDULED_JOB_CONFIG: Section = Section {
    name: "a Scheduled Job",
    keys: &[
        key(
            "image",
            Value::Section(&IMAGE_WITH_HEALTH),
            "The main container's image.",
        ),
        key("on", Value::Section(&TRIGGER), "When the job runs."),
        key("retries", WHOLE, "How often a failed run is repeated."),
        key("timeout", TEXT, "How long a run may take."),
    ],
    includes: &[&TASK, &COMMANDS, &PUBLISHES],
    ..PLAIN
};

/// A manifest of the type Request-Driven Web Service.
pub static REQUEST_DRIVEN: Section = Section {
    name: "the top level of a Request-Driven Web Service",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&REQUEST_DRIVEN_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &REQUEST_DRIVEN_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static REQUEST_DRIVEN_CONFIG: Section = Section {
    name: "a Request-Driven Web Service",
    keys: &[
        key("image", Value::Section(&IMAGE_WITH_PORT), "The image."),
        key(
            "http",
            Value::Section(&REQUEST_DRIVEN_HTTP),
            "Its health check, its domain and who can reach it.",
        ),
        key("cpu", WHOLE, "CPU units."),
        key("memory", WHOLE, "Memory in MiB."),
        PLATFORM,
        key("variables", VARIABLES, "Environment variables."),
        key("secrets", SECRETS, "Secret environment variables."),
        key("command", TEXT, "The command instead of the image's."),
        key("tags", LABELS, "Tags of the service's resources."),
        key(
            "network",
            Value::Section(&REQUEST_DRIVEN_NETWORK),
            "The network that it reaches.",
        ),
        key(
            "observability",
            Value::Section(&OBSERVABILITY),
            OBSERVABILITY_DOCS,
        ),
        key("count", TEXT, "The name of an auto-scaling configuration."),
    ],
    includes: &[&PUBLISHES],
    ..PLAIN
};

/// A manifest of the type Static Site.
pub static STATIC_SITE: Section = Section {
    name: "the top level of a Static Site",
    keys: &[key(
        "environments",
        Value::Names(&Value::Section(&STATIC_SITE_CONFIG)),
        "What differs in an environment.",
    )],
    includes: &[&WORKLOAD, &STATIC_SITE_CONFIG],
    required: &["name", "type"],
    ..PLAIN
};

static STATIC_SITE_CONFIG: Section = Section {
    name: "a Static Site",
    keys: &[
        key(
            "http",
            Value::Section(&STATIC_SITE_HTTP),
            "The site's domain.",
        ),
        key(
            "files",
            Value::List(&Value::Section(&FILE_UPLOAD)),
            "What is uploaded.",
        ),
    ],
    ..PLAIN
};

static STATIC_SITE_HTTP: Section = Section {
    name: "`http` of a Static Site",
    keys: &[
        key("alias", TEXT, "The site's domain name."),
        key(
            "certificate",
            TEXT,
            "The ARN of a certificate in us-east-1.",
        ),
    ],
    ..PLAIN
};

static FILE_UPLOAD: Section = Section {
    name: "one of `files`",
    keys: &[
        key("source", TEXT, "A file or folder of the repository."),
        key("destination", TEXT, "Where it goes; the root if absent."),
        key("recursive", BOOLEAN, "Whether folders are taken whole."),
        key("exclude", TEXT_OR_TEXTS, "Patterns of what stays out."),
        key("reinclude", TEXT_OR_TEXTS, "Patterns of what comes back."),
    ],
    ..PLAIN
};

const DEPLOYMENT_DOCS: &str = "How a new version replaces the old one.";
const OBSERVABILITY_DOCS: &str = "Traces.";

/// What runs on ECS has in common.
static TASK: Section = Section {
    name: "a task",
    keys: &[
        key("cpu", WHOLE, "CPU units."),
        key("memory", WHOLE, "Memory in MiB."),
        PLATFORM,
        key(
            "count",
            Value::OneOf(&[Value::Whole, Value::Section(&COUNT)]),
            "The number of tasks, or how it scales.",
        ),
        key(
            "exec",
            Value::OneOf(&[Value::Boolean, Value::Section(&EXEC)]),
            "Whether commands can be run in the containers.",
        ),
        key("variables", VARIABLES, "Environment variables."),
        key("env_file", TEXT, "A file of environment variables, `.env`."),
        key("secrets", SECRETS, "Secret environment variables."),
        key(
            "storage",
            Value::Section(&STORAGE),
            "Disks and shared volumes.",
        ),
        key("logging", Value::Section(&LOGGING), "Where the logs go."),
        key(
            "sidecars",
            Value::Names(&Value::Section(&SIDECAR)),
            "More containers, by name.",
        ),
        key(
            "network",
            Value::Section(&NETWORK),
            "Subnets, security groups and Service Connect.",
        ),
        key(
            "taskdef_overrides",
            Value::List(&Value::Section(&OVERRIDE)),
            "Changes of the task definition.",
        ),
    ],
    ..PLAIN
};

const PLATFORM_SHAPES: Value = Value::OneOf(&[Value::Text, Value::Section(&PLATFORM_PARTS)]);
const PLATFORM: Key = key(
    "platform",
    PLATFORM_SHAPES,
    "Operating system and architecture: `linux/x86_64`, `linux/arm64`, …",
);

static PLATFORM_PARTS: Section = Section {
    name: "`platform`",
    keys: &[
        key("osfamily", TEXT, "The operating system."),
        key("architecture", TEXT, "The architecture."),
    ],
    ..PLAIN
};

static COMMANDS: Section = Section {
    name: "a container",
    keys: &[
        key(
            "entrypoint",
            TEXT_OR_TEXTS,
            "The entry point instead of the image's.",
        ),
        key(
            "command",
            TEXT_OR_TEXTS,
            "The command instead of the image's.",
        ),
    ],
    ..PLAIN
};

static PUBLISHES: Section = Section {
    name: "a publisher",
    keys: &[key(
        "publish",
        Value::Section(&PUBLISH),
        "Topics that it writes to.",
    )],
    ..PLAIN
};

static FROM_CFN: Section = Section {
    name: "an imported value",
    keys: &[key(
        "from_cfn",
        TEXT,
        "The name of an export of a CloudFormation stack.",
    )],
    required: &["from_cfn"],
    ..PLAIN
};

static SECRET: Section = Section {
    name: "a secret",
    keys: &[
        key(
            "secretsmanager",
            TEXT,
            "The name of a secret of Secrets Manager.",
        ),
        key(
            "from_cfn",
            TEXT,
            "The name of an export of a CloudFormation stack.",
        ),
    ],
    at_most_one: &["secretsmanager", "from_cfn"],
    ..PLAIN
};

/// `build` and `location`.
static IMAGE_SOURCE: Section = Section {
    name: "an image",
    keys: &[
        key(
            "build",
            Value::OneOf(&[Value::Text, Value::Section(&BUILD)]),
            "The Dockerfile's path, or how the image is built.",
        ),
        key("location", TEXT, "An existing image."),
    ],
    at_most_one: &["build", "location"],
    ..PLAIN
};

static IMAGE: Section = Section {
    name: "`image`",
    keys: &[
        key(
            "credentials",
            TEXT,
            "The ARN of the secret for a private registry.",
        ),
        key("labels", LABELS, "Docker labels of the container."),
        key(
            "depends_on",
            DEPENDS_ON,
            "Containers that come first, and the state they must have.",
        ),
    ],
    includes: &[&IMAGE_SOURCE],
    at_most_one: &["build", "location"],
    ..PLAIN
};

static IMAGE_WITH_PORT: Section = Section {
    name: "`image` of a Request-Driven Web Service",
    keys: &[PORT],
    includes: &[&IMAGE],
    at_most_one: &["build", "location"],
    ..PLAIN
};

static IMAGE_WITH_HEALTH: Section = Section {
    name: "`image` of a worker or a job",
    keys: &[HEALTH],
    includes: &[&IMAGE],
    at_most_one: &["build", "location"],
    ..PLAIN
};

static IMAGE_WITH_PORT_AND_HEALTH: Section = Section {
    name: "`image` of a service",
    keys: &[PORT, HEALTH],
    includes: &[&IMAGE],
    at_most_one: &["build", "location"],
    ..PLAIN
};

const PORT: Key = key("port", WHOLE, "The port that the container listens on.");
const HEALTH: Key = key(
    "healthcheck",
    Value::Section(&CONTAINER_HEALTH),
    "The container's health check.",
);

static BUILD: Section = Section {
    name: "`build`",
    keys: &[
        key("dockerfile", TEXT, "The Dockerfile's path."),
        key("context", TEXT, "The folder that the build sees."),
        key("args", LABELS, "Build arguments."),
        key("target", TEXT, "The stage of the Dockerfile."),
        key("cache_from", TEXTS, "Images whose layers are used again."),
    ],
    ..PLAIN
};

static CONTAINER_HEALTH: Section = Section {
    name: "a container's `healthcheck`",
    keys: &[
        key("command", TEXTS, "The command that checks."),
        key("interval", DURATION, "Between two checks."),
        key("retries", WHOLE, "Failures until it counts as unhealthy."),
        key("timeout", DURATION, "How long a check may take."),
        key("start_period", DURATION, "Before failures count."),
    ],
    ..PLAIN
};

static SIDECAR: Section = Section {
    name: "a sidecar",
    keys: &[
        key("port", TEXT, "The port, with its protocol if need be."),
        key(
            "image",
            Value::OneOf(&[Value::Text, Value::Section(&IMAGE_SOURCE)]),
            "The sidecar's image.",
        ),
        key(
            "essential",
            BOOLEAN,
            "Whether the task stops when it stops.",
        ),
        key(
            "credentialsParameter",
            TEXT,
            "The ARN of the secret for a private registry.",
        ),
        key("variables", VARIABLES, "Environment variables."),
        key("env_file", TEXT, "A file of environment variables, `.env`."),
        key("secrets", SECRETS, "Secret environment variables."),
        key(
            "mount_points",
            Value::List(&Value::Section(&MOUNT_POINT)),
            "Volumes of the service that it uses.",
        ),
        key("labels", LABELS, "Docker labels of the container."),
        key(
            "depends_on",
            DEPENDS_ON,
            "Containers that come first, and the state they must have.",
        ),
        HEALTH,
    ],
    includes: &[&COMMANDS],
    ..PLAIN
};

static MOUNT_POINT: Section = Section {
    name: "one of `mount_points`",
    keys: &[key("source_volume", TEXT, "The volume's name.")],
    includes: &[&MOUNT],
    ..PLAIN
};

static MOUNT: Section = Section {
    name: "a mount",
    keys: &[
        key("path", TEXT, "The folder in the container."),
        key("read_only", BOOLEAN, "Whether nothing can be written."),
    ],
    ..PLAIN
};

static LOGGING: Section = Section {
    name: "`logging`",
    keys: &[
        key("retention", WHOLE, "Days that the logs are kept."),
        key("image", TEXT, "The image of the log router."),
        key("destination", LABELS, "Where Fluent Bit sends the logs to."),
        key("enableMetadata", BOOLEAN, "Whether ECS adds metadata."),
        key("secretOptions", SECRETS, "Secrets of the destination."),
        key(
            "configFilePath",
            TEXT,
            "A configuration of Fluent Bit in the image.",
        ),
        key("variables", VARIABLES, "The router's variables."),
        key("secrets", SECRETS, "The router's secrets."),
        key("env_file", TEXT, "The router's file of variables, `.env`."),
    ],
    ..PLAIN
};

static EXEC: Section = Section {
    name: "`exec`",
    keys: &[key("enable", BOOLEAN, "Whether commands can be run.")],
    ..PLAIN
};

static OVERRIDE: Section = Section {
    name: "one of `taskdef_overrides`",
    keys: &[
        key("path", TEXT, "The place in the task definition."),
        key("value", Value::Any, "What stands there instead."),
    ],
    ..PLAIN
};

static STORAGE: Section = Section {
    name: "`storage`",
    keys: &[
        key("ephemeral", WHOLE, "The task's disk in GiB: 20 to 200."),
        key(
            "readonly_fs",
            BOOLEAN,
            "Whether the root of the file system is read-only.",
        ),
        key(
            "volumes",
            Value::Names(&Value::Section(&VOLUME)),
            "Volumes, by name.",
        ),
    ],
    ..PLAIN
};

static VOLUME: Section = Section {
    name: "a volume",
    keys: &[key(
        "efs",
        Value::OneOf(&[Value::Boolean, Value::Section(&EFS)]),
        "A file system of EFS.",
    )],
    includes: &[&MOUNT],
    ..PLAIN
};

static EFS: Section = Section {
    name: "`efs`",
    keys: &[
        key("id", TEXT_OR_IMPORT, "The file system."),
        key("root_dir", TEXT, "The folder in it."),
        key("auth", Value::Section(&EFS_AUTH), "How it is opened."),
        key("uid", WHOLE, "The owner of a managed file system."),
        key("gid", WHOLE, "The group of a managed file system."),
    ],
    ..PLAIN
};

static EFS_AUTH: Section = Section {
    name: "`auth` of `efs`",
    keys: &[
        key("iam", BOOLEAN, "Whether IAM decides."),
        key("access_point_id", TEXT, "The access point."),
    ],
    ..PLAIN
};

static COUNT: Section = Section {
    name: "`count`",
    keys: &[
        key("spot", WHOLE, "Tasks on Fargate Spot; alone."),
        key(
            "range",
            Value::OneOf(&[Value::Text, Value::Section(&RANGE)]),
            "The least and the greatest number: `1-10`.",
        ),
        key("cooldown", Value::Section(&COOLDOWN), COOLDOWN_DOCS),
        key("cpu_percentage", SCALING_NUMBER, "CPU use to keep to."),
        key(
            "memory_percentage",
            SCALING_NUMBER,
            "Memory use to keep to.",
        ),
        key("requests", SCALING_NUMBER, "Requests per task to keep to."),
        key(
            "response_time",
            Value::OneOf(&[Value::Duration, Value::Section(&SCALING_BY_TIME)]),
            "The average response time to keep to.",
        ),
        key(
            "queue_delay",
            Value::Section(&QUEUE_DELAY),
            "Scaling by the delay of messages.",
        ),
    ],
    ..PLAIN
};

const COOLDOWN_DOCS: &str = "The wait between two changes of the number.";
const SCALING_NUMBER: Value = Value::OneOf(&[Value::Whole, Value::Section(&SCALING_BY_NUMBER)]);

static SCALING_BY_NUMBER: Section = Section {
    name: "a number to scale by",
    keys: &[
        key("value", WHOLE, "The value to keep to."),
        key("cooldown", Value::Section(&COOLDOWN), COOLDOWN_DOCS),
    ],
    ..PLAIN
};

static SCALING_BY_TIME: Section = Section {
    name: "a time to scale by",
    keys: &[
        key("value", DURATION, "The value to keep to."),
        key("cooldown", Value::Section(&COOLDOWN), COOLDOWN_DOCS),
    ],
    ..PLAIN
};

static COOLDOWN: Section = Section {
    name: "`cooldown`",
    keys: &[
        key("in", DURATION, "Before tasks are taken away."),
        key("out", DURATION, "Before tasks are added."),
    ],
    ..PLAIN
};

static RANGE: Section = Section {
    name: "`range`",
    keys: &[
        key("min", WHOLE, "The least number."),
        key("max", WHOLE, "The greatest number."),
        key(
            "spot_from",
            WHOLE,
            "From which number on Fargate Spot runs.",
        ),
    ],
    ..PLAIN
};

static QUEUE_DELAY: Section = Section {
    name: "`queue_delay`",
    keys: &[
        key(
            "acceptable_latency",
            DURATION,
            "How long a message may wait.",
        ),
        key("msg_processing_time", DURATION, "How long a message takes."),
        key("cooldown", Value::Section(&COOLDOWN), COOLDOWN_DOCS),
    ],
    ..PLAIN
};

static NETWORK: Section = Section {
    name: "`network`",
    keys: &[
        key("vpc", Value::Section(&VPC), "Subnets and security groups."),
        key(
            "connect",
            Value::OneOf(&[Value::Boolean, Value::Section(&CONNECT)]),
            "Service Connect.",
        ),
    ],
    ..PLAIN
};

static CONNECT: Section = Section {
    name: "`connect`",
    keys: &[key("alias", TEXT, "The service's name for others.")],
    ..PLAIN
};

static VPC: Section = Section {
    name: "`vpc`",
    keys: &[
        key("placement", PLACEMENT, "The subnets of the tasks."),
        key(
            "security_groups",
            Value::OneOf(&[
                Value::List(&TEXT_OR_IMPORT),
                Value::Section(&SECURITY_GROUPS),
            ]),
            "More security groups.",
        ),
    ],
    ..PLAIN
};

static PLACEMENT_SUBNETS: Section = Section {
    name: "`placement`",
    keys: &[key("subnets", SUBNETS, "The subnets.")],
    ..PLAIN
};

static SUBNETS_BY_TAG: Section = Section {
    name: "`subnets`",
    keys: &[key(
        "from_tags",
        Value::Names(&TEXT_OR_TEXTS),
        "Tags and values that the subnets have.",
    )],
    ..PLAIN
};

static SECURITY_GROUPS: Section = Section {
    name: "`security_groups`",
    keys: &[
        key("groups", Value::List(&TEXT_OR_IMPORT), "The groups."),
        key(
            "deny_default",
            BOOLEAN,
            "Whether the environment's group is left out.",
        ),
    ],
    ..PLAIN
};

static REQUEST_DRIVEN_NETWORK: Section = Section {
    name: "`network` of a Request-Driven Web Service",
    keys: &[key(
        "vpc",
        Value::Section(&REQUEST_DRIVEN_VPC),
        "The subnets that it reaches.",
    )],
    ..PLAIN
};

static REQUEST_DRIVEN_VPC: Section = Section {
    name: "`vpc` of a Request-Driven Web Service",
    keys: &[key("placement", PLACEMENT, "The subnets.")],
    ..PLAIN
};

static REQUEST_DRIVEN_HTTP: Section = Section {
    name: "`http` of a Request-Driven Web Service",
    keys: &[
        key("healthcheck", HTTP_HEALTH_OR_PATH, "The health check."),
        key("alias", TEXT, "The domain name."),
        key(
            "private",
            Value::OneOf(&[Value::Boolean, Value::Section(&ENDPOINT)]),
            "Whether only the environment's network reaches it.",
        ),
    ],
    ..PLAIN
};

static ENDPOINT: Section = Section {
    name: "`private`",
    keys: &[key("endpoint", TEXT, "An existing VPC endpoint.")],
    ..PLAIN
};

const HTTP_HEALTH_OR_PATH: Value = Value::OneOf(&[Value::Text, Value::Section(&HTTP_HEALTH)]);

static HTTP_HEALTH: Section = Section {
    name: "a load balancer's `healthcheck`",
    keys: &[
        key("path", TEXT, "The path that is asked for."),
        key("port", WHOLE, "The port that is asked."),
        key("success_codes", TEXT, "Answers that are good: `200,301`."),
        key("healthy_threshold", WHOLE, "Successes until it is healthy."),
        key(
            "unhealthy_threshold",
            WHOLE,
            "Failures until it is unhealthy.",
        ),
        key("timeout", DURATION, "How long a check may take."),
        key("interval", DURATION, "Between two checks."),
        key("grace_period", DURATION, "Before failures count."),
    ],
    ..PLAIN
};

static ROUTE: Section = Section {
    name: "a route",
    keys: &[
        key("path", TEXT, "The path that leads here."),
        key(
            "version",
            Value::Words(&["GRPC", "HTTP1", "HTTP2"]),
            "The protocol's version.",
        ),
        key("healthcheck", HTTP_HEALTH_OR_PATH, "The health check."),
        key("stickiness", BOOLEAN, "Whether sessions stick to a task."),
        key("alias", ALIAS, "Domain names."),
        key(
            "deregistration_delay",
            DURATION,
            "How long a leaving task is waited for.",
        ),
        key("target_container", TEXT, "The container that gets it."),
        key("target_port", WHOLE, "The port that gets it."),
        key("allowed_source_ips", TEXTS, "Addresses that may ask."),
        key("hosted_zone", TEXT, "The hosted zone of the aliases."),
        key(
            "redirect_to_https",
            BOOLEAN,
            "Whether HTTP is sent on to HTTPS.",
        ),
    ],
    ..PLAIN
};

static HTTP: Section = Section {
    name: "`http`",
    keys: &[
        key("alb", TEXT, "An existing load balancer."),
        key("targetContainer", TEXT, "Old name of `target_container`."),
        key(
            "additional_rules",
            Value::List(&Value::Section(&ROUTE)),
            "More routes.",
        ),
    ],
    includes: &[&ROUTE],
    ..PLAIN
};

static ADVANCED_ALIAS: Section = Section {
    name: "an alias",
    keys: &[
        key("name", TEXT, "The domain name."),
        key("hosted_zone", TEXT, "Its hosted zone."),
    ],
    ..PLAIN
};

static LISTENER: Section = Section {
    name: "a listener",
    keys: &[
        key("port", TEXT, "Port and protocol: `443/tls`."),
        key(
            "healthcheck",
            Value::Section(&NLB_HEALTH),
            "The health check.",
        ),
        key("target_container", TEXT, "The container that gets it."),
        key("target_port", WHOLE, "The port that gets it."),
        key("ssl_policy", TEXT, "The policy of TLS."),
        key("stickiness", BOOLEAN, "Whether sessions stick to a task."),
        key(
            "deregistration_delay",
            DURATION,
            "How long a leaving task is waited for.",
        ),
    ],
    ..PLAIN
};

static NLB: Section = Section {
    name: "`nlb`",
    keys: &[
        key("alias", ALIAS, "Domain names."),
        key(
            "additional_listeners",
            Value::List(&Value::Section(&LISTENER)),
            "More listeners.",
        ),
    ],
    includes: &[&LISTENER],
    ..PLAIN
};

static NLB_HEALTH: Section = Section {
    name: "`healthcheck` of `nlb`",
    keys: &[
        key("port", WHOLE, "The port that is asked."),
        key("healthy_threshold", WHOLE, "Successes until it is healthy."),
        key(
            "unhealthy_threshold",
            WHOLE,
            "Failures until it is unhealthy.",
        ),
        key("timeout", DURATION, "How long a check may take."),
        key("interval", DURATION, "Between two checks."),
        key("grace_period", DURATION, "Before failures count."),
    ],
    ..PLAIN
};

static DEPLOYMENT: Section = Section {
    name: "`deployment`",
    keys: &[
        key("rolling", ROLLING, "The strategy."),
        key(
            "rollback_alarms",
            Value::OneOf(&[TEXTS, Value::Section(&ALARMS)]),
            "Alarms that bring the old version back.",
        ),
    ],
    ..PLAIN
};

const ROLLING: Value = Value::Words(&["default", "recreate"]);

static ALARMS: Section = Section {
    name: "`rollback_alarms`",
    keys: &[
        key("cpu_utilization", Value::Number, "CPU use in percent."),
        key(
            "memory_utilization",
            Value::Number,
            "Memory use in percent.",
        ),
    ],
    ..PLAIN
};

static WORKER_DEPLOYMENT: Section = Section {
    name: "`deployment` of a Worker Service",
    keys: &[
        key("rolling", ROLLING, "The strategy."),
        key(
            "rollback_alarms",
            Value::OneOf(&[TEXTS, Value::Section(&WORKER_ALARMS)]),
            "Alarms that bring the old version back.",
        ),
    ],
    ..PLAIN
};

static WORKER_ALARMS: Section = Section {
    name: "`rollback_alarms` of a Worker Service",
    keys: &[key(
        "messages_delayed",
        WHOLE,
        "Messages that wait in the queue.",
    )],
    includes: &[&ALARMS],
    ..PLAIN
};

static OBSERVABILITY: Section = Section {
    name: "`observability`",
    keys: &[key(
        "tracing",
        Value::Words(&["awsxray"]),
        "Who collects traces.",
    )],
    ..PLAIN
};

static TRIGGER: Section = Section {
    name: "`on`",
    keys: &[key(
        "schedule",
        TEXT,
        "A cron expression, `rate(…)`, `@daily`, `@every 2h`, or `none`.",
    )],
    ..PLAIN
};

static PUBLISH: Section = Section {
    name: "`publish`",
    keys: &[key(
        "topics",
        Value::List(&Value::Section(&TOPIC)),
        "The topics.",
    )],
    ..PLAIN
};

static TOPIC: Section = Section {
    name: "a topic",
    keys: &[
        key("name", TEXT, "The topic's name."),
        key(
            "fifo",
            Value::OneOf(&[Value::Boolean, Value::Section(&TOPIC_FIFO)]),
            "Whether messages keep their order.",
        ),
    ],
    ..PLAIN
};

static TOPIC_FIFO: Section = Section {
    name: "`fifo` of a topic",
    keys: &[key(
        "content_based_deduplication",
        BOOLEAN,
        "Whether equal messages are dropped.",
    )],
    ..PLAIN
};

static SUBSCRIBE: Section = Section {
    name: "`subscribe`",
    keys: &[
        key(
            "topics",
            Value::List(&Value::Section(&SUBSCRIPTION)),
            "The topics.",
        ),
        key("queue", Value::Section(&QUEUE), "The queue of all topics."),
    ],
    ..PLAIN
};

static SUBSCRIPTION: Section = Section {
    name: "a subscription",
    keys: &[
        key("name", TEXT, "The topic's name."),
        key("service", TEXT, "The service that writes to it."),
        key(
            "filter_policy",
            Value::Names(&Value::Any),
            "Which messages are taken.",
        ),
        key(
            "queue",
            Value::OneOf(&[Value::Boolean, Value::Section(&QUEUE)]),
            "A queue of its own.",
        ),
    ],
    ..PLAIN
};

static QUEUE: Section = Section {
    name: "`queue`",
    keys: &[
        key("retention", DURATION, "How long messages are kept."),
        key("delay", DURATION, "How long messages are held back."),
        key("timeout", DURATION, "How long a message is invisible."),
        key(
            "dead_letter",
            Value::Section(&DEAD_LETTER),
            "What becomes of messages that fail.",
        ),
        key(
            "fifo",
            Value::OneOf(&[Value::Boolean, Value::Section(&QUEUE_FIFO)]),
            "Whether messages keep their order.",
        ),
    ],
    ..PLAIN
};

static DEAD_LETTER: Section = Section {
    name: "`dead_letter`",
    keys: &[key("tries", WHOLE, "How often a message is tried.")],
    ..PLAIN
};

static QUEUE_FIFO: Section = Section {
    name: "`fifo` of a queue",
    keys: &[
        key(
            "content_based_deduplication",
            BOOLEAN,
            "Whether equal messages are dropped.",
        ),
        key(
            "deduplication_scope",
            Value::Exactly(&["messageGroup", "queue"]),
            "Where messages must differ.",
        ),
        key(
            "throughput_limit",
            Value::Exactly(&["perMessageGroupId", "perQueue"]),
            "What the limit applies to.",
        ),
        key("high_throughput", BOOLEAN, "Whether it is fast."),
    ],
    ..PLAIN
};

/// An environment's manifest.
pub static ENVIRONMENT: Section = Section {
    name: "the top level of an environment",
    keys: &[
        key("name", TEXT, "The name, the same as the folder's."),
        key(
            "type",
            Value::Exactly(&["Environment"]),
            "Always `Environment`.",
        ),
        key(
            "network",
            Value::Section(&ENVIRONMENT_NETWORK),
            "The network.",
        ),
        key(
            "http",
            Value::Section(&ENVIRONMENT_HTTP),
            "The load balancers.",
        ),
        key(
            "cdn",
            Value::OneOf(&[Value::Boolean, Value::Section(&CDN)]),
            "CloudFront before the public load balancer.",
        ),
        key(
            "observability",
            Value::Section(&ENVIRONMENT_OBSERVABILITY),
            "What is measured.",
        ),
    ],
    required: &["name", "type"],
    ..PLAIN
};

static ENVIRONMENT_NETWORK: Section = Section {
    name: "`network` of an environment",
    keys: &[key("vpc", Value::Section(&ENVIRONMENT_VPC), "The VPC.")],
    ..PLAIN
};

static ENVIRONMENT_VPC: Section = Section {
    name: "`vpc` of an environment",
    keys: &[
        key("id", TEXT, "An existing VPC."),
        key("cidr", TEXT, "The addresses of a new VPC."),
        key(
            "subnets",
            Value::Section(&ENVIRONMENT_SUBNETS),
            "Its subnets.",
        ),
        key(
            "security_group",
            Value::Section(&ENVIRONMENT_SECURITY_GROUP),
            "The rules of the environment's group.",
        ),
        key(
            "flow_logs",
            Value::OneOf(&[Value::Boolean, Value::Section(&FLOW_LOGS)]),
            "Logs of the traffic.",
        ),
    ],
    ..PLAIN
};

static ENVIRONMENT_SUBNETS: Section = Section {
    name: "`subnets` of an environment",
    keys: &[
        key(
            "public",
            Value::List(&Value::Section(&SUBNET)),
            "Subnets with a way to the internet.",
        ),
        key(
            "private",
            Value::List(&Value::Section(&SUBNET)),
            "Subnets without.",
        ),
    ],
    ..PLAIN
};

static SUBNET: Section = Section {
    name: "a subnet",
    keys: &[
        key("id", TEXT, "An existing subnet."),
        key("cidr", TEXT, "The addresses of a new one."),
        key("az", TEXT, "Its availability zone."),
    ],
    ..PLAIN
};

static ENVIRONMENT_SECURITY_GROUP: Section = Section {
    name: "`security_group`",
    keys: &[
        key(
            "ingress",
            Value::List(&Value::Section(&SECURITY_RULE)),
            "What may come in.",
        ),
        key(
            "egress",
            Value::List(&Value::Section(&SECURITY_RULE)),
            "What may go out.",
        ),
    ],
    ..PLAIN
};

static SECURITY_RULE: Section = Section {
    name: "a rule of a security group",
    keys: &[
        key("cidr", TEXT, "The addresses."),
        key("ports", TEXT, "A port, or a range: `8000-8080`."),
        key("ip_protocol", TEXT, "The protocol."),
    ],
    ..PLAIN
};

static FLOW_LOGS: Section = Section {
    name: "`flow_logs`",
    keys: &[key("retention", WHOLE, "Days that they are kept.")],
    ..PLAIN
};

static ENVIRONMENT_HTTP: Section = Section {
    name: "`http` of an environment",
    keys: &[
        key(
            "public",
            Value::Section(&PUBLIC_HTTP),
            "The public load balancer.",
        ),
        key(
            "private",
            Value::Section(&PRIVATE_HTTP),
            "The internal load balancer.",
        ),
    ],
    ..PLAIN
};

static PUBLIC_HTTP: Section = Section {
    name: "`http.public`",
    keys: &[
        key(
            "security_groups",
            Value::Section(&OLD_SECURITY_GROUPS),
            "Old place of `ingress`.",
        ),
        key("certificates", TEXTS, "ARNs of certificates."),
        key(
            "access_logs",
            Value::OneOf(&[Value::Boolean, Value::Section(&ACCESS_LOGS)]),
            "Logs of requests.",
        ),
        key(
            "ingress",
            Value::Section(&PUBLIC_INGRESS),
            "Who may come in.",
        ),
        key("ssl_policy", TEXT, "The policy of TLS."),
    ],
    ..PLAIN
};

static PRIVATE_HTTP: Section = Section {
    name: "`http.private`",
    keys: &[
        key("subnets", TEXTS, "The load balancer's subnets."),
        key("certificates", TEXTS, "ARNs of certificates."),
        key(
            "security_groups",
            Value::Section(&OLD_SECURITY_GROUPS),
            "Old place of `ingress`.",
        ),
        key(
            "ingress",
            Value::Section(&PRIVATE_INGRESS),
            "Who may come in.",
        ),
        key("ssl_policy", TEXT, "The policy of TLS."),
    ],
    ..PLAIN
};

static PUBLIC_INGRESS: Section = Section {
    name: "`ingress` of the public load balancer",
    keys: &[
        key("cdn", BOOLEAN, "Whether only CloudFront comes in."),
        key("source_ips", TEXTS, "Addresses that come in."),
    ],
    ..PLAIN
};

static PRIVATE_INGRESS: Section = Section {
    name: "`ingress` of the internal load balancer",
    keys: &[key("vpc", BOOLEAN, "Whether all of the VPC comes in.")],
    ..PLAIN
};

static OLD_SECURITY_GROUPS: Section = Section {
    name: "`security_groups` of a load balancer",
    keys: &[key(
        "ingress",
        Value::Section(&OLD_INGRESS),
        "Who may come in.",
    )],
    ..PLAIN
};

static OLD_INGRESS: Section = Section {
    name: "the old `ingress`",
    keys: &[
        key(
            "restrict_to",
            Value::Section(&PUBLIC_INGRESS),
            "Who alone may come in.",
        ),
        key("from_vpc", BOOLEAN, "Whether all of the VPC comes in."),
    ],
    ..PLAIN
};

static ACCESS_LOGS: Section = Section {
    name: "`access_logs`",
    keys: &[
        key("bucket_name", TEXT, "An existing bucket."),
        key("prefix", TEXT, "The prefix in it."),
    ],
    ..PLAIN
};

static CDN: Section = Section {
    name: "`cdn`",
    keys: &[
        key(
            "certificate",
            TEXT,
            "The ARN of a certificate in us-east-1.",
        ),
        key("terminate_tls", BOOLEAN, "Whether TLS ends at CloudFront."),
        key(
            "static_assets",
            Value::Section(&STATIC_ASSETS),
            "Files from a bucket.",
        ),
    ],
    ..PLAIN
};

static STATIC_ASSETS: Section = Section {
    name: "`static_assets`",
    keys: &[
        key("location", TEXT, "The bucket's domain name."),
        key("alias", TEXT, "The domain name of the files."),
        key("path", TEXT, "The path that leads to the bucket."),
    ],
    ..PLAIN
};

static ENVIRONMENT_OBSERVABILITY: Section = Section {
    name: "`observability` of an environment",
    keys: &[key(
        "container_insights",
        BOOLEAN,
        "Whether CloudWatch measures the containers.",
    )],
    ..PLAIN
};

/// A pipeline's manifest.
pub static PIPELINE: Section = Section {
    name: "the top level of a pipeline",
    keys: &[
        key("name", TEXT, "The pipeline's name."),
        key("version", WHOLE, "The manifest's version: 1."),
        key("source", Value::Section(&SOURCE), "What starts it."),
        key("build", Value::Section(&PIPELINE_BUILD), "How it builds."),
        key(
            "stages",
            Value::List(&Value::Section(&STAGE)),
            "The environments, in their order.",
        ),
    ],
    required: &["name", "version", "source"],
    ..PLAIN
};

static SOURCE: Section = Section {
    name: "`source`",
    keys: &[
        key(
            "provider",
            Value::Exactly(&["GitHub", "GitHubV1", "Bitbucket", "CodeCommit"]),
            "Where the repository is.",
        ),
        key(
            "properties",
            Value::Section(&SOURCE_PROPERTIES),
            "The repository and its branch.",
        ),
    ],
    ..PLAIN
};

static SOURCE_PROPERTIES: Section = Section {
    name: "`source.properties`",
    keys: &[
        key("branch", TEXT, "The branch; `main` if absent."),
        key("repository", TEXT, "The repository's address."),
        key(
            "access_token_secret",
            TEXT,
            "The secret with the token, for GitHubV1.",
        ),
        key("connection_name", TEXT, "An existing connection."),
        key(
            "output_artifact_format",
            Value::Exactly(&["CODE_ZIP", "CODEBUILD_CLONE_REF"]),
            "Whether builds get the files or a clone.",
        ),
    ],
    ..PLAIN
};

static PIPELINE_BUILD: Section = Section {
    name: "`build` of a pipeline",
    keys: &[
        key("image", TEXT, "The build image; nothing in it expands."),
        key("buildspec", TEXT, "The buildspec's path."),
        key(
            "additional_policy",
            Value::Section(&ADDITIONAL_POLICY),
            "More rights of the build.",
        ),
    ],
    ..PLAIN
};

static ADDITIONAL_POLICY: Section = Section {
    name: "`additional_policy`",
    keys: &[key(
        "PolicyDocument",
        Value::Any,
        "A policy document of IAM.",
    )],
    ..PLAIN
};

static STAGE: Section = Section {
    name: "a stage",
    keys: &[
        key("name", TEXT, "The environment's name."),
        key(
            "requires_approval",
            BOOLEAN,
            "Whether somebody must agree before.",
        ),
        key(
            "test_commands",
            TEXTS,
            "Commands that run after the deployment.",
        ),
        key(
            "deployments",
            Value::Names(&Value::Section(&PIPELINE_DEPLOYMENT)),
            "What is deployed, by name.",
        ),
        key(
            "pre_deployments",
            Value::Names(&Value::Section(&EXTRA_DEPLOYMENT)),
            "Builds before the deployments.",
        ),
        key(
            "post_deployments",
            Value::Names(&Value::Section(&EXTRA_DEPLOYMENT)),
            "Builds after the deployments.",
        ),
    ],
    at_most_one: &["test_commands", "post_deployments"],
    ..PLAIN
};

static PIPELINE_DEPLOYMENT: Section = Section {
    name: "one of `deployments`",
    keys: &[
        key("stack_name", TEXT, "The stack's name."),
        key(
            "template_path",
            TEXT,
            "The template's path in the artifact.",
        ),
        key(
            "template_config",
            TEXT,
            "The path of its parameters in the artifact.",
        ),
        key("depends_on", TEXTS, "Deployments that come first."),
    ],
    ..PLAIN
};

static EXTRA_DEPLOYMENT: Section = Section {
    name: "a build around the deployments",
    keys: &[
        key("buildspec", TEXT, "The buildspec's path."),
        key("depends_on", TEXTS, "Builds that come first."),
    ],
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_from_addresses() {
        let read = |text: &str| -> Vec<(String, Release)> {
            pinned_releases(text)
                .into_iter()
                .map(|(span, release)| (span.of(text).to_owned(), release))
                .collect()
        };
        let one = |text: &str, release| vec![(text.to_owned(), release)];
        assert_eq!(
            read("wget -q https://x.example/copilot-linux-v1.31.0 -O copilot-linux"),
            one("1.31.0", (31, 0))
        );
        assert_eq!(
            read("curl -L https://x.example/copilot-linux-amd64-v1.8.2"),
            one("1.8.2", (8, 2))
        );
        assert_eq!(
            read("https://github.com/aws/copilot-cli/releases/download/v1.27.0/copilot-linux"),
            one("1.27.0", (27, 0))
        );
        for other in [
            "# wget https://x.example/copilot-linux-v1.31.0",
            "https://x.example/other-v1.31.0",
            "https://x.example/copilot-linux-$VERSION",
            "https://x.example/releases/download/v1.3.0/tool",
        ] {
            assert_eq!(read(other), [], "{other}");
        }
    }
}
