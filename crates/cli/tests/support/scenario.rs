//! The builds that are run: what started them, and which variables CodeBuild therefore sets.

/// One way in which a build is started.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The variables that depend on the start. Every scenario builds another commit.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// Runs for every fixture that names no scenarios.
    pub(crate) default: bool,
    /// Nothing tells the branch: the fixed build has to stop before it publishes anything.
    pub(crate) refused: bool,
}

const ARTIFACT: &str = "arn:aws:s3:::codepipeline-eu-west-1-123456/shop/SourceArti/AbC12dE";

/// The variables that every build has.
pub(crate) const ALWAYS: &[(&str, &str)] = &[
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    (
        "CODEBUILD_BUILD_ID",
        "shop:7b5a1f4c-2c7e-4d1b-9d55-0e6c8a1f2b3d",
    ),
    ("CODEBUILD_BUILD_NUMBER", "12"),
    ("CODEBUILD_BUILD_SUCCEEDING", "1"),
    ("LANG", "C.UTF-8"),
];

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "push of main",
        variables: &[
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "branch/main"),
            (
                "CODEBUILD_SOURCE_VERSION",
                "1111111111111111111111111111111111111111",
            ),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "1111111111111111111111111111111111111111",
            ),
        ],
        default: true,
        refused: false,
    },
    Scenario {
        name: "push of feature/x",
        variables: &[
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/feature/x"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "branch/feature/x"),
            (
                "CODEBUILD_SOURCE_VERSION",
                "2222222222222222222222222222222222222222",
            ),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "2222222222222222222222222222222222222222",
            ),
        ],
        default: true,
        refused: false,
    },
    Scenario {
        name: "push of a long branch",
        variables: &[
            (
                "CODEBUILD_WEBHOOK_HEAD_REF",
                "refs/heads/feature/0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-01234",
            ),
            (
                "CODEBUILD_SOURCE_VERSION",
                "3333333333333333333333333333333333333333",
            ),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "3333333333333333333333333333333333333333",
            ),
        ],
        default: true,
        refused: false,
    },
    Scenario {
        name: "pipeline with BRANCH_NAME",
        variables: &[
            ("BRANCH_NAME", "release/1.2"),
            ("CODEBUILD_INITIATOR", "codepipeline/shop"),
            ("CODEBUILD_SOURCE_VERSION", ARTIFACT),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "4444444444444444444444444444444444444444",
            ),
        ],
        default: true,
        refused: false,
    },
    Scenario {
        name: "copilot pipeline",
        variables: &[
            ("CODEBUILD_INITIATOR", "codepipeline/shop"),
            ("CODEBUILD_SOURCE_VERSION", ARTIFACT),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "5555555555555555555555555555555555555555",
            ),
        ],
        default: false,
        refused: false,
    },
    Scenario {
        name: "build of a commit",
        variables: &[
            (
                "CODEBUILD_SOURCE_VERSION",
                "6666666666666666666666666666666666666666",
            ),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "6666666666666666666666666666666666666666",
            ),
        ],
        default: false,
        refused: true,
    },
];
