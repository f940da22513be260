//! What rules ask about pipelines: which project an action builds, which buildspec that project runs, and
//! where an action stands in its pipeline.

use std::collections::HashMap;
use std::sync::Arc;

use tagwright_flow::delivery::{
    Action, BuildspecOf, EnvironmentVariable, Pipeline, Project, Run, Value, is_path,
};
use tagwright_flow::facts::{BuildspecFacts, FileFacts, ShellKind};
use tagwright_flow::habits::ItemScript;
use tagwright_flow::{FileId, FileKind};
use tagwright_syntax::Span;
use tagwright_syntax::shell::Script;

use crate::Related;
use crate::context::Context;

/// A build action with the project that it starts.
#[derive(Clone, Copy)]
pub(crate) struct Build<'a> {
    /// The pipeline's file.
    pub(crate) file: &'a FileFacts,
    /// The pipeline.
    pub(crate) pipeline: &'a Pipeline,
    /// The action.
    pub(crate) action: &'a Action,
    /// The project.
    pub(crate) project: &'a Project,
    /// The file that holds the commands.
    pub(crate) buildspec: &'a FileFacts,
}

/// All pipelines of the workspace.
pub(crate) fn pipelines<'a>(
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a FileFacts, &'a Pipeline)> {
    context.workspace.deliveries().flat_map(|(file, delivery)| {
        let pipelines = delivery.pipelines.iter();
        pipelines.map(move |pipeline| (file, pipeline))
    })
}

/// All build actions of pipelines whose project and buildspec the workspace has.
pub(crate) fn builds<'a>(context: &Context<'a>) -> Vec<Build<'a>> {
    let mut builds = Vec::new();
    for (file, pipeline) in pipelines(context) {
        for action in actions(pipeline).filter(|action| action.is_build()) {
            let build = project_of(context, file, action).and_then(|(holder, project)| {
                Some(Build {
                    file,
                    pipeline,
                    action,
                    project,
                    buildspec: match action.setting("BuildspecOverride") {
                        None => buildspec_of(context, holder, &project.buildspec)?,
                        Some(setting) => buildspec_of(context, file, &overriding(&setting.value))?,
                    },
                })
            });
            builds.extend(build);
        }
    }
    builds
}

/// Where the commands of an action are that brings its own: a path relative to the source's root, or text.
fn overriding(value: &Value) -> BuildspecOf {
    match value {
        Value::Text(path) if is_path(path) => {
            BuildspecOf::File(path.trim_start_matches("./").into())
        }
        _ => BuildspecOf::Unknown,
    }
}

/// All build projects of the workspace.
pub(crate) fn projects<'a>(
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a FileFacts, &'a Project)> {
    context.workspace.deliveries().flat_map(|(file, delivery)| {
        let projects = delivery.projects.iter();
        projects.map(move |project| (file, project))
    })
}

/// The file that only this project runs, and no other one of the workspace may; the description itself where the
/// project holds its commands.
pub(crate) fn only_runs<'a>(
    context: &Context<'a>,
    holder: &'a FileFacts,
    project: &'a Project,
) -> Option<&'a FileFacts> {
    if pipelines(context)
        .flat_map(|(_, pipeline)| actions(pipeline))
        .any(|action| action.setting("BuildspecOverride").is_some())
    {
        return None;
    }
    if project.text.is_some() {
        return Some(holder);
    }
    let file = buildspec_of(context, holder, &project.buildspec)?;
    let another = projects(context).any(|(other, it)| {
        if std::ptr::eq(it, project) || it.text.is_some() {
            return false;
        }
        it.buildspec == BuildspecOf::Unknown
            || buildspec_of(context, other, &it.buildspec).is_some_and(|its| its.id == file.id)
    });
    (!another).then_some(file)
}

/// The value that the build of `file` gets for a variable that it does not set itself: from its project, if that is
/// the only one that runs it, and if no pipeline passes another one.
pub(crate) fn given<'a>(
    context: &Context<'a>,
    file: &FileFacts,
    name: &str,
) -> Option<(&'a FileFacts, &'a Project, &'a EnvironmentVariable)> {
    if file.assigned(name).next().is_some() {
        return None;
    }
    let mut found = projects(context).filter_map(|(holder, project)| {
        let variable = project.variable(name)?;
        let runs = only_runs(context, holder, project)?;
        (runs.id == file.id).then_some((holder, project, variable))
    });
    let first = found.next()?;
    let another = builds(context).into_iter().any(|build| {
        let passed = build.action.passed.as_deref();
        std::ptr::eq(build.project, first.1)
            && passed.is_none_or(|it| it.iter().any(|it| &*it.name == name))
    });
    (found.next().is_none() && !another).then_some(first)
}

/// The commands of a project whose buildspec is in `file`.
pub(crate) fn commands(file: &FileFacts, project: &Project) -> Arc<Vec<ItemScript>> {
    let posix = |it: &BuildspecFacts| it.shell == ShellKind::Posix && it.template.is_none();
    match project.text {
        Some(place) => Arc::new(file.scripts_at(place)),
        None if file.buildspec.as_ref().is_some_and(posix) => file.scripts(),
        None => Arc::default(),
    }
}

/// Whether the command at `index` of `script`, which was read from `text`, surely runs if the item does: neither
/// in a branch nor in a loop, nor behind something that may fail without ending the build.
pub(crate) fn surely_runs(script: &Script, text: &str, index: usize) -> bool {
    let Some(command) = script.commands.get(index) else {
        return false;
    };
    let context = &command.context;
    if context.after_failure || context.tolerated || context.function.is_some() {
        return false;
    }
    if !context.conditional {
        return true;
    }
    let Some(before) = index.checked_sub(1) else {
        return false;
    };
    let end = script.commands[before].span.end as usize;
    let gap = text.get(end..command.span.start as usize);
    gap.is_some_and(|gap| gap.trim() == "&&") && surely_runs(script, text, before)
}

/// The deployments behind a build that take one of its artifacts.
pub(crate) fn consumers<'a>(build: &Build<'a>) -> impl Iterator<Item = &'a Action> + use<'a> {
    let outputs = &build.action.outputs;
    actions(build.pipeline).filter(|it| it.inputs.iter().any(|input| outputs.contains(input)))
}

/// The bytes of `file` for `span` of an item's text, if the item is one of the file's own.
pub(crate) fn place(file: &FileFacts, item: &ItemScript, span: Span) -> Option<Span> {
    let own = file.buildspec.as_ref().is_some_and(|it| !it.inline);
    if !own || !item.whole {
        return None;
    }
    let tree = file.tree();
    file.source_map(&tree, item.node)?.source(span)
}

/// The actions of a pipeline, in the order of the file.
pub(crate) fn actions(pipeline: &Pipeline) -> impl Iterator<Item = &Action> {
    pipeline.stages.iter().flat_map(|stage| &stage.actions)
}

/// Where names that are not text mean the same: a CloudFormation template, a folder of Terraform.
pub(crate) fn scope(file: &FileFacts) -> &str {
    match file.kind {
        FileKind::Terraform => folder(&file.path),
        _ => &file.path,
    }
}

/// The folder of a path, with its slash; empty at the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// The project that an action starts, and the file that describes it.
fn project_of<'a>(
    context: &Context<'a>,
    file: &FileFacts,
    action: &Action,
) -> Option<(&'a FileFacts, &'a Project)> {
    let wanted = &action.setting("ProjectName")?.value;
    let mut found = projects(context).filter(|(holder, project)| match wanted {
        Value::Text(_) => project.name == *wanted,
        Value::Reference(_) => {
            scope(holder) == scope(file) && (project.address == *wanted || project.name == *wanted)
        }
        Value::Unknown => false,
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The file that holds the commands of a build that `holder` describes, if it is certain.
fn buildspec_of<'a>(
    context: &Context<'a>,
    holder: &'a FileFacts,
    buildspec: &BuildspecOf,
) -> Option<&'a FileFacts> {
    let (path, named) = match buildspec {
        BuildspecOf::Here => return Some(holder),
        BuildspecOf::Unknown => return None,
        BuildspecOf::Default => ("buildspec.yml", false),
        BuildspecOf::File(path) => (&**path, true),
    };
    let specs = || {
        context
            .workspace
            .files()
            .iter()
            .filter(|file| file.kind == FileKind::Buildspec)
    };
    let beside = format!("{}{path}", folder(&holder.path));
    let at = |path: &str| {
        let found = context.workspace.at_path(path);
        found.filter(|file| file.kind == FileKind::Buildspec)
    };
    if let Some(file) = at(path).or_else(|| at(&beside)) {
        return Some(file);
    }
    // The workspace may begin above the source's root.
    let ending = format!("/{path}");
    let mut below = specs().filter(|file| named && file.path.ends_with(&ending));
    let first = below.next()?;
    below.next().is_none().then_some(first)
}

/// Of so many builds that run one file, further ones in the same image say nothing new.
const MANY: usize = 16;

/// The builds of the workspace that run each file's commands, as far as it is certain which they run; of very many
/// in one image, the first ones.
pub(crate) struct Runs<'a> {
    of_file: HashMap<FileId, Vec<(&'a FileFacts, &'a Run)>>,
}

impl<'a> Runs<'a> {
    /// Reads what all files describe.
    pub(crate) fn new(context: &Context<'a>) -> Self {
        let mut of_file: HashMap<FileId, Vec<_>> = HashMap::new();
        for (holder, delivery) in context.workspace.deliveries() {
            for run in &delivery.runs {
                let file = match run.text {
                    Some(_) if run.buildspec == BuildspecOf::Unknown => Some(holder),
                    _ => buildspec_of(context, holder, &run.buildspec),
                };
                let Some(file) = file else { continue };
                let known = of_file.entry(file.id).or_default();
                let same = |(_, it): &(_, &Run)| it.text.is_none() && it.image == run.image;
                let told = known.len() >= MANY && run.text.is_none();
                if !(told && known.iter().take(MANY).any(same)) {
                    known.push((holder, run));
                }
            }
        }
        Self { of_file }
    }

    /// The builds that run the commands at `span` of `file`.
    pub(crate) fn at(
        &self,
        file: FileId,
        span: Span,
    ) -> impl Iterator<Item = (&'a FileFacts, &'a Run)> {
        let runs = self.of_file.get(&file).into_iter().flatten().copied();
        runs.filter(move |(holder, run)| {
            holder.id != file || run.text.is_none_or(|text| text.contains(span))
        })
    }

    /// The same as places for people: `how` they run the commands.
    pub(crate) fn told(
        &self,
        file: FileId,
        span: Span,
        how: &str,
    ) -> impl Iterator<Item = Related> {
        self.at(file, span).map(move |(holder, run)| Related {
            file: holder.id,
            span: run.span,
            message: format!("{} {how}", run.of),
        })
    }

    /// What the images of all builds that run the commands at `span` of `file` have in common; `None` if there is
    /// no such build, or if of the image of one of them it is not known.
    pub(crate) fn agree<T: Copy + PartialEq>(
        &self,
        file: FileId,
        span: Span,
        of_image: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let mut common = None;
        for (_, run) in self.at(file, span) {
            let Value::Text(image) = &run.image else {
                return None;
            };
            let own = of_image(image)?;
            if *common.get_or_insert(own) != own {
                return None;
            }
        }
        common
    }
}

/// How the pipeline writes the branch of its source, if it has one source that can tell.
pub(crate) fn branch_reference(pipeline: &Pipeline) -> Option<String> {
    source_reference(pipeline, "BranchName")
}

/// How the pipeline writes the commit that it builds.
pub(crate) fn commit_reference(pipeline: &Pipeline) -> String {
    source_reference(pipeline, "CommitId")
        .unwrap_or_else(|| "#{SourceVariables.CommitId}".to_owned())
}

fn source_reference(pipeline: &Pipeline, name: &str) -> Option<String> {
    let mut sources = actions(pipeline)
        .filter(|it| &*it.category == "Source" && !matches!(&*it.provider, "S3" | "ECR"));
    let namespace = sources.next()?.namespace.as_deref()?;
    sources
        .next()
        .is_none()
        .then(|| format!("#{{{namespace}.{name}}}"))
}

/// The words of a name, in lower case: `ProdBuild`, `prod-build` and `prod_build` are `prod` and `build`.
pub(crate) fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        let starts = !c.is_ascii_alphanumeric() || lower && c.is_ascii_uppercase();
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.into_iter().filter(|word| !word.is_empty())
}
