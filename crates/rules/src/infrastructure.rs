//! What Terraform and CloudFormation beside the buildspecs say, where they do not say it of a certain image.

use tagwright_flow::FileId;
use tagwright_syntax::Span;

use crate::context::Context;

/// The first place where Terraform or CloudFormation takes `latest` of a repository that is not written out.
/// Which image that is cannot be seen, so it belongs to no flow, and no fix moves it.
pub(crate) fn latest_of_some_repository(context: &Context<'_>) -> Option<(FileId, Span)> {
    let mut files = context.workspace.files().iter();
    files.find_map(|file| Some((file.id, *file.latest_of_unknown.first()?)))
}
