//! The images that CodeBuild offers, and what in them decides whether a command works: which shell `sh` is, and
//! which version of the AWS CLI there is.
//!
//! Sources, read on 2026-04-09: the Dockerfiles in aws/aws-codebuild-docker-images. Each starts from Ubuntu, Amazon
//! Linux or an image of Lambda made of the latter, and none puts another program in the place of `/bin/sh`, which is
//! dash in Ubuntu and bash in Amazon Linux. Real logs agree, in which the two word their errors differently: dash in
//! aws/aws-codebuild-docker-images issue 388. Version 2 of the AWS CLI is installed from its archive, version 1
//! with `pip`.
//!
//! An image of a family that is newer than the newest listed here is not known.

/// When the table was read from its source.
pub const AS_OF: &str = "2026-04";

/// What `sh` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sh {
    /// Knows what POSIX says, and little more.
    Dash,
    /// Knows what bash knows, under its other name too.
    Bash,
}

/// A version of the AWS CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsCli {
    /// 1.
    One,
    /// 2.
    Two,
}

/// Images of one name.
#[derive(Debug)]
pub struct Family {
    /// What stands before the colon.
    pub name: &'static str,
    /// The first number of the newest version behind the colon; `None` where that names a runtime.
    newest: Option<u32>,
    /// The first number of the first version that has version 2 of the AWS CLI; `None` if none has.
    cli_two: Option<u32>,
    /// Its `sh`.
    sh: Sh,
}

const fn family(name: &'static str, newest: Option<u32>, cli_two: Option<u32>, sh: Sh) -> Family {
    Family {
        name,
        newest,
        cli_two,
        sh,
    }
}

/// All families. The last ones, one for each language, are from before 2019 and made of Ubuntu 14.04.
#[rustfmt::skip]
pub static FAMILIES: [Family; 15] = [
    family("aws/codebuild/standard", Some(8), Some(5), Sh::Dash),
    family("aws/codebuild/amazonlinux2-x86_64-standard", Some(5), Some(5), Sh::Bash),
    family("aws/codebuild/amazonlinux-x86_64-standard", Some(6), Some(5), Sh::Bash),
    family("aws/codebuild/amazonlinux2-aarch64-standard", Some(3), Some(3), Sh::Bash),
    family("aws/codebuild/amazonlinux-aarch64-standard", Some(4), Some(3), Sh::Bash),
    family("aws/codebuild/amazonlinux-x86_64-lambda-standard", None, Some(0), Sh::Bash),
    family("aws/codebuild/amazonlinux-aarch64-lambda-standard", None, Some(0), Sh::Bash),
    family("aws/codebuild/ubuntu-base", Some(14), None, Sh::Dash),
    family("aws/codebuild/docker", Some(18), None, Sh::Dash),
    family("aws/codebuild/nodejs", Some(10), None, Sh::Dash),
    family("aws/codebuild/python", Some(3), None, Sh::Dash),
    family("aws/codebuild/golang", Some(1), None, Sh::Dash),
    family("aws/codebuild/ruby", Some(2), None, Sh::Dash),
    family("aws/codebuild/php", Some(7), None, Sh::Dash),
    family("aws/codebuild/java", None, None, Sh::Dash),
];

/// What an image is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// With `apt-get`.
    Ubuntu,
    /// With `yum`, from version 2023 on also `dnf`.
    AmazonLinux,
}

/// What an image is made of; `None` if it is not one of CodeBuild's, or newer than the table. Their `sh` tells.
#[must_use]
pub fn system(image: &str) -> Option<System> {
    Some(match sh(image)? {
        Sh::Dash => System::Ubuntu,
        Sh::Bash => System::AmazonLinux,
    })
}

/// The `sh` of an image; `None` if it is not one of CodeBuild's, or newer than the table.
pub fn sh(image: &str) -> Option<Sh> {
    Some(find(image)?.0.sh)
}

/// The AWS CLI of an image; `None` if that is not known.
pub fn aws_cli(image: &str) -> Option<AwsCli> {
    let (family, version) = find(image)?;
    match (family.cli_two, version) {
        (None, _) => Some(AwsCli::One),
        (Some(0), _) => Some(AwsCli::Two),
        (Some(first), Some(version)) if version >= first => Some(AwsCli::Two),
        (Some(_), Some(_)) => Some(AwsCli::One),
        // `corretto11` and its like have none of their own.
        (Some(_), None) => None,
    }
}

/// The runtimes of all images of Ubuntu since 5.0 and of Amazon Linux since x86 4.0 and ARM 2.0.
const COMMON: [&str; 7] = [
    "dotnet", "golang", "java", "nodejs", "php", "python", "ruby",
];
const WITH_DOCKER: [&str; 8] = [
    "docker", "dotnet", "golang", "java", "nodejs", "php", "python", "ruby",
];
const WITH_RUST: [&str; 8] = [
    "dotnet", "golang", "java", "nodejs", "php", "python", "ruby", "rust",
];
const WITH_BOTH: [&str; 9] = [
    "docker", "dotnet", "golang", "java", "nodejs", "php", "python", "ruby", "rust",
];

/// The names that an image takes below `runtime-versions`, in the order of the alphabet; `None` if that is not known.
/// Versions are not asked for: each of these runtimes but docker has a way to install others.
/// Source: `runtimes.yml` of the images in aws/aws-codebuild-docker-images, read on 2026-04-09.
#[must_use]
pub fn runtimes(image: &str) -> Option<&'static [&'static str]> {
    let (family, version) = find(image)?;
    let name = family.name.trim_start_matches("aws/codebuild/");
    if name == "amazonlinux2-x86_64-standard" && image.contains(":corretto") {
        return Some(&["java"]);
    }
    Some(match (name, version?) {
        ("standard", 5..=7)
        | ("amazonlinux2-x86_64-standard" | "amazonlinux-x86_64-standard", 5) => &COMMON,
        ("standard", 8) | ("amazonlinux-x86_64-standard", 6) => &WITH_RUST,
        ("amazonlinux2-x86_64-standard", 4) | ("amazonlinux2-aarch64-standard", 2) => &WITH_DOCKER,
        ("amazonlinux2-aarch64-standard", 3) | ("amazonlinux-aarch64-standard", 3 | 4) => {
            &WITH_BOTH
        }
        _ => return None,
    })
}

/// The family of an image and the first number of its version, if that starts with one.
fn find(image: &str) -> Option<(&'static Family, Option<u32>)> {
    let (name, version) = image.split_once(':')?;
    // The images of Amazon Linux are also in a public gallery.
    let gallery = name.strip_prefix("public.ecr.aws/codebuild/");
    let family = FAMILIES.iter().find(|family| {
        let short = family.name.trim_start_matches("aws/codebuild/");
        family.name == name || gallery == Some(short) && short.starts_with("amazonlinux")
    })?;
    // Versions with a date behind, `7.0-24.10.29`, are of the same making.
    let end = version.find(|c: char| !c.is_ascii_digit());
    let number = version[..end.unwrap_or(version.len())].parse().ok();
    let newer = matches!((family.newest, number), (Some(newest), Some(own)) if own > newest);
    (!newer).then_some((family, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ubuntu_has_dash_amazon_linux_has_bash_and_the_rest_is_unknown() {
        for (image, shell) in [
            ("aws/codebuild/standard:7.0", Some(Sh::Dash)),
            ("aws/codebuild/standard:1.0-1.8.0", Some(Sh::Dash)),
            ("aws/codebuild/standard:9.0", None),
            ("aws/codebuild/standard", None),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
                Some(Sh::Bash),
            ),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:corretto11",
                Some(Sh::Bash),
            ),
            (
                "public.ecr.aws/codebuild/amazonlinux-x86_64-standard:5.0",
                Some(Sh::Bash),
            ),
            ("public.ecr.aws/codebuild/standard:7.0", None),
            (
                "aws/codebuild/amazonlinux-x86_64-lambda-standard:python3.12",
                Some(Sh::Bash),
            ),
            ("aws/codebuild/docker:17.09.0", Some(Sh::Dash)),
            ("aws/codebuild/windows-base:2019-2.0", None),
            ("aws/codebuild/macos-arm-base:14", None),
            ("alpine:3", None),
            (
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com/standard:7.0",
                None,
            ),
        ] {
            assert_eq!(sh(image), shell, "{image}");
        }
    }

    #[test]
    fn runtimes_are_those_of_the_image() {
        for (image, has, has_not) in [
            ("aws/codebuild/standard:7.0", "php", "rust"),
            ("aws/codebuild/standard:7.0-24.10.29", "java", "docker"),
            ("aws/codebuild/standard:8.0", "rust", "docker"),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
                "docker",
                "rust",
            ),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:corretto11",
                "java",
                "nodejs",
            ),
            (
                "public.ecr.aws/codebuild/amazonlinux-x86_64-standard:6.0",
                "rust",
                "docker",
            ),
            (
                "aws/codebuild/amazonlinux-aarch64-standard:4.0",
                "docker",
                "android",
            ),
        ] {
            let found = runtimes(image).expect(image);
            assert!(found.contains(&has) && !found.contains(&has_not), "{image}");
        }
        for image in [
            "aws/codebuild/standard:9.0",
            "aws/codebuild/standard:4.0",
            "aws/codebuild/amazonlinux-x86_64-lambda-standard:python3.12",
            "node:22",
        ] {
            assert_eq!(runtimes(image), None, "{image}");
        }
    }

    #[test]
    fn the_cli_changed_with_a_version_of_each_family() {
        for (image, cli) in [
            ("aws/codebuild/standard:4.0", Some(AwsCli::One)),
            ("aws/codebuild/standard:5.0", Some(AwsCli::Two)),
            ("aws/codebuild/standard:9.0", None),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
                Some(AwsCli::One),
            ),
            (
                "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
                Some(AwsCli::Two),
            ),
            ("aws/codebuild/amazonlinux2-x86_64-standard:corretto8", None),
            (
                "aws/codebuild/amazonlinux2-aarch64-standard:2.0",
                Some(AwsCli::One),
            ),
            (
                "aws/codebuild/amazonlinux-x86_64-lambda-standard:go1.24",
                Some(AwsCli::Two),
            ),
            ("aws/codebuild/docker:17.09.0", Some(AwsCli::One)),
            ("node:20", None),
        ] {
            assert_eq!(aws_cli(image), cli, "{image}");
        }
    }
}
