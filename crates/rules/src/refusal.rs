//! Refusals that several rules give.

use tagwright_flow::expression::Reason;

use crate::{Refusal, RefusalCode};

/// Nothing expands a variable where the fix would write one.
pub(crate) fn not_expanded(reason: Reason) -> Refusal {
    let code = match reason {
        Reason::Template => RefusalCode::Template,
        Reason::NestedSingleQuotes => RefusalCode::Quoted,
        Reason::Repaired | Reason::NestedRepaired => RefusalCode::Uncertain,
        Reason::PowerShell | Reason::Cmd => RefusalCode::UnsupportedForm,
        Reason::EnvVariables
        | Reason::Isolated
        | Reason::QuotedDocument
        | Reason::Elsewhere
        | Reason::Step
        | Reason::OwnEnvironment
        | Reason::TaskDefinition
        | Reason::ImageDefinitions
        | Reason::Dockerrun
        | Reason::Kubernetes
        | Reason::Batch
        | Reason::PipelineManifest
        | Reason::Compose
        | Reason::CloudFormation => RefusalCode::NotExpanded,
    };
    Refusal::new(code, reason.as_str())
}
