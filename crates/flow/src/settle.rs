//! What only the whole of a buildspec's commands tells of one of them.

use std::collections::HashSet;

use tagwright_syntax::SmolStr;

use crate::facts::{FileFacts, ImageUse, TagKind};
use crate::tools::{Role, Tool};

/// Files that commands write to and hand on.
#[derive(Default)]
pub(crate) struct Files {
    /// What `sed` edits: the index of a use in [`FileFacts::uses`], and the files as written.
    pub(crate) edited: Vec<(usize, Vec<SmolStr>)>,
    /// What kubectl applies, as written: files and folders.
    pub(crate) applied: Vec<SmolStr>,
}

/// Whether a command that applies `applied` applies the file `edited`, too.
fn applies(applied: &str, edited: &str) -> bool {
    let plain = |path: &str| {
        path.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    };
    let (applied, edited) = (plain(applied), plain(edited));
    // A name that is not written out may be any.
    let unknown = |path: &str| path.contains(['$', '`', '*', '{']);
    if applied.is_empty() || applied == "." || unknown(&applied) || unknown(&edited) {
        return true;
    }
    edited
        .strip_prefix(applied.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl FileFacts {
    /// Settles what reading one command after the other left open.
    pub(crate) fn settle(&mut self, files: &Files) {
        for (index, edited) in &files.edited {
            let applied = edited
                .iter()
                .any(|file| files.applied.iter().any(|path| applies(path, file)));
            if applied && let Some(image) = self.uses.get_mut(*index) {
                image.tool = Tool::Kubectl;
            }
        }
        self.parts_of_lists();
        self.pushes_of_all_tags();
    }

    /// `latest-amd64` is a part of `latest` where a list of that tag is made of it: it moves with the list, so
    /// the place of its tag is the word `latest` in it.
    fn parts_of_lists(&mut self) {
        /// What stands before the name of a platform in the tag of a part.
        const LIST: &str = "latest";
        let part = |image: &ImageUse| match image.tags.as_slice() {
            [tag] => match &tag.kind {
                TagKind::Literal(text) if text.strip_prefix(LIST)?.starts_with(['-', '_', '.']) => {
                    Some(text.clone())
                }
                _ => None,
            },
            _ => None,
        };
        let lists: Vec<&ImageUse> = self
            .uses
            .iter()
            .filter(|image| matches!(image.role, Role::TagDestination | Role::BuildPush))
            .filter(|image| image.tags.iter().all(|tag| tag.kind.is_latest()))
            .collect();
        if lists.is_empty() {
            return;
        }
        let parts: HashSet<(String, SmolStr)> = self
            .uses
            .iter()
            .filter(|image| image.role == Role::TagSource)
            .filter_map(|image| Some((image, part(image)?)))
            .filter(|(image, _)| {
                lists.iter().any(|list| {
                    list.order == image.order && list.repository.key() == image.repository.key()
                })
            })
            .map(|(image, text)| (image.repository.key().to_owned(), text))
            .collect();
        for image in &mut self.uses {
            let Some(text) = part(image) else { continue };
            if !parts.contains(&(image.repository.key().to_owned(), text)) {
                continue;
            }
            for tag in &mut image.tags {
                tag.kind = TagKind::Literal(LIST.into());
                tag.site = tag.site.map(|site| site.slice(0, LIST.len()));
            }
        }
    }

    /// `docker push --all-tags` pushes each tag that the file has given the image so far.
    fn pushes_of_all_tags(&mut self) {
        let is_all = |image: &ImageUse| image.tags.iter().any(|tag| tag.kind == TagKind::All);
        if !self.uses.iter().any(is_all) {
            return;
        }
        let mut uses: Vec<ImageUse> = Vec::with_capacity(self.uses.len());
        for image in std::mem::take(&mut self.uses) {
            if !is_all(&image) {
                uses.push(image);
                continue;
            }
            let mut tags = Vec::new();
            let named = uses
                .iter()
                .filter(|it| matches!(it.role, Role::Build | Role::TagDestination))
                .filter(|it| it.repository.key() == image.repository.key());
            for tag in named.flat_map(|it| &it.tags) {
                if !tags.contains(tag) {
                    tags.push(tag.clone());
                }
            }
            if tags.is_empty() {
                uses.push(image);
                continue;
            }
            uses.extend(tags.into_iter().map(|tag| ImageUse {
                tags: vec![tag],
                ..image.clone()
            }));
        }
        self.uses = uses;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_applied_with_its_files() {
        for (applied, edited, expected) in [
            ("k8s/web.yaml", "k8s/web.yaml", true),
            ("./k8s/web.yaml", "k8s/web.yaml", true),
            ("k8s", "k8s/web.yaml", true),
            ("k8s/", "./k8s/a/web.yaml", true),
            (".", "web.yaml", true),
            ("$DIR", "web.yaml", true),
            ("k8s", "k8s-old/web.yaml", false),
            ("other.yaml", "web.yaml", false),
        ] {
            assert_eq!(applies(applied, edited), expected, "{applied} {edited}");
        }
    }
}
