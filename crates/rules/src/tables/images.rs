//! The images that CodeBuild offers, and which shell `sh` is in them.
//!
//! Sources, read on 2026-04-09: the Dockerfiles in aws/aws-codebuild-docker-images, each of which starts from
//! Ubuntu, Amazon Linux or an image of Lambda made of it, and none of which puts another program in the place of
//! `/bin/sh`; Debian policy and Amazon Linux for what that is. Checked against real logs, where the two shells
//! word their errors differently: dash in aws/aws-codebuild-docker-images issue 388.
//!
//! An image of a family that is newer than the newest listed here is not known.

/// What `sh` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sh {
    /// Knows what POSIX says, and little more.
    Dash,
    /// Knows what bash knows, under its other name too.
    Bash,
}

/// Images of one name.
#[derive(Debug)]
pub(crate) struct Family {
    /// What stands before the colon.
    pub(crate) name: &'static str,
    /// The first number of the newest version behind the colon; `None` where that names a runtime.
    pub(crate) newest: Option<u32>,
    /// Its `sh`.
    pub(crate) sh: Sh,
}

const fn family(name: &'static str, newest: Option<u32>, sh: Sh) -> Family {
    Family { name, newest, sh }
}

/// All families. Those from before 2019, one for each language, are made of Ubuntu 14.04.
pub(crate) static FAMILIES: [Family; 15] = [
    family("aws/codebuild/standard", Some(8), Sh::Dash),
    family(
        "aws/codebuild/amazonlinux2-x86_64-standard",
        Some(5),
        Sh::Bash,
    ),
    family(
        "aws/codebuild/amazonlinux-x86_64-standard",
        Some(6),
        Sh::Bash,
    ),
    family(
        "aws/codebuild/amazonlinux2-aarch64-standard",
        Some(3),
        Sh::Bash,
    ),
    family(
        "aws/codebuild/amazonlinux-aarch64-standard",
        Some(4),
        Sh::Bash,
    ),
    family(
        "aws/codebuild/amazonlinux-x86_64-lambda-standard",
        None,
        Sh::Bash,
    ),
    family(
        "aws/codebuild/amazonlinux-aarch64-lambda-standard",
        None,
        Sh::Bash,
    ),
    family("aws/codebuild/ubuntu-base", Some(14), Sh::Dash),
    family("aws/codebuild/docker", Some(18), Sh::Dash),
    family("aws/codebuild/nodejs", Some(10), Sh::Dash),
    family("aws/codebuild/python", Some(3), Sh::Dash),
    family("aws/codebuild/golang", Some(1), Sh::Dash),
    family("aws/codebuild/ruby", Some(2), Sh::Dash),
    family("aws/codebuild/php", Some(7), Sh::Dash),
    family("aws/codebuild/java", None, Sh::Dash),
];

/// The `sh` of an image; `None` if it is not one of CodeBuild's, or newer than the table.
pub(crate) fn sh(image: &str) -> Option<Sh> {
    let (name, version) = image.split_once(':')?;
    // The images of Amazon Linux are also in a public gallery.
    let gallery = name.strip_prefix("public.ecr.aws/codebuild/");
    let family = FAMILIES.iter().find(|family| {
        let short = family.name.trim_start_matches("aws/codebuild/");
        family.name == name || gallery == Some(short) && short.starts_with("amazonlinux")
    })?;
    let number = |version: &str| {
        let end = version.find(|c: char| !c.is_ascii_digit());
        version[..end.unwrap_or(version.len())].parse::<u32>().ok()
    };
    match family.newest {
        // Lower versions and those with a date behind, `7.0-24.10.29`, are of the same making. `corretto11`
        // has no number in front.
        Some(newest) if number(version).is_some_and(|it| it > newest) => None,
        _ => Some(family.sh),
    }
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
}
