//! A Docker Engine and two registries on loopback: what a build builds, pushes and deploys is then really built, pushed
//! and pulled.
//!
//! One registry takes every push; the other one, ECR as `ministack` knows it, refuses to move a tag.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::calls::Image;
use super::fixture::Fixture;

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `docker` that writes its arguments down like the other stubs and hands them to the engine, every name in its place
/// on loopback. An image says which commit it was built from. What the fixture does not push itself is other people's,
/// and is there whenever somebody pulls it.
const DOCKER: &str = r##"#!/bin/sh
case $* in
  *--password-stdin*) cat >/dev/null ;;
esac
{ printf '%s\037' docker "$@"; printf '\036'; } >>"$RECORD"
export DOCKER_HOST=@HOST@ DOCKER_CONFIG=@CONFIG@ DOCKER_BUILDKIT=0
# The place of a reference on loopback. A port in its first part is no port there.
place() {
  case $1 in
    */*) first=${1%%/*}; rest=/${1#*/} ;;
    *) first=$1; rest= ;;
  esac
  case $first$rest in
    *:*/*) first=$(printf %s "$first" | tr : _) ;;
  esac
  printf %s "@REGISTRY@/@FIXTURE@/$first$rest"
}
own() {
  repository=$(printf %s "$1" | sed -E 's,^(.*/[^:@]*).*$,\1,')
  grep -qxF -e "$repository" @OWN@
}
make() { # the commit, the names
  commit=$1
  shift
  for name do
    set -- "$@" -t "$name"
    shift
  done
  # While another fixture's images are deleted, the engine may lose the one that it is just making.
  for attempt in 1 2 3; do
    printf 'FROM scratch\nLABEL commit="%s" build="%s"\n' "$commit" "$$.$(date +%N)" | @DOCKER@ build -q "$@" - >/dev/null && return
    sleep 1
  done
  return 1
}
case "$1 $2" in
  'buildx build' | 'image build' | 'builder build') shift ;;
esac
command=$1
shift
case $command in
  build)
    names= push=
    while [ $# -gt 0 ]; do
      case $1 in
        -t | --tag) names="$names $(place "$2")"; shift ;;
        -t=* | --tag=*) names="$names $(place "${1#*=}")" ;;
        --push) push=yes ;;
      esac
      shift
    done
    # The names have no spaces.
    make "$CODEBUILD_RESOLVED_SOURCE_VERSION" $names || exit
    [ -n "$push" ] || exit 0
    for name in $names; do
      @DOCKER@ push -q "$name" || exit
    done
    ;;
  tag) @DOCKER@ tag "$(place "$1")" "$(place "$2")" ;;
  push)
    all=
    for word do
      case $word in
        -a | --all-tags) all=-a ;;
        -*) ;;
        *) name=$(place "$word") ;;
      esac
    done
    @DOCKER@ push -q $all "$name"
    ;;
  pull)
    for word do name=$(place "$word"); done
    if own "$name"; then
      @DOCKER@ pull -q "$name"
    else
      make other "$name"
    fi
    ;;
  run | save | inspect | history | scan | scout)
    for word do
      name=$(place "$word")
      ! own "$name" || @DOCKER@ image inspect "$name" >/dev/null || exit
    done
    ;;
esac
"##;

/// A server that ends with its owner.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The engine ends what it has started only if it is asked.
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let patience = Instant::now() + Duration::from_secs(10);
        while asked.as_ref().is_ok_and(|status| status.success()) && Instant::now() < patience {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The engine and its registries.
pub(crate) struct Engine {
    docker: PathBuf,
    socket: PathBuf,
    registry: Server,
    immutable: Server,
    _daemon: Server,
    folder: tempfile::TempDir,
}

/// Where the programs of an engine are: `docker`, `dockerd`, `docker-registry`, `ministack`.
struct Programs([PathBuf; 4]);

impl Programs {
    /// What is missing, if anything is. `TAGWRIGHT_MINISTACK` may name the last one.
    fn find() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = ["/usr/bin", "/usr/sbin"].map(PathBuf::from).into();
        folders.extend(std::env::split_paths(&path));
        let find = |name: &str| {
            let named = std::env::var_os(format!("TAGWRIGHT_{}", name.to_uppercase()));
            let mut found = named
                .into_iter()
                .map(PathBuf::from)
                .chain(folders.iter().map(|folder| folder.join(name)));
            found
                .find(|path| path.is_file())
                .ok_or_else(|| format!("{name} is not there"))
        };
        Ok(Self([
            find("docker")?,
            find("dockerd")?,
            find("docker-registry")?,
            find("ministack")?,
        ]))
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Starts a server whose output goes to `log`.
fn spawn(command: &mut Command, port: u16, log: &Path) -> Server {
    let out = fs::File::create(log).expect("a temporary folder is writable");
    let err = out.try_clone().expect("a file can be shared");
    let child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Server { child, port }
}

impl Engine {
    /// Starts them. Where a program is missing, or the engine does not come up: why.
    pub(crate) fn start() -> Result<Self, String> {
        let Programs([docker, dockerd, registry, ministack]) = Programs::find()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |name: &str| folder.path().join(name);
        let socket = at("socket");
        let mut command = Command::new(dockerd);
        command
            .args(["--bridge=none", "--iptables=false", "--storage-driver=vfs"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", socket.display()));
        let daemon = spawn(&mut command, 0, &at("dockerd.log"));
        let port = free_port();
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n",
            at("registry").display()
        );
        fs::write(at("registry.yml"), configuration).expect("a temporary folder is writable");
        let mut command = Command::new(registry);
        command.arg("serve").arg(at("registry.yml"));
        let registry = spawn(&mut command, port, &at("registry.log"));
        let port = free_port();
        let mut command = Command::new(ministack);
        command
            .env("GATEWAY_PORT", port.to_string())
            .current_dir(folder.path());
        let immutable = spawn(&mut command, port, &at("ministack.log"));
        fs::create_dir(at("config")).expect("a temporary folder is writable");
        let engine = Self {
            docker,
            socket,
            registry,
            immutable,
            _daemon: daemon,
            folder,
        };
        engine.wait()?;
        Ok(engine)
    }

    fn wait(&self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let log =
            |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        loop {
            let up = [&self.registry, &self.immutable]
                .iter()
                .all(|server| request(server.port, "GET", "/v2/", &[], "").is_ok());
            if up && self.docker(&["version"]).is_ok() {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!(
                    "the engine does not come up\n{}\n{}\n{}",
                    log("dockerd.log"),
                    log("registry.log"),
                    log("ministack.log")
                ));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What `docker` prints, or how it fails.
    fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.docker)
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()))
            .env("DOCKER_CONFIG", self.folder.path().join("config"))
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    fn registry(&self, fixture: &Fixture) -> String {
        let server = if fixture.settings.immutable {
            &self.immutable
        } else {
            &self.registry
        };
        format!("127.0.0.1:{}", server.port)
    }

    /// The place of a repository on loopback, as the stub has it.
    fn place(&self, fixture: &Fixture, repository: &str) -> String {
        let name = match repository.split_once('/') {
            Some((first, rest)) => format!("{}/{rest}", first.replace(':', "_")),
            None => repository.to_owned(),
        };
        format!("{}/{}/{name}", self.registry(fixture), fixture.name)
    }

    /// Writes the `docker` of a fixture that pushes to the `own` repositories into the folder `stubs`, and makes
    /// those repositories where the registry wants to know them first.
    pub(crate) fn put(&self, fixture: &Fixture, own: &BTreeSet<String>, stubs: &Path) {
        let list = stubs.join("own");
        let mut places = String::new();
        for repository in own {
            let place = self.place(fixture, repository);
            if fixture.settings.immutable {
                let name = place.split_once('/').map_or("", |(_, name)| name);
                let target = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.CreateRepository";
                let body =
                    serde_json::json!({"repositoryName": name, "imageTagMutability": "IMMUTABLE"});
                let headers = [target, "Content-Type: application/x-amz-json-1.1"];
                let port = self.immutable.port;
                let made = request(port, "POST", "/", &headers, &body.to_string());
                // The other tree of the fixture pushes to the same ones.
                let there = |error: &String| error.contains("RepositoryAlreadyExistsException");
                assert!(made.as_ref().err().is_none_or(there), "{name}: {made:?}");
            }
            let _ = writeln!(places, "{place}");
        }
        fs::write(&list, places).expect("a temporary folder is writable");
        let text = DOCKER
            .replace("@HOST@", &format!("unix://{}", self.socket.display()))
            .replace(
                "@CONFIG@",
                &self.folder.path().join("config").to_string_lossy(),
            )
            .replace("@DOCKER@", &self.docker.to_string_lossy())
            .replace("@REGISTRY@", &self.registry(fixture))
            .replace("@FIXTURE@", &fixture.name)
            .replace("@OWN@", &list.to_string_lossy());
        // The stub is there and executable; a script is read from its start each time that it is run.
        fs::write(stubs.join("docker"), text).expect("a temporary folder is writable");
    }

    /// Forgets the images of a fixture that are here, as a new build machine does.
    pub(crate) fn forget(&self, fixture: &Fixture) {
        let pattern = format!("reference={}/{}/**", self.registry(fixture), fixture.name);
        let all = self.docker(&[
            "images",
            "--format",
            "{{.Repository}}:{{.Tag}}",
            "--filter",
            &pattern,
        ]);
        let prefix = format!("{}/{}/", self.registry(fixture), fixture.name);
        let all = all.unwrap_or_default();
        let names: Vec<&str> = all
            .lines()
            .filter(|name| name.starts_with(&prefix))
            .collect();
        if !names.is_empty() {
            let mut arguments = vec!["rmi", "-f"];
            arguments.extend(names);
            self.docker(&arguments)
                .unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        }
    }

    /// Pulls an image: the commit that it was built from, and its digest.
    pub(crate) fn pull(
        &self,
        fixture: &Fixture,
        image: &Image,
    ) -> Result<(String, String), String> {
        let name = format!("{}:{}", self.place(fixture, &image.repository), image.tag);
        self.docker(&["pull", "-q", &name])?;
        let format = "{{index .Config.Labels \"commit\"}} {{index .RepoDigests 0}}";
        let printed = self.docker(&["image", "inspect", "--format", format, &name])?;
        self.docker(&["rmi", "-f", &name])?;
        let (commit, digest) = printed.split_once(' ').ok_or("no digest")?;
        let digest = digest.split_once('@').map_or(digest, |(_, digest)| digest);
        Ok((commit.to_owned(), digest.to_owned()))
    }
}

/// Asks a server on loopback.
fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Result<String, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        let _ = write!(text, "{header}\r\n");
    }
    let _ = write!(text, "\r\n{body}");
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match answer.split_whitespace().nth(1) {
        Some("200") => Ok(answer),
        _ => Err(answer),
    }
}
