//! Ids and kinds of files: what every crate above calls a file by.

/// A file of a workspace, by its 0-based index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A CodeBuild buildspec.
    Buildspec,
    /// A Copilot service's or job's manifest.
    CopilotWorkload,
    /// A Copilot environment's manifest.
    CopilotEnvironment,
    /// A Copilot pipeline's manifest.
    CopilotPipeline,
    /// An ECS task definition.
    TaskDefinition,
    /// imagedefinitions.json or imageDetail.json.
    ImageDefinitions,
    /// `Dockerrun.aws.json`, by which Elastic Beanstalk runs containers.
    Dockerrun,
    /// A Kubernetes manifest.
    Kubernetes,
    /// A Compose file.
    Compose,
    /// A CloudFormation template.
    CloudFormation,
    /// Terraform.
    Terraform,
    /// What the AWS CLI prints about pipelines, build projects and repositories.
    AwsAnswer,
    /// Code for the AWS CDK that holds buildspecs as objects.
    Cdk,
    /// A script for sh, dash or bash.
    Script,
    /// Nothing that tagwright reads.
    Other,
}

impl FileKind {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Buildspec => "buildspec",
            FileKind::CopilotWorkload => "Copilot workload manifest",
            FileKind::CopilotEnvironment => "Copilot environment manifest",
            FileKind::CopilotPipeline => "Copilot pipeline manifest",
            FileKind::TaskDefinition => "ECS task definition",
            FileKind::ImageDefinitions => "image definitions",
            FileKind::Dockerrun => "Elastic Beanstalk container definition",
            FileKind::Kubernetes => "Kubernetes manifest",
            FileKind::Compose => "Compose file",
            FileKind::CloudFormation => "CloudFormation template",
            FileKind::Terraform => "Terraform configuration",
            FileKind::AwsAnswer => "answer of the AWS CLI",
            FileKind::Cdk => "CDK code",
            FileKind::Script => "shell script",
            FileKind::Other => "not read",
        }
    }
}
