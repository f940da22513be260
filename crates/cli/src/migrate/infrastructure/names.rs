//! Names of resources, valid where they are made. What the limits are is said at each.

use tagwright_rules::environments::repository_name;

/// The name of a service as all its resources begin: lower case letters, digits and single dashes, at most 24.
pub(crate) fn service(text: &str) -> String {
    let name = repository_name(text).replace(['/', '.', '_'], "-");
    let name = name.get(..24).unwrap_or(&name).trim_end_matches('-');
    match name {
        "" => "service".to_owned(),
        // Parameter Store takes no name that begins so (Systems Manager API reference, `PutParameter`, 2026-11);
        // projects and logical names do not begin with a digit.
        _ if name.starts_with("aws") || name.starts_with("ssm") => format!("app-{name}"),
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => format!("app-{name}"),
        _ => name.to_owned(),
    }
}

/// Words with capitals and nothing between them, as CloudFormation names resources: letters and digits only.
pub(crate) fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            name.push(first.to_ascii_uppercase());
            name.push_str(letters.as_str());
        }
    }
    name
}

/// The name as Terraform names resources: letters, digits and underscores.
pub(crate) fn snake(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    text.chars().map(plain).collect()
}

/// The name of a role: at most 64 characters (IAM API reference, `RoleName`, 2026-11).
pub(crate) fn role(service: &str, what: &str) -> String {
    shorten(&format!("{service}-{what}"), 64)
}

/// The name of a build project: at most 150 characters (CodeBuild API reference, `name`, 2026-11).
pub(crate) fn project(service: &str, environment: &str, part: Option<&str>) -> String {
    let part = part.map_or_else(String::new, |part| format!("-{part}"));
    shorten(&format!("{service}-{environment}{part}"), 150)
}

/// The artifact that a build of an environment hands on.
pub(crate) fn artifact(environment: &str, part: Option<&str>) -> String {
    format!(
        "{}{}",
        pascal(environment),
        pascal(part.unwrap_or_default())
    )
}

/// The keys of an artifact in the pipeline's bucket: CodePipeline puts it into a folder of the pipeline and one of
/// the artifact, and of long names takes the first characters, ten of an artifact (CodePipeline user guide,
/// "Input and output artifacts", and the keys in its examples, 2026-11).
pub(crate) fn artifact_key(artifact: &str) -> String {
    match artifact.get(..10) {
        Some(start) if start != artifact => format!("*/{start}*/*"),
        _ => format!("*/{artifact}/*"),
    }
}

/// The folder of an environment's parameters, with a slash at its start and none at its end.
pub(crate) fn parameters(service: &str, environment: &str) -> String {
    format!("/{service}/{environment}")
}

/// What tells one of several buildspecs from the others: `api` for `services/api/buildspec.yml`.
pub(crate) fn part(buildspec: &str) -> String {
    let stem = buildspec
        .rsplit_once('.')
        .map_or(buildspec, |(stem, _)| stem);
    let name = repository_name(stem).replace(['/', '.', '_'], "-");
    let name = name.replace("buildspec", "");
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        "root".to_owned()
    } else {
        words.join("-")
    }
}

/// Cut at `longest` bytes of ASCII text, without a dash at the end.
fn shorten(name: &str, longest: usize) -> String {
    let cut = name.get(..longest).unwrap_or(name);
    cut.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_where_they_are_made() {
        for (text, name) in [
            ("Web", "web"),
            ("team/Web_API", "team-web-api"),
            ("aws-tools", "app-aws-tools"),
            ("3d", "app-3d"),
            ("…", "service"),
            (
                "a-name-that-is-far-too-long-for-a-role",
                "a-name-that-is-far-too-l",
            ),
        ] {
            assert_eq!(service(text), name);
        }
        assert_eq!(pascal("pre-production"), "PreProduction");
        assert_eq!(snake("Pre-production"), "pre_production");
        assert_eq!(role(&"a".repeat(60), "build-qa").len(), 64);
        for (path, name) in [
            ("buildspec.yml", "root"),
            ("services/api/buildspec.yml", "services-api"),
            ("buildspec-worker.yml", "worker"),
        ] {
            assert_eq!(part(path), name);
        }
    }
}
