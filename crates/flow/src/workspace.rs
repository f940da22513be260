//! The files of one repository, their facts joined per image.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use tagwright_syntax::SmolStr;

use crate::FileId;
use crate::delivery::DeliveryFacts;
use crate::ecr;
use crate::expression::{Piece, Repository};
use crate::facts::{FileFacts, ImageUse, Order, ScriptRun};
use crate::read;
use crate::told_twice;
use crate::tools::Role;

/// A place that names an image: file and index in [`FileFacts::uses`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UseId {
    /// The file.
    pub file: FileId,
    /// 0-based index in its uses.
    pub index: u32,
}

/// All places of one image.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The repository, as it is shown.
    pub name: SmolStr,
    /// Built, tagged or pushed in this workspace, or configured as such.
    pub own: bool,
    /// Own only because it is in a private registry of ECR and deployed here as `latest`: a script or another
    /// tool pushes it.
    pub adopted: bool,
    /// Pushed somewhere in this workspace.
    pub pushed: bool,
    /// Its places: within a file in the order in which they run.
    pub uses: Vec<UseId>,
}

impl Flow {
    /// The name, short enough for a message.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        const LONGEST: usize = 160;
        match self.name.char_indices().nth(LONGEST) {
            Some((end, _)) => Cow::Owned(format!("{}…", &self.name[..end])),
            None => Cow::Borrowed(&self.name),
        }
    }
}

/// The files of one repository.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    files: Vec<FileFacts>,
    flows: Vec<Flow>,
    /// The indices of the files that describe pipelines, projects or permissions: few of many, and often asked for.
    describing: Vec<usize>,
    /// The variables that projects and pipelines pass to builds.
    provided: HashSet<Box<str>>,
    /// The first file of each path, once somebody has asked.
    by_path: OnceLock<HashMap<Arc<str>, usize>>,
}

impl Workspace {
    /// Joins the facts of `files`, whose ids must be their indices. `own` are patterns (`*` stands for
    /// anything) of repositories that count as the workspace's own although nothing here writes them.
    #[must_use]
    pub fn new(mut files: Vec<FileFacts>, own: &[String]) -> Self {
        debug_assert!(files.iter().enumerate().all(|(i, f)| f.id.0 as usize == i));
        read::link(&mut files);
        told_twice::settle(&mut files);
        let flows = join(&files, own);
        let describing = (0..files.len()).filter(|at| files[*at].delivery.is_some());
        let describing = describing.collect();
        let provided = files.iter().flat_map(|file| &file.provided_variables);
        let provided = provided.cloned().collect();
        Self {
            files,
            flows,
            describing,
            provided,
            by_path: OnceLock::new(),
        }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[FileFacts] {
        &self.files
    }

    /// The files, to be joined again after some of them changed.
    #[must_use]
    pub fn into_files(self) -> Vec<FileFacts> {
        self.files
    }

    /// The file at this path, relative to the workspace, with `/`.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&FileFacts> {
        let by_path = self.by_path.get_or_init(|| {
            let files = self.files.iter().enumerate().rev();
            files.map(|(at, it)| (Arc::clone(&it.path), at)).collect()
        });
        self.files.get(*by_path.get(path)?)
    }

    /// The file with this id. Ids come from this workspace only.
    #[must_use]
    pub fn file(&self, id: FileId) -> &FileFacts {
        &self.files[id.0 as usize]
    }

    /// The files that describe pipelines, build projects or permissions, in order.
    pub fn deliveries(&self) -> impl Iterator<Item = (&FileFacts, &DeliveryFacts)> + Clone {
        let files = self.describing.iter().map(|at| &self.files[*at]);
        files.filter_map(|file| Some((file, file.delivery.as_deref()?)))
    }

    /// Whether a project or a pipeline passes the variable to builds.
    #[must_use]
    pub fn provides(&self, variable: &str) -> bool {
        self.provided.contains(variable)
    }

    /// The buildspecs in whose builds the commands of a file run, each with the first time: of a script those that run
    /// it, of any other file none.
    #[must_use]
    pub fn builds_of(&self, file: FileId) -> &[(FileId, Order)] {
        let script = self.file(file).script.as_ref();
        script.map_or(&[], |script| &script.builds)
    }

    /// Whoever runs the script `file`, with how.
    pub fn runs_of(&self, file: FileId) -> impl Iterator<Item = (&FileFacts, &ScriptRun)> {
        let callers = self.file(file).script.iter().flat_map(|it| &it.callers);
        callers.filter_map(|(caller, index)| {
            let caller = self.files.get(caller.0 as usize)?;
            Some((caller, caller.runs.get(*index)?))
        })
    }

    /// The paths, relative to the folder in which builds start, of files that are not among those of the workspace
    /// although commands say what they are: scripts that are run, JSON that is registered or applied.
    #[must_use]
    pub fn unread_files(&self) -> BTreeSet<SmolStr> {
        let runs = self.files.iter().flat_map(|file| &file.runs);
        let handed_on = self.files.iter().flat_map(|file| &file.handed_on);
        let handed_on = handed_on
            .map(|it| &it.path)
            .filter(|it| it.ends_with(".json"));
        let mut paths: BTreeSet<SmolStr> = runs.map(|run| run.path.clone()).collect();
        paths.extend(handed_on.cloned());
        if !paths.is_empty() {
            for file in &self.files {
                paths.remove(&*file.path);
            }
        }
        paths
    }

    /// The images, in the order of their first place.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// The place with this id.
    #[must_use]
    pub fn image_use(&self, id: UseId) -> &ImageUse {
        &self.files[id.file.0 as usize].uses[id.index as usize]
    }
}

/// Whether the role writes the image's repository.
#[must_use]
pub fn writes(role: Role) -> bool {
    matches!(role, Role::BuildPush | Role::Push | Role::TagDestination)
}

/// Images of one file are looked up one after the other up to this many.
const FEW: usize = 16;

/// The files, those that run on one machine side by side.
fn by_machine(files: &[FileFacts]) -> Vec<&FileFacts> {
    let mut files: Vec<&FileFacts> = files.iter().collect();
    files.sort_by_key(|file| file.machine());
    files
}

fn join(files: &[FileFacts], own: &[String]) -> Vec<Flow> {
    // Within a file, by key.
    let mut groups: Vec<(&Repository, Vec<UseId>)> = Vec::new();
    let mut by_key: HashMap<&str, usize> = HashMap::new();
    let (mut machine, mut first) = (None, 0);
    for file in by_machine(files) {
        // A script names its images like the build that runs it.
        if machine.replace(file.machine()) != Some(file.machine()) {
            first = groups.len();
            by_key.clear();
        }
        for (index, image) in file.uses.iter().enumerate() {
            let repository = &image.repository;
            if repository.key().is_empty() {
                continue;
            }
            let id = UseId {
                file: file.id,
                index: u32::try_from(index).unwrap_or(u32::MAX),
            };
            // Most files name very few images.
            let known = if groups.len() - first <= FEW {
                let mut known = groups[first..].iter();
                let at = known.position(|(known, _)| known.key() == repository.key());
                at.map(|at| first + at)
            } else {
                if by_key.is_empty() {
                    let known = groups.iter().enumerate().skip(first);
                    by_key.extend(known.map(|(at, (known, _))| (known.key(), at)));
                }
                by_key.get(repository.key()).copied()
            };
            match known {
                Some(at) => groups[at].1.push(id),
                None => {
                    if groups.len() - first > FEW {
                        by_key.insert(repository.key(), groups.len());
                    }
                    groups.push((repository, vec![id]));
                }
            }
        }
    }
    // Across files: only where a literal repository name says that both mean one image.
    let mut merged: Vec<Vec<usize>> = Vec::new();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut many: HashMap<&str, Namesakes<'_>> = HashMap::new();
    for (index, (repository, _)) in groups.iter().enumerate() {
        let Some(name) = literal_name(repository) else {
            merged.push(vec![index]);
            continue;
        };
        let candidates = by_name.entry(name).or_default();
        let found = if candidates.len() <= FEW {
            candidates.iter().copied().find(|candidate| {
                merged[*candidate]
                    .iter()
                    .any(|other| same_image(groups[*other].0, repository))
            })
        } else {
            let namesakes = many.entry(name).or_insert_with(|| {
                let mut namesakes = Namesakes::default();
                for candidate in candidates.iter() {
                    for member in &merged[*candidate] {
                        namesakes.add(groups[*member].0, *candidate);
                    }
                }
                namesakes
            });
            let found = namesakes.find(repository);
            namesakes.add(repository, found.unwrap_or(merged.len()));
            found
        };
        match found {
            Some(candidate) => merged[candidate].push(index),
            None => {
                candidates.push(merged.len());
                merged.push(vec![index]);
            }
        }
    }
    let accounts = written_accounts(files);
    merged
        .into_iter()
        .map(|members| {
            let repository = groups[members[0]].0;
            let uses = match members.as_slice() {
                [only] => std::mem::take(&mut groups[*only].1),
                _ => {
                    let uses = members.iter().flat_map(|index| &groups[*index].1);
                    uses.copied().collect()
                }
            };
            flow(files, repository, uses, own, &accounts)
        })
        .collect()
}

fn flow(
    files: &[FileFacts],
    repository: &Repository,
    mut uses: Vec<UseId>,
    own: &[String],
    accounts: &HashSet<String>,
) -> Flow {
    uses.shrink_to_fit();
    let role = |id: &UseId| files[id.file.0 as usize].uses[id.index as usize].role;
    let pushed = uses.iter().any(|id| role(id).pushes());
    let written = uses
        .iter()
        .any(|id| writes(role(id)) || role(id) == Role::Build);
    let name = repository.key();
    let own = written || own.iter().any(|pattern| matches_pattern(pattern, name));
    let deployed = || {
        uses.iter().any(|id| {
            let image = &files[id.file.0 as usize].uses[id.index as usize];
            matches!(image.role, Role::Deploy | Role::Record) && image.may_be_latest()
        })
    };
    let adopted = !own && ecr::is_own(repository, accounts) && deployed();
    Flow {
        name: repository.name(),
        own: own || adopted,
        adopted,
        pushed,
        uses,
    }
}

/// The accounts in whose private registries commands of the files write images.
fn written_accounts(files: &[FileFacts]) -> HashSet<String> {
    let uses = files.iter().flat_map(|file| &file.uses);
    uses.filter(|image| writes(image.role))
        .filter_map(|image| ecr::account(&image.repository))
        .collect()
}

/// The last path component, if it is text.
fn literal_name(repository: &Repository) -> Option<&str> {
    let name = match repository.final_text().rsplit_once('/') {
        Some((_, last)) => last,
        // Without a slash the name must be all there is.
        None if repository.has_unknown() => return None,
        None => repository.key(),
    };
    (!name.is_empty()).then_some(name)
}

/// Whether two repositories of different files are surely one: same literal last component, and what
/// stands before it agrees, a variable standing for any text without a slash. A name without any registry
/// on one side only is another image: `docker build -t app` in two folders are two images.
fn same_image(a: &Repository, b: &Repository) -> bool {
    let (ka, kb) = (a.key(), b.key());
    if ka == kb {
        // Two local names are the same only if they name a registry.
        return ka.contains('/');
    }
    match (a.has_unknown(), b.has_unknown()) {
        (true, false) => wildcard(&pattern_of(a), kb.as_bytes()),
        (false, true) => wildcard(&pattern_of(b), ka.as_bytes()),
        // Two spellings with variables: `${AWS_ACCOUNT_ID}.dkr.ecr.…/app` and `${ACCOUNT}.dkr.ecr.…/app`.
        (true, true) => {
            let (pa, pb) = (pattern_of(a), pattern_of(b));
            pa == pb && is_telling(&pa)
        }
        (false, false) => false,
    }
}

/// Repositories with the same last component, each spelling once, with the first of the images that it is of: what
/// [`same_image`] says of one and all others, without asking each pair.
#[derive(Default)]
struct Namesakes<'a> {
    keys: HashMap<&'a str, usize>,
    /// Those with a variable.
    patterns: HashMap<Vec<Option<u8>>, usize>,
    /// Those without.
    literals: HashMap<&'a str, usize>,
}

impl<'a> Namesakes<'a> {
    fn add(&mut self, repository: &'a Repository, image: usize) {
        fn note<K>(entry: Entry<'_, K, usize>, image: usize) {
            entry
                .and_modify(|first| *first = image.min(*first))
                .or_insert(image);
        }
        let key = repository.key();
        note(self.keys.entry(key), image);
        if repository.has_unknown() {
            note(self.patterns.entry(pattern_of(repository)), image);
        } else {
            note(self.literals.entry(key), image);
        }
    }

    /// The first image that is the same as this one.
    fn find(&self, repository: &Repository) -> Option<usize> {
        let key = repository.key();
        let spelled = self.keys.get(key).filter(|_| key.contains('/')).copied();
        let alike = if repository.has_unknown() {
            let pattern = pattern_of(repository);
            let literals = self.literals.iter();
            let fitting = literals.filter(|(key, _)| wildcard(&pattern, key.as_bytes()));
            let equal = self.patterns.get(&pattern).filter(|_| is_telling(&pattern));
            fitting.map(|(_, image)| image).chain(equal).min().copied()
        } else {
            let patterns = self.patterns.iter();
            let fitting = patterns.filter(|(pattern, _)| wildcard(pattern, key.as_bytes()));
            fitting.map(|(_, image)| image).min().copied()
        };
        spelled.into_iter().chain(alike).min()
    }
}

/// Whether two spellings of this pattern with different variables are one image: enough of it is text.
fn is_telling(pattern: &[Option<u8>]) -> bool {
    pattern.iter().filter(|piece| piece.is_some()).count() > 8
}

/// The bytes of a repository, `None` for each variable.
fn pattern_of(repository: &Repository) -> Vec<Option<u8>> {
    let mut pattern = Vec::new();
    for piece in repository.pieces() {
        match piece {
            Piece::Text(text) => pattern.extend(text.bytes().map(Some)),
            Piece::Variable(_) | Piece::Computed(_) => pattern.push(None),
        }
    }
    pattern
}

/// Matches text against a pattern whose `None` stands for one or more bytes, a slash excepted.
fn wildcard(pattern: &[Option<u8>], text: &[u8]) -> bool {
    let mut reach: HashSet<usize> = HashSet::from([0]);
    for piece in pattern {
        let mut next = HashSet::new();
        for at in reach {
            match piece {
                Some(byte) => {
                    if text.get(at) == Some(byte) {
                        next.insert(at + 1);
                    }
                }
                None => {
                    let mut end = at;
                    while text.get(end).is_some_and(|byte| *byte != b'/') {
                        end += 1;
                        next.insert(end);
                    }
                }
            }
        }
        reach = next;
    }
    reach.contains(&text.len())
}

fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else {
        return false;
    };
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let pieces: Vec<&str> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        if index + 1 == pieces.len() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

impl ImageUse {
    /// Whether some value of the tag is `latest`, written or not.
    #[must_use]
    pub fn may_be_latest(&self) -> bool {
        self.tags.iter().any(|tag| tag.kind.is_latest())
    }

    /// Whether the tag is `latest` whatever happens before: it has no other value.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.tags.iter().all(|tag| tag.kind.is_latest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Atom, AtomKind, Expression, Origin};

    fn repository(text: &str) -> Repository {
        // `<name>` is a variable.
        let mut expression = Expression::default();
        for (index, piece) in text.split(['<', '>']).enumerate() {
            if piece.is_empty() {
                continue;
            }
            let kind = if index % 2 == 0 {
                AtomKind::Literal(piece.into())
            } else {
                AtomKind::Variable(piece.into())
            };
            expression.atoms.push(Atom {
                kind,
                site: None,
                origin: Origin::Written,
            });
        }
        Repository::from(&expression)
    }

    #[test]
    fn images_of_two_files_are_one_only_where_a_name_says_so() {
        let cases = [
            (
                "<A>.dkr.ecr.<R>.amazonaws.com/app",
                "1.dkr.ecr.eu-west-1.amazonaws.com/app",
                true,
            ),
            (
                "<A>.dkr.ecr.<R>.amazonaws.com/app",
                "1.dkr.ecr.eu-west-1.amazonaws.com/web",
                false,
            ),
            (
                "<A>.dkr.ecr.<R>.amazonaws.com/app",
                "<B>.dkr.ecr.<C>.amazonaws.com/app",
                true,
            ),
            ("1.dkr.ecr.x/app", "1.dkr.ecr.x/app", true),
            ("app", "app", false),
            ("<REPO>", "<REPO>", false),
            ("<REG>/app", "docker.io/library/app", false),
            ("<REG>/app", "docker.io/app", true),
        ];
        for (a, b, expected) in cases {
            let (one, other) = (repository(a), repository(b));
            for (one, other) in [(&one, &other), (&other, &one)] {
                assert_eq!(same_image(one, other), expected, "{a} {b}");
                if literal_name(one) == literal_name(other) {
                    let mut namesakes = Namesakes::default();
                    namesakes.add(one, 3);
                    assert_eq!(namesakes.find(other), expected.then_some(3), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn own_patterns_match_with_stars() {
        assert!(matches_pattern(
            "*.dkr.ecr.*.amazonaws.com/*",
            "1.dkr.ecr.x.amazonaws.com/app"
        ));
        assert!(matches_pattern("ghcr.io/me/app", "ghcr.io/me/app"));
        assert!(!matches_pattern("ghcr.io/me/*", "ghcr.io/you/app"));
        assert!(!matches_pattern("ghcr.io/me", "ghcr.io/me/app"));
    }
}
