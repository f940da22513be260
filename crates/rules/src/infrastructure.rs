//! What Terraform and CloudFormation beside the buildspecs say, where they do not say it of a certain image.

use tagwright_flow::{FileId, FileKind};
use tagwright_syntax::Span;

use crate::context::Context;

/// The first place where Terraform or CloudFormation takes `latest` of a repository that is not written out.
/// Which image that is cannot be seen, so it belongs to no flow, and no fix moves it.
pub(crate) fn latest_of_some_repository(context: &Context<'_>) -> Option<(FileId, Span)> {
    const LATEST: &str = "latest";
    context.workspace.files().iter().find_map(|file| {
        // What stands before the tag, and what else the line must hold.
        let (before, sign) = match file.kind {
            FileKind::Terraform => (".repository_url}:", "aws_ecr_repository"),
            FileKind::CloudFormation => ("}:", ".dkr.ecr."),
            _ => return None,
        };
        let mut start = 0;
        for line in file.text.split_inclusive('\n') {
            let at = line
                .match_indices(before)
                .map(|(at, _)| at + before.len())
                .find(|at| {
                    let tag = line[*at..].strip_prefix(LATEST);
                    tag.is_some_and(|rest| {
                        !rest.starts_with(|next: char| {
                            matches!(next, '-' | '_' | '.') || next.is_alphanumeric()
                        })
                    })
                });
            if let Some(at) = at
                && line.contains(sign)
                && !line.trim_start().starts_with('#')
            {
                return Some((file.id, Span::new(start + at, start + at + LATEST.len())));
            }
            start += line.len();
        }
        None
    })
}
