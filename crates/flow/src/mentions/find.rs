//! Where a text says `latest`, or tells something to deploy again what it has: places to look at, by their shape
//! alone.
//!
//! This is the floor under all readers: it knows no kind of file and misses no spelling. Whether a place is about
//! an image of the workspace, and whether anybody reads it, is decided elsewhere.

use std::cell::OnceCell;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use tagwright_syntax::Span;

use super::name;

/// A place that may name an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The tag, or the words that deploy again; bytes of the text.
    pub(super) span: Span,
    /// What it looks like.
    pub(super) shape: Shape,
}

/// What a place looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `NAME:latest`, quotes between the two allowed; the name's bytes, empty where it is put in front elsewhere.
    Reference(Span),
    /// `KEY=latest`, `KEY: latest`, `"KEY": "latest"`; the key's bytes.
    Value(Span),
    /// `latest` as a word or an argument of its own.
    Word,
    /// A reference without a tag, which means `latest`; the name's bytes.
    Untagged(Span),
    /// What deploys again whatever the existing definition names.
    Redeploy(System),
}

/// What runs containers by a definition that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Amazon ECS: services keep a task definition.
    Ecs,
    /// Kubernetes: workloads keep a pod template.
    Kubernetes,
    /// AWS App Runner: services keep an image identifier.
    AppRunner,
    /// AWS CodeDeploy.
    CodeDeploy,
    /// AWS Elastic Beanstalk.
    Beanstalk,
    /// Docker Swarm.
    Swarm,
    /// HashiCorp Nomad.
    Nomad,
    /// Docker Compose on another machine.
    Compose,
    /// Amazon EC2 Auto Scaling: groups keep a launch template.
    AutoScaling,
    /// AWS Batch: jobs are submitted by a job definition.
    Batch,
    /// AWS CloudFormation: stacks keep the values of their parameters.
    CloudFormation,
    /// OpenShift: an image stream imports what its tag names at another place.
    ImageStream,
    /// kustomize: a kustomization gives the name another image.
    Kustomize,
}

const LATEST: usize = 0;
const FROM_ECR: usize = 1;
const REPOSITORY_URL: usize = 2;
const REPOSITORY_URI: usize = 3;
const PUBLIC_REPOSITORY: usize = 4;
const COMPOSE: usize = 13;
/// What is looked for, in one pass.
const NEEDLES: [&str; 24] = [
    "latest",
    "fromEcr",
    "repository_url",
    "RepositoryUri",
    "repository_uri",
    "force-new-deployment",
    "forceNewDeployment",
    "rollout",
    "start-deployment",
    "deploy create-deployment",
    "eb deploy",
    "service update",
    "job restart",
    "compose",
    "ecs stop-task",
    "ecs run-task",
    "batch submit-job",
    "start-instance-refresh",
    "UsePreviousValue",
    "reuse-values",
    "delete po",
    " patch ",
    " scale ",
    "import-image",
];

fn needles() -> Option<&'static AhoCorasick> {
    static NEEDLES_FOUND: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    NEEDLES_FOUND
        .get_or_init(|| AhoCorasick::new(NEEDLES).ok())
        .as_ref()
}

/// Everything in `text` that may name an image by `latest`, in order.
pub(super) fn find(text: &str) -> Vec<Found> {
    let Some(needles) = needles() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // Asked of the whole text, so once at most.
    let remote = OnceCell::new();
    let remote = || *remote.get_or_init(|| is_remote(text));
    for hit in needles.find_iter(text) {
        let (start, end) = (hit.start(), hit.end());
        let shape = match hit.pattern().as_usize() {
            LATEST => latest(text, start, end),
            FROM_ECR => untagged_call(text, end),
            REPOSITORY_URL | REPOSITORY_URI | PUBLIC_REPOSITORY => {
                untagged_attribute(text, start, end)
            }
            COMPOSE => (pulls(text, end) && remote()).then_some(Shape::Redeploy(System::Compose)),
            other => redeploys(text, NEEDLES[other], start, end).map(Shape::Redeploy),
        };
        found.extend(shape.map(|shape| Found {
            span: Span::new(start, end),
            shape,
        }));
    }
    found
}

/// What deploys again at this place, if it is that.
fn redeploys(text: &str, needle: &str, start: usize, end: usize) -> Option<System> {
    let line = &text[line_start(text, start)..line_end(text, end)];
    match needle {
        "force-new-deployment" | "forceNewDeployment" => {
            (!line.contains("no-force-new-deployment")).then_some(System::Ecs)
        }
        "rollout" => {
            let rest = text[end..].trim_start();
            // `kubectl argo rollouts restart`.
            let rest = rest.strip_prefix("s restart").unwrap_or(rest);
            let restarts = rest.starts_with("restart") || text[end..].starts_with("s restart");
            restarts.then_some(System::Kubernetes)
        }
        "ecs stop-task" | "ecs run-task" => Some(System::Ecs),
        "batch submit-job" => Some(System::Batch),
        "start-instance-refresh" => Some(System::AutoScaling),
        "UsePreviousValue" => name::parameter_before(text, start)
            .is_some_and(name::is_tag_key)
            .then_some(System::CloudFormation),
        "reuse-values" => line.contains("helm").then_some(System::Kubernetes),
        "delete po" | " patch " | " scale " => {
            starts_pods(needle, line).then_some(System::Kubernetes)
        }
        "start-deployment" => line.contains("apprunner").then_some(System::AppRunner),
        "deploy create-deployment" => {
            (!text[end..].starts_with(['-', '_'])).then_some(System::CodeDeploy)
        }
        "eb deploy" => {
            let own = !text[..start].ends_with(|c: char| c.is_alphanumeric() || "_-./".contains(c));
            own.then_some(System::Beanstalk)
        }
        "import-image" => imports(line, &text[end..]).then_some(System::ImageStream),
        "service update" => {
            let again = line.contains("--force") && !line.contains("--image");
            (line.contains("docker") && again).then_some(System::Swarm)
        }
        _ => line.contains("nomad").then_some(System::Nomad),
    }
}

/// Whether `import-image` on the line, with `rest` behind it, imports `latest` from where the image stream is told:
/// oc 4.20 takes the tag `latest` where none is named, and `--from` names the image itself.
fn imports(line: &str, rest: &str) -> bool {
    let named = rest
        .split_whitespace()
        .take_while(|word| !["|", ";", "&&", "||"].contains(word))
        .find(|word| !word.starts_with('-'));
    let of_latest = named.is_none_or(|name| {
        let name = name.trim_matches(['"', '\'']);
        !name.contains(':') || name.ends_with(":latest")
    });
    line.contains("oc ") && !line.contains("--from=") && !line.contains("--from ") && of_latest
}

/// Whether a command of kubectl on the line has pods made anew from the template that is there.
fn starts_pods(needle: &str, line: &str) -> bool {
    let kubectl = ["kubectl", "oc "].iter().any(|name| line.contains(name));
    kubectl
        && match needle {
            "delete po" => !line.contains("poddisruptionbudget") && !line.contains("policy"),
            " patch " => line.contains("annotations") && !line.contains("image"),
            _ => line.contains("--replicas"),
        }
}

/// Whether Compose is told to pull, by the words behind its name, which ends at byte `end`: `-f x.yml pull`,
/// `up -d --pull always`.
fn pulls(text: &str, end: usize) -> bool {
    if !text[end..].starts_with([' ', '\t']) {
        return false;
    }
    let rest = &text[end..];
    let end = rest.find(['|', ';', '&', '\n']).unwrap_or(rest.len());
    let mut words = rest[..end]
        .split(|c: char| c.is_whitespace() || "\"',]\\".contains(c))
        .filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        match word {
            "pull" => return true,
            "up" => return words.any(|word| word.starts_with("--pull")),
            "-f" | "--file" | "-p" | "--project-name" | "--env-file" | "--profile" => {
                words.next();
            }
            _ if word.starts_with('-') => {}
            _ => return false,
        }
    }
    false
}

/// Whether a text tells another machine what to do. Compose pulls on machines of developers, too.
fn is_remote(text: &str) -> bool {
    ["send-command", "ssh "]
        .iter()
        .any(|sign| text.contains(sign))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// The shape of the word `latest` at `start..end`, if it can be a tag at all.
fn latest(text: &str, start: usize, end: usize) -> Option<Shape> {
    let (before, after) = (&text[..start], &text[end..]);
    let mut next = after.chars();
    let replaced = after.chars().next().and_then(|sign| replaced(before, sign));
    if let Some((pattern, true)) = replaced {
        return Some(Shape::Value(pattern));
    }
    match (next.next(), next.next()) {
        _ if replaced.is_some() => {}
        // `latest-arm64` is another tag; where it is a part of `latest`, the readers say so.
        (Some('-'), Some(second)) if second.is_alphanumeric() => return None,
        (Some(first), _) if first.is_alphanumeric() || "_/@(=".contains(first) => return None,
        (Some('.'), Some(second)) if second.is_alphanumeric() => return None,
        (Some(':'), Some(second)) if second.is_whitespace() => return None,
        _ => {}
    }
    let reference = |mut name: Span| {
        // The sign in front says that the name may be cut.
        if replaced.is_some() && text[..name.start as usize].ends_with(['/', '|', ',']) {
            name.start -= 1;
        }
        Some(Shape::Reference(name))
    };
    if before.ends_with(['"', '\'', '`']) {
        return quoted(text, start - 1);
    }
    if before.ends_with(":-") || before.ends_with(":=") || before.ends_with('-') {
        if let Some(open) = fallback(before) {
            if text[..open].ends_with(':') {
                return reference(name::before(text, open - 1));
            }
            let head = text[..open].trim_end_matches(['"', '\'', ' ']);
            let own = head
                .ends_with(['=', ':'])
                .then(|| name::key_before(text, head.len() - 1))
                .flatten();
            // `: "${TAG:=latest}"`, `./deploy.sh ${TAG:-latest}`: the variable says what it is.
            let variable = Span::new(open + 2, before.trim_end_matches(['-', '=', ':']).len());
            let named = variable
                .of(text)
                .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let own = own.or(named.then_some(variable));
            return Some(own.map_or(Shape::Word, Shape::Value));
        }
        return None;
    }
    match before.chars().next_back() {
        Some(':') => reference(name::before(text, start - 1)),
        Some('=') => Some(name::key_before(text, start - 1).map_or(Shape::Word, Shape::Value)),
        Some(c) if c.is_whitespace() => Some(after_blank(text, start)),
        Some('(' | ',' | '[' | '{' | '|' | '>' | ';' | '\\') | None => Some(Shape::Word),
        Some(_) => None,
    }
}

/// The shape of `latest` in quotes that open at `quote`.
fn quoted(text: &str, quote: usize) -> Option<Shape> {
    let mut at = quote;
    // `\"latest\"` in text inside text.
    while text[..at].ends_with('\\') {
        at -= 1;
    }
    Some(match text[..at].chars().next_back() {
        Some(':') => {
            let colon = at - 1;
            match name::key_before(text, colon) {
                Some(key) if is_key(text, key, colon) => Shape::Value(key),
                _ => Shape::Reference(name::before(text, colon)),
            }
        }
        Some('=') => name::key_before(text, at - 1).map_or(Shape::Word, Shape::Value),
        Some(c) if c.is_whitespace() => after_blank(text, at),
        Some(c) if c.is_alphanumeric() => return None,
        _ => Shape::Word,
    })
}

/// Whether what stands before the colon is a key, as in `{tag:'latest'}` and `"tag":"latest"`, and no image's name.
fn is_key(text: &str, key: Span, colon: usize) -> bool {
    let quoted = text[..colon].ends_with(['"', '\'']);
    let before = text[..key.start as usize].trim_end_matches(['"', '\'', '\\', ' ']);
    quoted && before.ends_with(['{', ',', '\n']) || before.ends_with(['{', ','])
}

/// The shape of `latest` (or of the quote before it) at `at`, behind a blank.
fn after_blank(text: &str, at: usize) -> Shape {
    let head = text[..at].trim_end_matches([' ', '\t']);
    if head.ends_with([':', '=']) {
        return name::key_before(text, head.len() - 1).map_or(Shape::Word, Shape::Value);
    }
    Shape::Word
}

/// The pattern that `sed` and its like replace by a text that ends with `latest` and `sign`, as in `s/@TAG@/latest/`, and
/// whether `latest` is all of that text; `before` ends where `latest` starts.
fn replaced(before: &str, sign: char) -> Option<(Span, bool)> {
    if sign.is_alphanumeric() || sign.is_whitespace() || "\"'`\\)}]".contains(sign) {
        return None;
    }
    let line = line_start(before, before.len());
    let head = &before[line..];
    let middle = head.rfind(sign)?;
    let open = head[..middle].rfind(sign)?;
    let command = head[..open].strip_suffix('s')?;
    let own = !command.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let pattern = Span::new(line + open + sign.len_utf8(), line + middle);
    own.then_some((pattern, middle + sign.len_utf8() == head.len()))
}

/// Where the `${` starts whose fallback follows the end of `before`.
fn fallback(before: &str) -> Option<usize> {
    let head = before.trim_end_matches(['-', '=', ':']);
    let name = head.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (name.len() < head.len() && name.ends_with("${")).then(|| name.len() - 2)
}

/// A call of the CDK that takes `latest` where it is given no tag: `fromEcrRepository(repo)`.
fn untagged_call(text: &str, end: usize) -> Option<Shape> {
    let rest = &text[end..];
    let open = rest.find('(').filter(|at| {
        rest[..*at]
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
    })?;
    let arguments = &rest[open + 1..];
    let mut depth = 0_i32;
    for (at, c) in arguments.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                let start = end + open + 1;
                return Some(Shape::Untagged(Span::new(start, start + at)));
            }
            ')' | ']' | '}' => depth -= 1,
            // A second argument is the tag, or says which.
            ',' if depth == 0 && !arguments[at + 1..].trim_start().starts_with(')') => return None,
            _ => {}
        }
    }
    None
}

/// The address of a repository where an image belongs: `image = aws_ecr_repository.web.repository_url`.
fn untagged_attribute(text: &str, start: usize, end: usize) -> Option<Shape> {
    let rest = text[end..].trim_start_matches(['}', ')', '"', '\'']);
    if rest.starts_with([':', '@'])
        || text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    // Something is put behind it elsewhere.
    if rest
        .trim_start_matches([' ', '\t'])
        .starts_with(['+', ',', '/', '-'])
        && !rest.starts_with(',')
    {
        return None;
    }
    let line = &text[line_start(text, start)..start];
    let head = text[..start]
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_-.[]\"${(".contains(c))
        .trim_end_matches([' ', '\t']);
    let key = head
        .ends_with(['=', ':'])
        .then(|| name::key_before(text, head.len() - 1))
        .flatten()
        .map_or("", |key| key.of(text));
    // `BACKEND_IMAGE_PATH = …` for a template; `image_repository = …` is half of a reference.
    let key = key.to_ascii_lowercase();
    let half = ["repo", "registry", "tag", "name"];
    let image = key.contains("image") && !half.iter().any(|part| key.contains(part));
    let joined = line.contains("format(") || line.contains("join(") || line.contains("Join");
    (image && !joined).then(|| Shape::Untagged(Span::new(start, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first shape in `text`, with the text that it names.
    fn shape(text: &str) -> String {
        match find(text).first().map(|found| found.shape) {
            None => "-".to_owned(),
            Some(Shape::Reference(name)) => format!("reference {}", name.of(text)),
            Some(Shape::Value(key)) => format!("value {}", key.of(text)),
            Some(Shape::Word) => "word".to_owned(),
            Some(Shape::Untagged(name)) => format!("untagged {}", name.of(text)),
            Some(Shape::Redeploy(system)) => format!("{system:?}"),
        }
    }

    #[test]
    fn shapes_are_told_apart() {
        let cases = [
            ("docker push $REPO:latest", "reference $REPO"),
            ("x \"$REPO\":latest", "reference \"$REPO\""),
            ("x $REPO:'latest' .", "reference $REPO"),
            ("\"image\\\":\\\"$REPO:latest\\\"", "reference $REPO"),
            ("image: ${REG}/web:${TAG:-latest}", "reference ${REG}/web"),
            (
                "FROM 1.dkr.ecr.eu.amazonaws.com/web:latest",
                "reference 1.dkr.ecr.eu.amazonaws.com/web",
            ),
            ("docker build -t $R:latest-amd64 .", "-"),
            ("uri + ':latest'", "reference "),
            ("  tag: latest", "value tag"),
            ("\"tag\": \"latest\"", "value tag"),
            ("{\"tag\":\"latest\"}", "value tag"),
            ("{tag:'latest'}", "value tag"),
            ("--set image.tag=latest", "value image.tag"),
            ("-var \"image_tag=latest\"", "value image_tag"),
            ("  default = \"latest\"", "value default"),
            ("TAG=${TAG:-latest}", "value TAG"),
            ("fromEcrRepository(repo, 'latest')", "word"),
            ("./deploy.sh latest", "word"),
            ("./deploy.sh ${TAG:-latest}", "value TAG"),
            (": \"${TAG:=latest}\"", "value TAG"),
            ("./deploy.sh ${1:-latest}", "word"),
            ("sed \"s/@TAG@/latest/\" x.yaml", "value @TAG@"),
            ("sed -i 's|__VERSION__|latest|g' x", "value __VERSION__"),
            ("sed 's/web:.*/web:latest/' x", "reference /web"),
            ("sed -e 's|: web:.*|: web:latest|' x", "reference web"),
            ("sed -e 's|web:.*|web:latest|' x", "reference |web"),
            ("curl x/releases/latest/", "-"),
            ("npm install npm@latest", "-"),
            ("https://x/releases/latest/download", "-"),
            ("s3://b/app/latest.zip", "-"),
            ("ssh h 'docker-compose -f a.yml pull && x'", "Compose"),
            ("send-command [\"docker compose pull\", \"x\"]", "Compose"),
            ("ssh h docker compose up -d --pull always", "Compose"),
            ("ssh h docker compose up -d", "-"),
            ("docker-compose pull", "-"),
            ("aws ecs stop-task --task $T", "Ecs"),
            ("kubectl argo rollouts restart web", "Kubernetes"),
            ("kubectl -n x delete pods -l app=web", "Kubernetes"),
            ("kubectl delete poddisruptionbudget x", "-"),
            ("kubectl scale deploy/web --replicas=0", "Kubernetes"),
            (
                "kubectl patch deploy web -p '{annotations: 1}'",
                "Kubernetes",
            ),
            ("kubectl patch deploy web -p '{image: $I}'", "-"),
            (
                "ParameterKey=ImageTag,UsePreviousValue=true",
                "CloudFormation",
            ),
            ("ParameterKey=Cpu,UsePreviousValue=true", "-"),
            ("helm upgrade web ./chart --reuse-values", "Kubernetes"),
            (
                "image_url = aws_ecr_repository.x.repository_url\n",
                "untagged repository_url",
            ),
            ("image_repo = aws_ecr_repository.x.repository_url\n", "-"),
            (
                "image  =  aws_ecrpublic_repository.the-x.repository_uri # it\n",
                "untagged repository_uri",
            ),
            ("runs-on: ubuntu-latest", "-"),
            ("latest_tag=1", "-"),
            ("fromEcrRepository(repo)", "untagged repo"),
            (
                "image = aws_ecr_repository.web.repository_url",
                "untagged repository_url",
            ),
            (
                "image = \"${aws_ecr_repository.web.repository_url}:v1\"",
                "-",
            ),
            ("value = aws_ecr_repository.web.repository_url", "-"),
            ("aws ecs update-service --force-new-deployment", "Ecs"),
            ("kubectl rollout restart deploy/web", "Kubernetes"),
            ("kubectl rollout status deploy/web", "-"),
            ("oc import-image web --confirm", "ImageStream"),
            ("oc -n shop import-image web:latest", "ImageStream"),
            ("oc import-image web:$TAG && x", "-"),
            ("oc import-image web --from=$R:$TAG --confirm", "-"),
            (
                "aws apprunner start-deployment --service-arn x",
                "AppRunner",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
