//! The exported JSON Schemas: valid themselves, open for every documented form, closed for what stops a build or
//! a deployment. Another person's validator reads them here.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

use jsonschema::Validator;
use serde_json::Value;
use tagwright_grammar::{
    buildspec_schema, copilot_environment_schema, copilot_pipeline_schema, copilot_workload_schema,
};

fn json(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap()
}

fn validator(schema: &str) -> Validator {
    jsonschema::validator_for(&json(schema)).unwrap()
}

fn document(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn accepts(schema: &Validator, text: &str) {
    let document = document(text);
    let errors: Vec<String> = schema
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
}

#[track_caller]
fn rejects(schema: &Validator, text: &str) {
    assert!(!schema.is_valid(&document(text)), "{text}");
}

/// A buildspec with this text, unindented, between its version and its phases.
fn with(section: &str) -> String {
    format!("version: 0.2\n{section}phases:\n  build:\n    commands:\n      - make\n")
}

/// A buildspec whose build has this text, indented by four.
fn build(text: &str) -> String {
    format!("version: 0.2\nphases:\n  build:\n{text}")
}

#[test]
fn the_schemas_are_valid_under_their_meta_schema() {
    for schema in [
        buildspec_schema(),
        copilot_workload_schema(),
        copilot_environment_schema(),
        copilot_pipeline_schema(),
    ] {
        let schema = json(&schema);
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        if let Err(error) = jsonschema::meta::validate(&schema) {
            panic!("{}: {error}", schema["title"]);
        }
    }
}

#[test]
fn every_documented_form_of_a_buildspec_is_accepted() {
    let schema = validator(&buildspec_schema());
    for text in [
        // Commands: lists, one string, one block, nothing yet.
        &build("    commands:\n      - make\n      - make install\n"),
        &build("    commands: make all\n"),
        &build("    commands: |\n      make\n      make install\n"),
        &build("    commands:\n"),
        &build("    commands: [make, 'make install']\n"),
        &build("    commands:\n      - 7\n      - true\n"),
        &build("    commands:\n      - make\n    finally: make clean\n"),
        &build("    run-as: worker\n    commands:\n      - make\n"),
        // Steps instead of commands.
        &build(
            "    steps:\n      - name: code\n        uses: actions/checkout@v4\n        with:\n          fetch-depth: 0\n      - run: make\n        env:\n          STAGE: test\n        continue-on-error: true\n        timeout-minutes: 5\n",
        ),
        // A phase of its own for everything.
        "version: 0.2\nphases:\n  install:\n  pre_build:\n    commands: a\n  build:\n    commands: b\n  post_build:\n    commands: c\n",
        // Versions.
        "version: 0.1\nphases:\n  build:\n    commands:\n      - make\n",
        "version: '0.2'\nphases:\n  build:\n    commands:\n      - make\n",
        // Only a batch.
        "version: 0.2\nbatch:\n  build-list:\n    - identifier: one\n",
    ] {
        accepts(&schema, text);
    }
    for failure in [
        "ABORT",
        "CONTINUE",
        "RETRY",
        "RETRY-3",
        "RETRY-.*timeout.*",
        "RETRY-5-.*timeout.*",
    ] {
        let text = build(&format!(
            "    on-failure: {failure}\n    commands:\n      - make\n"
        ));
        accepts(&schema, &text);
    }
    for runtimes in [
        "python: 3.10",
        "python: '3.12'",
        "nodejs: 22",
        "nodejs: 18.x",
        "java: corretto21",
        "golang: latest",
        "ruby: $RUBY",
    ] {
        let text =
            format!("version: 0.2\nphases:\n  install:\n    runtime-versions:\n      {runtimes}\n");
        accepts(&schema, &text);
    }
    for section in [
        "run-as: root\n",
        "env:\n  shell: bash\n",
        "env:\n  shell: /bin/sh\n",
        "env:\n  shell: powershell.exe\n",
        "env:\n  shell: /bin/bash\n",
        "env:\n  variables:\n    TEXT: a\n    PORT: 8080\n    DEBUG: true\n    EMPTY:\n  parameter-store:\n    TOKEN: /web/token\n  secrets-manager:\n    KEY: web:key:AWSCURRENT\n  exported-variables:\n    - TAG\n",
        "env:\n  exported-variables: TAG\n",
        "proxy:\n  upload-artifacts: yes\n  logs: yes\n",
        "cache:\n  paths:\n    - /root/.m2/**/*\n  key: m2-$(codebuild-hash-files pom.xml)\n  fallback-keys:\n    - m2-\n  action: restore\n",
        "cache:\n  paths: node_modules\n  action: save\n",
        "reports:\n  unit:\n    files:\n      - '**/*.xml'\n    base-directory: out\n    discard-paths: no\n    file-format: JunitXml\n",
        "reports:\n  arn:aws:codebuild:eu-west-1:111122223333:report-group/unit:\n    files: r.xml\n    file-format: COBERTURAXML\n",
        "artifacts:\n  files: out.zip\n",
        "artifacts:\n  files:\n    - '**/*'\n  name: web-$(date +%F)\n  discard-paths: yes\n  enable-symlinks: yes\n  base-directory: out\n  exclude-paths: '**/*.map'\n  s3-prefix: web\n  secondary-artifacts:\n    site:\n      files:\n        - a\n      name: site\n    docs:\n      files: b\n      discard-paths: no\n",
        "artifacts:\n  files: a\n  type: zip\n",
        "batch:\n  fast-fail: true\n  build-graph:\n    - identifier: one\n      env:\n        compute-type: BUILD_GENERAL1_SMALL\n        image: aws/codebuild/standard:7.0\n        type: LINUX_CONTAINER\n        privileged-mode: true\n        variables:\n          A: b\n      debug-session: false\n      ignore-failure: false\n    - identifier: two\n      buildspec: two.yml\n      depend-on:\n        - one\n",
        "batch:\n  build-matrix:\n    static:\n      ignore-failure: false\n      env:\n        type: LINUX_CONTAINER\n        privileged-mode: true\n    dynamic:\n      buildspec:\n        - a.yml\n        - b.yml\n      env:\n        compute-type:\n          - BUILD_GENERAL1_SMALL\n        image:\n          - aws/codebuild/standard:7.0\n        variables:\n          STAGE:\n            - test\n            - live\n",
        "batch:\n  build-fanout:\n    parallelism: 5\n    ignore-failure: false\n",
        // What CodeBuild takes no notice of.
        "x-shared: &shared\n  A: b\nenv:\n  variables: *shared\n",
    ] {
        accepts(&schema, &with(section));
    }
    for flag in ["yes", "no", "true", "false", "\"yes\"", "Yes", "$FLAG"] {
        accepts(
            &schema,
            &with(&format!(
                "artifacts:\n  files: a\n  discard-paths: {flag}\n"
            )),
        );
    }
}

#[test]
fn what_stops_a_build_is_rejected() {
    let schema = validator(&buildspec_schema());
    for text in [
        "{}",
        "- make",
        "phases:\n  build:\n    commands:\n      - make\n",
        "version: 0.2\n",
        "version: 1.0\nphases:\n  build:\n    commands:\n      - make\n",
        "version: 0.2\nphases:\n  deploy:\n    commands:\n      - make\n",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n  artifacts:\n    files: a\n",
        "version: 0.2\nphases:\n  build:\n    - make\n",
        "version: 0.2\nphases:\n  - build\n",
        // A colon and a space: the command is a mapping.
        &build("    commands:\n      - echo a: b\n"),
        &build("    commands:\n      - [make, all]\n"),
        &build("    commands:\n      make: all\n"),
        &build("    on-failure: abort\n    commands:\n      - make\n"),
        &build("    on-failure: RETRY3\n    commands:\n      - make\n"),
        &build("    commands:\n      - make\n    steps:\n      - run: make\n"),
        &build("    steps: make\n"),
        &build("    steps:\n      - make\n"),
        &build("    steps:\n      - uses: a\n        run: b\n"),
    ] {
        rejects(&schema, text);
    }
    for section in [
        "env:\n  variables:\n    - A\n",
        "env:\n  variables:\n    A:\n      b: c\n",
        "env:\n  variables:\n    A: [b]\n",
        "env:\n  - variables\n",
        "env:\n  git-credential-helper: maybe\n",
        "artifacts:\n  - out\n",
        "artifacts: out\n",
        "artifacts:\n  files:\n    a: b\n",
        "artifacts:\n  files: a\n  discard-paths: maybe\n",
        "cache:\n  paths: [a]\n  action: upload\n",
        "reports:\n  unit:\n    file-format: JUNITXML\n",
        "reports:\n  unit:\n    files: a\n    file-format: TAP\n",
        "proxy:\n  logs: often\n",
        "batch:\n  build-list:\n    - buildspec: a.yml\n",
        "batch:\n  build-list:\n    identifier: a\n",
        "batch:\n  build-list:\n    - identifier: a\n  build-graph:\n    - identifier: b\n",
        "batch:\n  build-graph:\n    - identifier: a\n      env:\n        compute-type: BUILD_GENERAL1_SMALL\n        fleet: mine\n",
        "batch:\n  build-fanout:\n    parallelism: 0\n",
        "batch:\n  build-fanout:\n    ignore-failure: false\n",
    ] {
        rejects(&schema, &with(section));
    }
}

/// A manifest of this type with this text behind it.
fn manifest(kind: &str, text: &str) -> String {
    format!("name: web\ntype: {kind}\n{text}")
}

const LOAD_BALANCED: &str = "Load Balanced Web Service";
const ON_ECS: [&str; 4] = [
    LOAD_BALANCED,
    "Backend Service",
    "Worker Service",
    "Scheduled Job",
];

#[test]
fn every_form_of_a_copilot_workload_is_accepted() {
    let schema = validator(&copilot_workload_schema());
    for kind in ON_ECS {
        for text in [
            "image:\n  build: Dockerfile\n",
            "image:\n  build:\n    dockerfile: web/Dockerfile\n    context: web\n    args:\n      STAGE: test\n      PORT: 80\n    target: live\n    cache_from:\n      - app:latest\n",
            "image:\n  location: app:${TAG}\n  credentials: arn:aws:secretsmanager:eu-west-1:111122223333:secret:x\n  labels:\n    a: b\n  depends_on:\n    db: healthy\n  healthcheck:\n    command: [CMD-SHELL, 'curl -f http://localhost || exit 1']\n    interval: 10s\n    retries: 2\n    timeout: 1m30s\n    start_period: 0s\n",
            "cpu: 256\nmemory: 512\ncount: 1\nexec: true\nplatform: linux/arm64\n",
            "exec:\n  enable: yes\nplatform:\n  osfamily: linux\n  architecture: arm64\n",
            "count:\n  range: 1-10\n  cooldown:\n    in: 60s\n    out: 30s\n  cpu_percentage: 70\n  memory_percentage:\n    value: 80\n    cooldown:\n      in: 1m\n  requests: 100\n  response_time: 2s\n",
            "count:\n  range:\n    min: 1\n    max: 10\n    spot_from: 2\n  queue_delay:\n    acceptable_latency: 10m\n    msg_processing_time: 250ms\n",
            "count:\n  spot: 5\n",
            "entrypoint: [\"/bin/sh\", \"-c\"]\ncommand: run --all\nvariables:\n  A: b\n  PORT: 80\n  C:\n    from_cfn: ${COPILOT_APPLICATION_NAME}-x\nenv_file: web.env\nsecrets:\n  TOKEN: /web/token\n  KEY:\n    secretsmanager: web/key\n  OTHER:\n    from_cfn: other\n",
            "storage:\n  ephemeral: 30\n  readonly_fs: true\n  volumes:\n    shared:\n      path: /data\n      read_only: false\n      efs: true\n    other:\n      path: /other\n      efs:\n        id: fs-1\n        root_dir: /x\n        auth:\n          iam: true\n          access_point_id: fsap-1\n",
            "logging:\n  retention: 30\n  image: fluent-bit:2\n  destination:\n    Name: cloudwatch\n  enableMetadata: true\n  secretOptions:\n    a: b\n  configFilePath: /x.conf\n",
            "sidecars:\n  proxy:\n    port: 80\n    image: nginx:1.27\n    essential: true\n    mount_points:\n      - source_volume: shared\n        path: /data\n        read_only: true\n    depends_on:\n      web: start\n  builder:\n    image:\n      build: side/Dockerfile\n",
            "network:\n  connect: true\n  vpc:\n    placement: private\n    security_groups: [sg-1]\n",
            "network:\n  connect:\n    alias: web\n  vpc:\n    placement:\n      subnets: [subnet-1]\n    security_groups:\n      deny_default: true\n      groups:\n        - sg-1\n        - from_cfn: x\n",
            "network:\n  vpc:\n    placement:\n      subnets:\n        from_tags:\n          type: private\n          tier: [a, b]\n",
            "publish:\n  topics:\n    - name: orders\n    - name: more\n      fifo: true\n    - name: most\n      fifo:\n        content_based_deduplication: true\n",
            "taskdef_overrides:\n  - path: ContainerDefinitions[0].Ulimits[-].Name\n    value: nofile\n  - path: RuntimePlatform\n    value:\n      a: [b]\n",
            "environments:\n  test:\n    count: 2\n    image:\n      location: app:1\n  live:\n",
            "unknown: 1\n",
        ] {
            accepts(&schema, &manifest(kind, text));
        }
    }
    for text in [
        "image:\n  build: Dockerfile\n  port: 80\nhttp:\n  path: /\n  healthcheck: /health\n  stickiness: true\n  alias: example.com\n  allowed_source_ips: [10.0.0.0/8]\n  target_container: proxy\n  target_port: 80\n  version: grpc\n  redirect_to_https: false\n  deregistration_delay: 30s\n  alb: mine\n",
        "http:\n  path: /\n  healthcheck:\n    path: /health\n    port: 80\n    success_codes: 200,301\n    healthy_threshold: 3\n    unhealthy_threshold: 2\n    interval: 15s\n    timeout: 10s\n    grace_period: 45s\n  alias:\n    - name: example.com\n      hosted_zone: Z1\n  additional_rules:\n    - path: /api\n      target_port: 81\n",
        "http:\n  path: /\n  alias: [a.example.com, b.example.com]\n",
        "http: false\nnlb:\n  port: 443/tls\n  healthcheck:\n    port: 80\n  stickiness: true\n  additional_listeners:\n    - port: 8080\n      target_port: 80\n",
        "deployment:\n  rolling: recreate\n  rollback_alarms: [alarm]\nobservability:\n  tracing: awsxray\n",
        "deployment:\n  rollback_alarms:\n    cpu_utilization: 70.5\n    memory_utilization: 80\n",
    ] {
        accepts(&schema, &manifest(LOAD_BALANCED, text));
    }
    for (kind, text) in [
        (
            "Worker Service",
            "subscribe:\n  topics:\n    - name: orders\n      service: api\n      filter_policy:\n        store: [a]\n      queue: true\n    - name: more\n      service: api\n      queue:\n        timeout: 10s\n  queue:\n    retention: 96h\n    delay: 30s\n    timeout: 30s\n    dead_letter:\n      tries: 10\n    fifo:\n      content_based_deduplication: true\n      high_throughput: true\ndeployment:\n  rollback_alarms:\n    messages_delayed: 5\n",
        ),
        (
            "Scheduled Job",
            "on:\n  schedule: '@daily'\nretries: 3\ntimeout: 1h30m\n",
        ),
        (
            "Request-Driven Web Service",
            "image:\n  location: app:1\n  port: 80\nhttp:\n  healthcheck: /health\n  alias: example.com\n  private: true\ncpu: 1024\nmemory: 2048\ncommand: run\ntags:\n  a: b\nnetwork:\n  vpc:\n    placement: private\ncount: high\n",
        ),
        (
            "Request-Driven Web Service",
            "http:\n  private:\n    endpoint: vpce-1\n",
        ),
        (
            "Static Site",
            "http:\n  alias: example.com\n  certificate: arn:aws:acm:us-east-1:111122223333:certificate/x\nfiles:\n  - source: dist\n    recursive: true\n    exclude: '*.map'\n    reinclude: [a.map]\n    destination: static\n",
        ),
    ] {
        accepts(&schema, &manifest(kind, text));
    }
}

#[test]
fn what_copilot_cannot_read_is_rejected() {
    let schema = validator(&copilot_workload_schema());
    for text in [
        "name: web\n",
        "type: Backend Service\n",
        "name: web\ntype: Web Service\n",
    ] {
        rejects(&schema, text);
    }
    for kind in ON_ECS {
        for text in [
            "image: nginx:1.27\n",
            "image:\n  build: Dockerfile\n  location: app:1\n",
            "cpu: '256'\n",
            "cpu: small\n",
            "count: many\n",
            "exec: maybe\n",
            "variables:\n  - A\n",
            "variables:\n  A: [b]\n",
            "secrets:\n  A:\n    other: b\n    from_cfn: c\n    secretsmanager: d\n",
            "network:\n  vpc:\n    placement: internal\n",
            "image:\n  healthcheck:\n    interval: 10\n",
            "image:\n  depends_on:\n    db: ready\n",
            "sidecars:\n  - image: nginx:1\n",
            "environments:\n  test:\n    cpu: small\n",
            "storage:\n  volumes:\n    - path: /data\n",
        ] {
            rejects(&schema, &manifest(kind, text));
        }
    }
    for text in [
        "http: /\n",
        "http:\n  stickiness: sometimes\n",
        "http:\n  version: HTTP3\n",
        "deployment:\n  rolling: blue-green\n",
        "observability:\n  tracing: jaeger\n",
    ] {
        rejects(&schema, &manifest(LOAD_BALANCED, text));
    }
}

#[test]
fn environments_and_pipelines_have_schemas_as_well() {
    let environment = validator(&copilot_environment_schema());
    for text in [
        "name: test\ntype: Environment\n",
        "name: test\ntype: Environment\nnetwork:\n  vpc:\n    id: vpc-1\n    subnets:\n      public:\n        - id: subnet-1\n      private:\n        - cidr: 10.0.0.0/24\n          az: eu-west-1a\n    security_group:\n      ingress:\n        - ip_protocol: tcp\n          ports: 80\n          cidr: 0.0.0.0/0\n      egress:\n        - ip_protocol: tcp\n          ports: 0-65535\n          cidr: 0.0.0.0/0\n    flow_logs: on\nhttp:\n  public:\n    certificates: [arn]\n    access_logs: true\n    ssl_policy: x\n    ingress:\n      cdn: true\n      source_ips: [10.0.0.0/8]\n  private:\n    subnets: [subnet-1]\n    ingress:\n      vpc: true\ncdn: true\nobservability:\n  container_insights: false\n",
        "name: test\ntype: Environment\ncdn:\n  certificate: arn\n  terminate_tls: true\n  static_assets:\n    location: x\n    alias: y\n    path: static/*\nnetwork:\n  vpc:\n    flow_logs:\n      retention: 30\nhttp:\n  public:\n    access_logs:\n      bucket_name: b\n      prefix: p\n",
    ] {
        accepts(&environment, text);
    }
    for text in [
        "name: test\n",
        "name: test\ntype: Backend Service\n",
        "name: test\ntype: Environment\ncdn: fast\n",
        "name: test\ntype: Environment\nhttp:\n  public:\n    certificates: arn\n",
    ] {
        rejects(&environment, text);
    }
    let pipeline = validator(&copilot_pipeline_schema());
    let head = "name: web-main\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    branch: main\n    repository: https://github.com/example/web\n    output_artifact_format: CODEBUILD_CLONE_REF\n";
    for text in [
        "",
        "build:\n  image: aws/codebuild/standard:7.0\n  buildspec: ci.yml\n  additional_policy:\n    PolicyDocument:\n      Statement: []\n",
        "stages:\n  - name: test\n    requires_approval: true\n    test_commands: [make]\n  - name: live\n    deployments:\n      db:\n      web:\n        depends_on: [db]\n        stack_name: x\n        template_path: y\n        template_config: z\n    pre_deployments:\n      migrate:\n        buildspec: migrate.yml\n",
    ] {
        accepts(&pipeline, &format!("{head}{text}"));
    }
    rejects(&pipeline, &head.replace("GitHub\n", "GitLab\n"));
    rejects(&pipeline, &head.replace("version: 1\n", ""));
    for text in [
        "stages:\n  test: {}\n",
        "stages:\n  - name: test\n    requires_approval: maybe\n",
        "stages:\n  - name: test\n    test_commands: make\n",
        "stages:\n  - name: test\n    test_commands: [make]\n    post_deployments:\n      x:\n        buildspec: y\n",
    ] {
        rejects(&pipeline, &format!("{head}{text}"));
    }
}
