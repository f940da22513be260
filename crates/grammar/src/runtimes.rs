//! The runtimes of CodeBuild's managed images.
//!
//! Source: `runtimes.yml` of the images in aws/aws-codebuild-docker-images, read on 2026-04-09. Versions
//! newer than the newest listed here are never objected to: the table ages.

/// Where the table is from.
pub const READ_FROM: &str =
    "`runtimes.yml` of the images in aws/aws-codebuild-docker-images, as of 2026-04";

/// When the table was read from its source.
pub const AS_OF: &str = "2026-04";

/// A runtime.
#[derive(Debug)]
pub struct Runtime {
    /// The key under `runtime-versions`.
    pub name: &'static str,
    /// The versions that at least one current image has, ascending; empty if none has the runtime.
    pub versions: &'static [&'static str],
}

/// All runtimes that there are or were.
pub static RUNTIMES: [Runtime; 10] = [
    Runtime {
        name: "android",
        versions: &[],
    },
    Runtime {
        name: "docker",
        versions: &["20", "23"],
    },
    Runtime {
        name: "dotnet",
        versions: &["6.0", "8.0", "10.0"],
    },
    Runtime {
        name: "golang",
        versions: &["1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26"],
    },
    Runtime {
        name: "java",
        versions: &[
            "corretto8",
            "corretto11",
            "corretto17",
            "corretto21",
            "corretto25",
        ],
    },
    Runtime {
        name: "nodejs",
        versions: &["18", "20", "22", "24"],
    },
    Runtime {
        name: "php",
        versions: &["8.1", "8.2", "8.3", "8.4", "8.5"],
    },
    Runtime {
        name: "python",
        versions: &["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"],
    },
    Runtime {
        name: "ruby",
        versions: &["3.1", "3.2", "3.3", "3.4", "4.0"],
    },
    Runtime {
        name: "rust",
        versions: &["1.93", "1.94"],
    },
];

/// What can be said of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A current image has it, or it is newer than the table.
    Current,
    /// No current image has it; CodeBuild downloads and installs it at the start of each build.
    Custom,
    /// No current image has it.
    Retired,
    /// It is written like no version of the runtime.
    Unknown,
}

/// The runtime of this name.
pub fn runtime(name: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|runtime| runtime.name == name)
}

impl Runtime {
    /// What can be said of `version`, a value under `runtime-versions`: `18`, `18.x`, `3.9.7`, `latest`.
    pub fn offer(&self, version: &str) -> Offer {
        let version = version.trim();
        if self.versions.is_empty() {
            return Offer::Retired;
        }
        // What a variable holds, the file does not say.
        if version == "latest" || version.contains('$') {
            return Offer::Current;
        }
        if self.name == "java" && version.starts_with("openjdk") {
            return Offer::Retired;
        }
        let newest = self.versions.last();
        let (true, Some(newest)) = (numbers(version).all(|it| it.is_some()), newest) else {
            return Offer::Unknown;
        };
        let matches = |offered: &&str| numbers(offered).zip(numbers(version)).all(|(a, b)| a == b);
        if self.versions.iter().any(matches) || numbers(version).gt(numbers(newest)) {
            Offer::Current
        } else if self.is_custom(version) {
            Offer::Custom
        } else {
            Offer::Retired
        }
    }

    /// Whether the version is written as CodeBuild takes it for one to install.
    /// Source: CodeBuild user guide, "Runtime versions", section "Custom runtime versions", as of 2026-11; for
    /// each of these runtimes the images' `runtimes.yml` has a `default` that installs whatever is asked for.
    fn is_custom(&self, version: &str) -> bool {
        if self.name == "java" {
            let major = version.strip_prefix("corretto");
            return major
                .is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()));
        }
        let parts: Vec<&str> = version.split('.').collect();
        let least = match self.name {
            "nodejs" | "python" => 1,
            "golang" => 2,
            "dotnet" | "php" | "ruby" => 3,
            _ => return false,
        };
        (least..=3).contains(&parts.len())
            && parts
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// The numbers of a version, without a final `x`; `None` where it has something else in it.
fn numbers(version: &str) -> impl Iterator<Item = Option<u32>> {
    let version = version.strip_prefix("corretto").unwrap_or(version);
    let version = version.strip_suffix(".x").unwrap_or(version);
    version.split('.').map(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_match_by_their_leading_numbers_and_newer_ones_are_believed() {
        let cases = [
            ("nodejs", "18", Offer::Current),
            ("nodejs", "18.x", Offer::Current),
            ("nodejs", "26", Offer::Current),
            ("nodejs", "12", Offer::Custom),
            ("nodejs", "14.21.3", Offer::Custom),
            ("nodejs", "12.x", Offer::Retired),
            ("java", "corretto15", Offer::Custom),
            ("golang", "1.19", Offer::Custom),
            ("golang", "1", Offer::Current),
            ("php", "8.0", Offer::Retired),
            ("php", "8.0.30", Offer::Custom),
            ("ruby", "3.0.6", Offer::Custom),
            ("nodejs", "lts", Offer::Unknown),
            ("python", "3.10", Offer::Current),
            ("python", "3.9.7", Offer::Current),
            ("python", "3", Offer::Current),
            ("python", "3.8", Offer::Custom),
            ("python", "$PYTHON", Offer::Current),
            ("dotnet", "6", Offer::Current),
            ("dotnet", "3.1", Offer::Retired),
            ("java", "corretto17", Offer::Current),
            ("java", "openjdk8", Offer::Retired),
            ("docker", "18", Offer::Retired),
            ("android", "29", Offer::Retired),
        ];
        for (name, version, offer) in cases {
            let runtime = runtime(name).unwrap();
            assert_eq!(runtime.offer(version), offer, "{name}: {version}");
        }
    }
}
