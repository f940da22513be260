//! Reads the calls of a build as what they do with images, and judges them.
//!
//! Knows just the commands of the fixtures, from their arguments after expansion: nothing here shares
//! code with the tables that it helps to test.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Outcome;
use super::fixture::LatestStays;

/// What one call, or one file left by the build, does with an image.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Build(Image),
    Tag { source: Image, destination: Image },
    Push(Image),
    Pull(Image),
    Deploy(Image),
}

/// A repository and its tag, `latest` where none is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    pub(crate) repository: String,
    pub(crate) tag: String,
}

impl Image {
    fn parse(reference: &str) -> Self {
        let path = reference.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match reference[path..].rfind(':') {
            Some(colon) => (&reference[..path + colon], &reference[path + colon + 1..]),
            None => (reference, "latest"),
        };
        Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        }
    }

    fn is_valid(&self) -> bool {
        let mut characters = self.tag.chars();
        characters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric() || first == '_')
            && self.tag.len() <= 128
            && characters.all(is_tag_character)
    }
}

fn is_tag_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.-".contains(character)
}

/// The values of an option, given as `--name value` or `--name=value`.
fn values<'a>(words: &'a [String], names: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        for name in names {
            if word == name {
                found.extend(words.get(index + 1).map(String::as_str));
            } else if let Some(value) = word
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('='))
            {
                found.push(value);
            }
        }
    }
    found
}

fn events_of_call(call: &[String]) -> Vec<Event> {
    let words: Vec<&str> = call.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["docker", "build", ..] | ["docker", "buildx", "build", ..] => {
            let names = values(call, &["-t", "--tag"]).into_iter().map(Image::parse);
            let push = words.contains(&"--push");
            names
                .flat_map(|name| {
                    let pushed = push.then(|| Event::Push(name.clone()));
                    [Some(Event::Build(name)), pushed].into_iter().flatten()
                })
                .collect()
        }
        ["docker", "tag", source, destination] => {
            vec![Event::Tag {
                source: Image::parse(source),
                destination: Image::parse(destination),
            }]
        }
        ["docker", "push", .., reference] => vec![Event::Push(Image::parse(reference))],
        ["docker", "pull", .., reference] => vec![Event::Pull(Image::parse(reference))],
        ["aws", "lambda", "update-function-code", ..] => values(call, &["--image-uri"])
            .into_iter()
            .map(|uri| Event::Deploy(Image::parse(uri)))
            .collect(),
        ["kubectl", "set", "image", _, assignments @ ..] => assignments
            .iter()
            .filter(|word| !word.starts_with('-'))
            .filter_map(|word| word.split_once('='))
            .map(|(_, reference)| Event::Deploy(Image::parse(reference)))
            .collect(),
        ["helm", "upgrade" | "install", ..] => {
            let set = values(call, &["--set", "--set-string"]);
            let value = |key: &str| set.iter().find_map(|entry| entry.strip_prefix(key));
            match (value("image.repository="), value("image.tag=")) {
                (Some(repository), Some(tag)) => {
                    vec![Event::Deploy(Image::parse(&format!("{repository}:{tag}")))]
                }
                _ => Vec::new(),
            }
        }
        [program, "svc" | "job", "deploy" | "package", ..] if is_copilot(program) => {
            let name = values(call, &["-n", "--name"])
                .first()
                .map_or_else(String::new, |name| format!("copilot/{name}"));
            values(call, &["--tag"])
                .into_iter()
                .flat_map(|tag| {
                    let image = Image {
                        repository: name.clone(),
                        tag: tag.to_owned(),
                    };
                    [
                        Event::Build(image.clone()),
                        Event::Push(image.clone()),
                        Event::Deploy(image),
                    ]
                })
                .collect()
        }
        ["ssh", _, script] => script
            .split_whitespace()
            .skip_while(|word| *word != "pull")
            .nth(1)
            .map(|reference| Event::Deploy(Image::parse(reference)))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn is_copilot(program: &str) -> bool {
    program == "copilot" || program.starts_with("copilot-linux")
}

/// The references in the files that a deployment reads.
fn events_of_json(json: &BTreeMap<String, String>) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for (name, text) in json {
        let file = name.rsplit('/').next().unwrap_or(name);
        if !["imagedefinitions.json", "imageDetail.json", "taskdef.json"].contains(&file) {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| format!("{name} is no JSON: {error}: {text}"))?;
        let entries = match &value {
            serde_json::Value::Array(entries) => entries.clone(),
            _ => value
                .get("containerDefinitions")
                .and_then(|list| list.as_array())
                .cloned()
                .unwrap_or_else(|| vec![value.clone()]),
        };
        for entry in entries {
            let reference = ["imageUri", "ImageURI", "image"]
                .iter()
                .find_map(|key| entry.get(*key)?.as_str());
            let reference = reference.ok_or_else(|| format!("{name} names no image: {text}"))?;
            events.push(Event::Deploy(Image::parse(reference)));
        }
    }
    Ok(events)
}

/// Everything that the build did with images, in order.
fn events(outcome: &Outcome) -> Result<Vec<Event>, String> {
    let mut events: Vec<Event> = outcome
        .calls
        .iter()
        .flat_map(|call| events_of_call(call))
        .collect();
    events.extend(events_of_json(&outcome.json)?);
    Ok(events)
}

/// Tags, by repository.
pub(crate) type Pushes = BTreeMap<String, BTreeSet<String>>;

/// The tags that the build pushed.
pub(crate) fn pushed(outcome: &Outcome) -> Result<Pushes, String> {
    let mut pushed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events(outcome)? {
        if let Event::Push(image) = event {
            pushed
                .entry(image.repository)
                .or_default()
                .insert(image.tag);
        }
    }
    Ok(pushed)
}

/// The images that the build deployed, or handed on to be deployed.
pub(crate) fn deployed(outcome: &Outcome) -> Result<BTreeSet<Image>, String> {
    let deployed = events(outcome)?
        .into_iter()
        .filter_map(|event| match event {
            Event::Deploy(image) => Some(image),
            _ => None,
        });
    Ok(deployed.collect())
}

/// The images that the build deployed by commands which do nothing where the tag is the one already there.
pub(crate) fn deployed_by_tag(outcome: &Outcome) -> BTreeSet<Image> {
    let by_tag = |call: &&Vec<String>| match call.as_slice() {
        [program, ..] if program == "kubectl" || program == "helm" => true,
        [program, _, package, ..] => is_copilot(program) && package == "package",
        _ => false,
    };
    let deployed = outcome
        .calls
        .iter()
        .filter(by_tag)
        .flat_map(|call| events_of_call(call));
    deployed
        .filter_map(|event| match event {
            Event::Deploy(image) => Some(image),
            _ => None,
        })
        .collect()
}

/// Whether the build published anything.
pub(crate) fn publishes(outcome: &Outcome) -> Result<bool, String> {
    Ok(events(outcome)?
        .iter()
        .any(|event| matches!(event, Event::Push(_) | Event::Deploy(_))))
}

/// Demands one consistent story of the images of a build, given what the other builds of the repository pushed
/// `elsewhere` out of the same source.
pub(crate) fn judge(
    outcome: &Outcome,
    elsewhere: &Pushes,
    latest: Option<LatestStays>,
) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let events = events(outcome)?;
    let mut pushed = pushed(outcome)?;
    for (repository, tags) in elsewhere {
        let known = pushed.entry(repository.clone()).or_default();
        known.extend(tags.iter().cloned());
    }
    let is_own = |image: &Image| pushed.contains_key(&image.repository);
    let mut known: BTreeSet<&Image> = BTreeSet::new();
    for event in &events {
        let (image, latest_allowed) = match event {
            Event::Build(image) => {
                known.insert(image);
                (image, true)
            }
            Event::Pull(image) => {
                known.insert(image);
                (image, latest.is_some())
            }
            Event::Tag {
                source,
                destination,
            } => {
                if !known.contains(source) {
                    problems.push(format!("docker tag of {source:?}, which does not exist"));
                }
                known.insert(destination);
                (destination, true)
            }
            Event::Push(image) => {
                if !known.contains(image) {
                    problems.push(format!("push of {image:?}, which was not built"));
                }
                (image, latest.is_some())
            }
            Event::Deploy(image) => {
                let tags = pushed.get(&image.repository);
                if tags.is_some_and(|tags| !tags.contains(&image.tag)) {
                    problems.push(format!("{image:?} is deployed, but {tags:?} was pushed"));
                }
                (image, latest == Some(LatestStays::Deployed))
            }
        };
        if !image.is_valid() {
            problems.push(format!("{image:?} has no valid tag"));
        }
        if image.tag == "latest" && is_own(image) && !latest_allowed {
            problems.push(format!("latest: {event:?}"));
        }
    }
    let here = known
        .iter()
        .map(|image| format!("{}:{}", image.repository, image.tag));
    let there = elsewhere
        .iter()
        .flat_map(|(repository, tags)| tags.iter().map(move |tag| format!("{repository}:{tag}")));
    let known: BTreeSet<String> = here.chain(there).collect();
    for call in &outcome.calls {
        for mention in call.iter().flat_map(|word| mentions(word, &pushed)) {
            if !known.contains(&mention) {
                problems.push(format!("{mention}, which does not exist, in {call:?}"));
            }
        }
    }
    Ok(problems)
}

/// The references to own images in a word, whatever the command is: `docker run`, `docker rmi`, `trivy image`.
fn mentions(word: &str, own: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for repository in own.keys().filter(|name| !name.starts_with("copilot/")) {
        for (at, _) in word.match_indices(repository.as_str()) {
            let rest = &word[at + repository.len()..];
            if let Some(tag) = rest.strip_prefix(':') {
                let end = tag.len() - tag.trim_start_matches(is_tag_character).len();
                found.push(format!("{repository}:{}", &tag[..end]));
            }
        }
    }
    found
}

/// The calls and files of a build with the tags of its own images written as `@` and the flags that
/// only belong to a tag left out: equal for two builds that differ in nothing else.
pub(crate) fn without_tags(outcome: &Outcome, elsewhere: &Pushes) -> Result<Vec<String>, String> {
    let mut own: BTreeSet<String> = pushed(outcome)?
        .into_keys()
        .chain(elsewhere.keys().cloned())
        .filter(|repository| !repository.starts_with("copilot/"))
        .collect();
    // The name under which an own image was built may have moved with it.
    for event in events(outcome)? {
        if let Event::Tag {
            source,
            destination,
        } = event
            && own.contains(&destination.repository)
        {
            own.insert(source.repository);
        }
    }
    let mut lines = Vec::new();
    for call in &outcome.calls {
        let copilot = call.first().is_some_and(|program| is_copilot(program));
        let mut words = Vec::new();
        let mut rest = call.iter();
        while let Some(word) = rest.next() {
            if copilot && word == "--tag" {
                rest.next();
            } else if !(copilot && word == "--force") {
                words.push(hide_tags(word, &own));
            }
        }
        lines.push(words.join(" "));
    }
    lines.extend(
        outcome
            .json
            .iter()
            .map(|(name, text)| format!("{name}: {}", hide_tags(text, &own))),
    );
    Ok(lines)
}

/// What is wrong if `after`, of [`without_tags`], is not `before` without calls that name an own image, and without
/// names that an image got twice.
pub(crate) fn dropped(before: &[String], after: &[String]) -> Vec<String> {
    let once = |line: &str| {
        let mut seen = BTreeSet::new();
        let words: Vec<&str> = line.split(' ').collect();
        let mut kept = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let named = ["-t", "--tag"].contains(word) && !seen.insert(words.get(at + 1).copied());
            if named {
                at += 2;
            } else {
                kept.push(*word);
                at += 1;
            }
        }
        kept.join(" ")
    };
    let mut left = after.iter().map(|it| once(it)).peekable();
    let mut problems = Vec::new();
    for line in before.iter().map(|it| once(it)) {
        if left.next_if_eq(&line).is_none() && !line.contains(":@") {
            problems.push(format!("a call of something else is gone: {line}"));
        }
    }
    problems.extend(left.map(|line| format!("a new call: {line}")));
    problems
}

fn hide_tags(text: &str, own: &BTreeSet<String>) -> String {
    let mut text = text.to_owned();
    if let Some((key, _)) = text.split_once('=')
        && (key.ends_with("image.tag") || key == "imageTag")
    {
        return format!("{key}=@");
    }
    // Longer names first: one repository may be the beginning of another.
    // An image without a name (the fixture sets no variable for it) is found at every letter.
    let mut own: Vec<&String> = own.iter().filter(|name| !name.is_empty()).collect();
    own.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for repository in own {
        let mut result = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(repository.as_str()) {
            let end = at + repository.len();
            result.push_str(&rest[..end]);
            rest = &rest[end..];
            if let Some(tag) = rest.strip_prefix(':') {
                if !tag.starts_with('@') {
                    rest = tag.trim_start_matches(is_tag_character);
                    result.push_str(":@");
                }
            } else if !rest.starts_with(|next: char| is_tag_character(next) || next == '/') {
                result.push_str(":@");
            }
        }
        result.push_str(rest);
        text = result;
    }
    text
}
