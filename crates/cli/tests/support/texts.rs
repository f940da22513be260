//! Small buildspecs that many tests read.

// Not every test file needs all of them.
#![allow(dead_code)]

/// Nothing is wrong with it.
pub(crate) const CLEAN: &str = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n";
/// An error without a fix: no YAML reader takes it.
pub(crate) const BROKEN: &str =
    "version: 0.2\nphases:\n  build:\n    commands:\n      - @echo starting\n";
/// A note.
pub(crate) const TASK: &str = "containerDefinitions:\n  - name: cache\n    image: redis:latest\n";
/// Errors with a fix.
pub(crate) const FLOATING: &str = "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t $REGISTRY/web:latest .
      - docker push $REGISTRY/web:latest
      - printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' \"$REGISTRY/web:latest\" > imagedefinitions.json
artifacts:
  files: imagedefinitions.json
";
