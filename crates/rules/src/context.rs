//! What a rule is given, and where it puts what it finds.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tagwright_flow::facts::{FileFacts, ImageUse, TagKind, TagValue, WorkloadFacts};
use tagwright_flow::mentions::{self, Mention, Surroundings};
use tagwright_flow::tools::Role;
use tagwright_flow::{FileId, FileKind, Flow, UseId, Workspace};
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::position::LineIndex;
use tagwright_syntax::shell::{self, Script};
use tagwright_syntax::yaml::{NodeId, Tree};
use tagwright_syntax::{SmolStr, SourceMap, Span};

use crate::branch_variable;
use crate::definitions;
use crate::directives::{self, Directive};
use crate::outline::Outline;
use crate::plan::{self, ImagePlan};
use crate::rewritten;
use crate::shared_variables::Reads;
use crate::templated::{self, Call};
use crate::{Finding, Fix, Refusal, Related, Rule, Settings, Severity};

/// The workspace, as rules see it.
pub struct Context<'a> {
    /// The files and their flows.
    pub workspace: &'a Workspace,
    /// The configuration.
    pub settings: &'a Settings,
    surroundings: &'a dyn Surroundings,
    mentions: OnceLock<mentions::Index>,
    // Rules may run side by side.
    plans: Vec<OnceLock<ImagePlan>>,
    index: OnceLock<plan::Index>,
    /// Whether a variable of a file may be redefined from an item on.
    redefinable: Mutex<HashMap<Redefinition, Result<(), Refusal>>>,
    pushes_latest: Vec<OnceLock<bool>>,
    /// The command that sets the branch variable, without and with Copilot's pipeline.
    derivations: [OnceLock<SmolStr>; 2],
    rewritten: OnceLock<Arc<BTreeSet<FileId>>>,
    /// Who reads the variables of each file.
    reads: Vec<OnceLock<Reads<'a>>>,
    replaced: OnceLock<BTreeSet<FileId>>,
    templates: OnceLock<templated::Calls>,
}

/// A variable of a file, and the command item from which on it would have another value.
type Redefinition = (FileId, SmolStr, u32);

/// One place of a flow.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Its id.
    pub id: UseId,
    /// Its file.
    pub file: &'a FileFacts,
    /// What is there.
    pub image: &'a ImageUse,
}

fn place(workspace: &Workspace, id: UseId) -> Place<'_> {
    Place {
        id,
        file: workspace.file(id.file),
        image: workspace.image_use(id),
    }
}

impl<'a> Context<'a> {
    /// A context without any plan made yet.
    #[must_use]
    pub fn new(
        workspace: &'a Workspace,
        settings: &'a Settings,
        surroundings: &'a dyn Surroundings,
    ) -> Self {
        Self {
            workspace,
            settings,
            surroundings,
            mentions: OnceLock::new(),
            plans: workspace.flows().iter().map(|_| OnceLock::new()).collect(),
            pushes_latest: workspace.flows().iter().map(|_| OnceLock::new()).collect(),
            derivations: [const { OnceLock::new() }; 2],
            rewritten: OnceLock::new(),
            reads: workspace.files().iter().map(|_| OnceLock::new()).collect(),
            replaced: OnceLock::new(),
            templates: OnceLock::new(),
            index: OnceLock::new(),
            redefinable: Mutex::default(),
        }
    }

    /// The workspace's own images, with their 0-based index among the flows.
    pub fn own_flows(&self) -> impl Iterator<Item = (usize, &'a Flow)> {
        self.workspace
            .flows()
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.own)
    }

    /// One place.
    pub(crate) fn place(&self, id: UseId) -> Place<'a> {
        place(self.workspace, id)
    }

    /// The places of a flow, but for those in files that a build edits before anything reads them.
    pub fn places<'c>(&'c self, flow: &'a Flow) -> impl Iterator<Item = Place<'a>> + use<'a, 'c> {
        let workspace = self.workspace;
        let data = flow
            .uses
            .iter()
            .any(|id| rewritten::is_data(workspace.file(id.file)));
        // Most flows have no such file.
        let rewritten = data.then(|| {
            let files = self
                .rewritten
                .get_or_init(|| Arc::new(rewritten::files(workspace)));
            Arc::clone(files)
        });
        flow.uses
            .iter()
            .filter(move |id| !rewritten.as_ref().is_some_and(|it| it.contains(&id.file)))
            .filter(move |id| !(data && self.is_without_effect(id.file)))
            .map(move |id| place(workspace, *id))
    }

    /// Whether what the file says of images deploys nothing: the build replaces it, or it is a sample.
    pub(crate) fn is_without_effect(&self, file: FileId) -> bool {
        let files = self
            .replaced
            .get_or_init(|| definitions::without_effect(self.workspace));
        files.contains(&file)
    }

    /// The files that Terraform reads as templates.
    pub(crate) fn templates(&self) -> &templated::Calls {
        self.templates
            .get_or_init(|| templated::calls(self.workspace))
    }

    /// The calls that read the file as a template, in the order of their files.
    pub(crate) fn template_calls(&self, file: FileId) -> impl Iterator<Item = Call<'a>> {
        let workspace = self.workspace;
        let calls = self.templates().get(&file);
        let calls = calls.into_iter().flatten();
        calls.filter_map(move |(reader, index)| Call::new(workspace.file(*reader), *index))
    }

    /// The Copilot workloads that the workspace has manifests of.
    #[must_use]
    pub fn workloads(&self) -> Vec<&'a WorkloadFacts> {
        self.workspace
            .files()
            .iter()
            .filter_map(|file| file.workload.as_ref())
            .collect()
    }

    /// How `latest` is replaced in the flow of this index; made once.
    pub(crate) fn plan(&self, flow: usize) -> &ImagePlan {
        self.plans[flow].get_or_init(|| ImagePlan::make(self, &self.workspace.flows()[flow]))
    }

    /// Whether a fix may redefine `variable` from the command item `from` of the file on, as
    /// [`branch_variable::may_redefine`] says; all images of the file ask.
    pub(crate) fn may_redefine(
        &self,
        file: &FileFacts,
        variable: &str,
        from: u32,
    ) -> Result<(), Refusal> {
        let lock = || {
            self.redefinable
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let key = (file.id, variable.into(), from);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let answer = branch_variable::may_redefine(self.workspace, file, variable, from);
        lock().insert(key, answer.clone());
        answer
    }

    /// Who reads the variables of a file; its commands are read again at the first call.
    pub(crate) fn reads(&self, file: &'a FileFacts) -> &Reads<'a> {
        self.reads[file.id.0 as usize].get_or_init(|| Reads::of(file))
    }

    /// What plans ask of all images.
    pub(crate) fn index(&self) -> &plan::Index {
        self.index.get_or_init(|| plan::Index::new(self))
    }

    /// Every place of the repository that may name an image by `latest`; looked for once, where a fix would
    /// move one.
    pub(crate) fn mentions(&self) -> &mentions::Index {
        self.mentions.get_or_init(|| {
            // What the build writes anew names the new tag afterwards, and a sample nobody deploys.
            let skipped = |file| self.is_without_effect(file);
            mentions::Index::new(self.workspace, self.surroundings, &skipped)
        })
    }

    /// The first place of the repository that may run the script beside the commands that are known to.
    pub(crate) fn other_caller(&self, script: FileId) -> Option<Mention> {
        mentions::other_caller(self.workspace, self.surroundings, script)
    }

    /// The path of a script in the repository, called by a buildspec or not, that may set the variable.
    pub(crate) fn assigned_in_script(&self, variable: &str) -> Option<String> {
        let sign = format!("{variable}=");
        let scripts = self.workspace.files().iter();
        let mut scripts = scripts.filter(|file| file.kind == FileKind::Script);
        if let Some(file) = scripts.find(|file| file.may_hold(&sign)) {
            return Some(file.path.to_string());
        }
        let mut found = None;
        self.surroundings.each(&mut |path, text| {
            let shell = path.ends_with(".sh") || path.ends_with(".bash") || path.ends_with(".env");
            if found.is_none() && shell && text.contains(&sign) {
                found = Some(path.to_owned());
            }
        });
        found
    }

    /// The command that sets the branch variable: [`Derivation::text`](crate::derivation::Derivation::text), made once.
    pub(crate) fn derivation(&self, copilot_pipeline: bool) -> SmolStr {
        let text = self.derivations[usize::from(copilot_pipeline)]
            .get_or_init(|| self.settings.derivation(copilot_pipeline).text().into());
        text.clone()
    }

    /// Whether some push of the flow of this index pushes `latest`, not only as the fallback of a variable.
    #[must_use]
    pub fn pushes_latest(&self, flow: usize) -> bool {
        *self.pushes_latest[flow].get_or_init(|| {
            self.pushed(&self.workspace.flows()[flow])
                .any(|place| place.image.is_latest())
        })
    }

    /// The places that push an image; a push of all tags is one for each tag.
    pub(crate) fn pushed<'c>(
        &'c self,
        flow: &'a Flow,
    ) -> impl Iterator<Item = Place<'a>> + use<'a, 'c> {
        self.places(flow).filter(|place| pushes(place.image.role))
    }

    /// Whether all pushes of `latest` of the flow of this index run only for branches that a condition names.
    pub(crate) fn is_of_one_branch(&self, flow: usize) -> bool {
        let mut pushed = self
            .pushed(&self.workspace.flows()[flow])
            .filter(|place| place.image.is_latest())
            .peekable();
        pushed.peek().is_some() && pushed.all(|place| place.image.one_branch)
    }

    /// Whether `latest` at this place of the flow of this index reaches the registry, or is on its way there.
    #[must_use]
    pub fn is_published(&self, flow: usize, place: Place<'a>) -> bool {
        match place.image.role {
            Role::Push | Role::BuildPush => true,
            Role::Build | Role::TagDestination => self.pushes_latest(flow),
            _ => false,
        }
    }

    /// Tags other than `latest` that the flow pushes.
    pub fn other_pushed_tags<'c>(
        &'c self,
        flow: &'a Flow,
    ) -> impl Iterator<Item = (Place<'a>, &'a TagValue)> + use<'a, 'c> {
        self.pushed(flow)
            .flat_map(|place| place.image.tags.iter().map(move |tag| (place, tag)))
            .filter(|(_, tag)| match &tag.kind {
                TagKind::Literal(text) => &**text != "latest",
                TagKind::Variable(_) => true,
                TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => false,
            })
    }
}

/// One file with its tree, as rules about single files see it.
pub struct Document<'a> {
    /// Its facts, its path among them.
    pub facts: &'a FileFacts,
    text: &'a str,
    /// Its tree.
    pub tree: &'a Tree,
    /// The typed view, if it is a buildspec (not one inside another file).
    pub buildspec: Option<Buildspec>,
    /// The file around it, if it stands inside another one.
    pub(crate) outer: Option<Outer<'a>>,
    items: OnceCell<Vec<ItemText<'a>>>,
    outline: OnceCell<Outline>,
    directives: OnceCell<Vec<Directive>>,
}

/// A command item of a buildspec.
pub(crate) struct ItemText<'a> {
    /// 0-based index among the phases of the typed view.
    pub(crate) phase: usize,
    /// The scalar, an alias resolved.
    pub(crate) node: NodeId,
    /// Its decoded text.
    pub(crate) text: &'a str,
    script: OnceCell<Arc<Script>>,
}

impl ItemText<'_> {
    /// Its commands, read at the first call.
    pub(crate) fn script(&self) -> &Arc<Script> {
        self.script.get_or_init(|| shell::parsed(self.text))
    }
}

/// The file that holds a document as a value of its own.
#[derive(Clone, Copy)]
pub(crate) struct Outer<'a> {
    /// Its text.
    pub(crate) text: &'a str,
    /// The lines of its text.
    pub(crate) lines: &'a LineIndex,
    /// From the document's text to that file.
    pub(crate) map: &'a SourceMap,
}

impl<'a> Document<'a> {
    pub(crate) fn new(
        facts: &'a FileFacts,
        text: &'a str,
        tree: &'a Tree,
        buildspec: Option<Buildspec>,
    ) -> Self {
        Self {
            facts,
            text,
            tree,
            buildspec,
            outer: None,
            items: OnceCell::new(),
            outline: OnceCell::new(),
            directives: OnceCell::new(),
        }
    }

    /// The command items of the buildspec, in the order in which they run, found out at the first call.
    pub(crate) fn items(&self) -> &[ItemText<'a>] {
        self.items.get_or_init(|| {
            let tree = self.tree;
            let mut items = Vec::new();
            let phases = self.buildspec.iter().flat_map(|spec| &spec.phases);
            for (index, phase) in phases.enumerate() {
                for list in phase.commands.iter().chain(&phase.finally) {
                    items.extend(list.items.iter().filter_map(|(_, node)| {
                        let node = tree.resolve(*node);
                        let text = tree.text(node)?;
                        Some(ItemText {
                            phase: index,
                            node,
                            text,
                            script: OnceCell::new(),
                        })
                    }));
                }
            }
            items
        })
    }

    /// What the rules about structure read of the file, found out at the first call.
    pub(crate) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::new(self))
    }

    /// The comments that are addressed to tagwright, found out at the first call.
    pub(crate) fn directives(&self) -> &[Directive] {
        self.directives.get_or_init(|| {
            let text = self.text();
            // Almost no file has any.
            match memchr::memmem::find(text.as_bytes(), directives::MARK.as_bytes()) {
                Some(_) => directives::of_yaml(self.facts.id, text, self.tree),
                None => Vec::new(),
            }
        })
    }

    /// The file's text, for rules about how it is laid out. What a file says is asked of its tree.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }
}

/// Whether the image gets a name there on the machine of the build.
pub(crate) fn names(role: Role) -> bool {
    matches!(role, Role::Build | Role::TagDestination)
}

/// Whether the role pushes to a registry.
#[must_use]
pub fn pushes(role: Role) -> bool {
    role.pushes()
}

/// Whether the role puts an image to work, or tells what does.
#[must_use]
pub fn deploys(role: Role) -> bool {
    matches!(role, Role::Deploy | Role::Record)
}

/// Where a rule puts what it finds.
pub struct Report<'a> {
    rule: &'static Rule,
    level: Severity,
    configured: bool,
    findings: &'a mut Vec<Finding>,
}

/// A finding in the making.
pub struct Draft {
    finding: Finding,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        rule: &'static Rule,
        level: Severity,
        configured: bool,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        Self {
            rule,
            level,
            configured,
            findings,
        }
    }

    /// A finding at `span` of `file`, with the rule's own severity.
    #[must_use]
    pub fn draft(&self, file: FileId, span: Span, message: impl Into<String>) -> Draft {
        // What a message quotes may be a megabyte long.
        const LONGEST: usize = 1_000;
        let mut message = message.into();
        if message.len() > LONGEST
            && let Some((end, _)) = message.char_indices().nth(LONGEST)
        {
            message.truncate(end);
            message.push('…');
        }
        // It is kept until the report is written.
        message.shrink_to_fit();
        Draft {
            finding: Finding {
                rule: self.rule.name,
                severity: self.level,
                message,
                file,
                span,
                related: Vec::new(),
                fix: None,
                alternative: None,
                refusal: None,
            },
        }
    }

    /// Adds a finding. A level from the configuration holds whatever the draft says.
    pub fn add(&mut self, draft: Draft) {
        let mut finding = draft.finding;
        if self.configured {
            finding.severity = self.level;
        }
        self.findings.push(finding);
    }
}

impl Draft {
    /// With a severity other than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    /// With another place that explains it.
    #[must_use]
    pub fn related(mut self, file: FileId, span: Span, message: impl Into<String>) -> Self {
        self.finding.related.push(Related {
            file,
            span,
            message: message.into(),
        });
        self
    }

    /// With a fix, or the reason why there is none.
    #[must_use]
    pub fn fix(self, fix: Result<Fix, Refusal>) -> Self {
        self.shared_fix(fix.map(Arc::new))
    }

    /// With the fix that it has in common with other findings of its group, or the reason why there is none.
    #[must_use]
    pub fn shared_fix(mut self, fix: Result<Arc<Fix>, Refusal>) -> Self {
        match fix {
            Ok(fix) => self.finding.fix = Some(fix),
            Err(refusal) => self.finding.refusal = Some(refusal),
        }
        self
    }

    /// With another answer, to be chosen instead of the fix.
    #[must_use]
    pub(crate) fn alternative(mut self, fix: Option<Arc<Fix>>) -> Self {
        self.finding.alternative = fix;
        self
    }
}
