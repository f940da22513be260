//! The builds that are run: what started them, and which variables CodeBuild therefore sets.

/// One way in which a build is started.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The variables that depend on the start. Every scenario is another build, of another commit.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// Runs for every fixture that names no scenarios.
    pub(crate) default: bool,
    /// Nothing tells the branch or the commit: the fixed build has to stop before it publishes anything.
    pub(crate) refused: bool,
}

const ARTIFACT: &str = "arn:aws:s3:::codepipeline-eu-west-1-123456/shop/SourceArti/AbC12dE";

/// The variables that every build has.
pub(crate) const ALWAYS: &[(&str, &str)] = &[
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("CODEBUILD_BUILD_NUMBER", "12"),
    ("CODEBUILD_BUILD_SUCCEEDING", "1"),
    ("LANG", "C.UTF-8"),
];

/// The two builds of one branch.
pub(crate) const SAME_BRANCH: [&str; 2] = ["push of main", "second push of main"];

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "push of main",
        variables: &[
            (
                "CODEBUILD_BUILD_ID",
                "shop:7b5a1f4c-2c7e-4d1b-9d55-0e6c8a1f2b3d",
            ),
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
        name: "second push of main",
        variables: &[
            (
                "CODEBUILD_BUILD_ID",
                "shop:a81bc81b-dead-4e5d-abff-90865d1e13b1",
            ),
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "branch/main"),
            (
                "CODEBUILD_SOURCE_VERSION",
                "7777777777777777777777777777777777777777",
            ),
            (
                "CODEBUILD_RESOLVED_SOURCE_VERSION",
                "7777777777777777777777777777777777777777",
            ),
        ],
        default: true,
        refused: false,
    },
    Scenario {
        name: "push of feature/x",
        variables: &[
            (
                "CODEBUILD_BUILD_ID",
                "shop:1c9e0d52-8f0a-4c53-b0a4-5d2f6e7a8b90",
            ),
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
                "CODEBUILD_BUILD_ID",
                "shop:e4d3c2b1-0a9f-4e8d-8c7b-6a5f4e3d2c1b",
            ),
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
            (
                "CODEBUILD_BUILD_ID",
                "shop:52b7a1d9-3e64-4f0c-a8d1-97c2e0f4b653",
            ),
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
            (
                "CODEBUILD_BUILD_ID",
                "shop:c0ffee11-5a4b-4d6e-9f01-23456789abcd",
            ),
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
                "CODEBUILD_BUILD_ID",
                "shop:0d1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6",
            ),
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
        refused: false,
    },
    Scenario {
        name: "build of an archive in S3",
        variables: &[(
            "CODEBUILD_BUILD_ID",
            "shop:9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d",
        )],
        default: false,
        refused: true,
    },
];
