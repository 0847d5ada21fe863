//! Programs of others that do a part of the same, where they are installed.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    AwsCli,
    Awsmfa,
    AwsMfa,
    AwsMfaSession,
    AwsVault,
    Age,
}

/// Where it comes from.
enum Source {
    /// A virtual environment of its own: awsmfa and aws-mfa are Python modules of one name.
    PyPi(&'static [&'static str]),
    /// Name and version.
    CratesIo(&'static str, &'static str),
    /// A command that is not for us to run.
    Elsewhere(&'static str),
}

const KINDS: [Kind; 6] = [Kind::AwsCli, Kind::AwsMfaSession, Kind::Awsmfa, Kind::AwsMfa, Kind::AwsVault, Kind::Age];

/// Where [`install`] puts them.
const OURS: &str = "target/peers";

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsCli => "AWS CLI",
            Self::Awsmfa => "awsmfa",
            Self::AwsMfa => "aws-mfa",
            Self::AwsMfaSession => "aws-mfa-session",
            Self::AwsVault => "aws-vault",
            Self::Age => "age",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::AwsCli => "aws",
            other => other.name(),
        }
    }

    /// What it answers to by itself: a name on PATH may be that of a wrapper around nothing.
    fn greeting(self) -> &'static str {
        match self {
            Self::AwsMfa => "--help",
            _ => "--version",
        }
    }

    fn source(self) -> Source {
        match self {
            Self::AwsCli => Source::PyPi(&["awscli==1.46.3"]),
            Self::Awsmfa => Source::PyPi(&["awsmfa==0.2.9", "boto3==1.44.5"]),
            Self::AwsMfa => Source::PyPi(&["aws-mfa==0.0.12", "boto3==1.44.5"]),
            Self::AwsMfaSession => Source::CratesIo("aws-mfa-session", "0.6.0"),
            Self::AwsVault => Source::Elsewhere("brew install aws-vault"),
            Self::Age => Source::Elsewhere("apt-get install age"),
        }
    }

    fn how_to_install(self) -> &'static str {
        match self.source() {
            Source::Elsewhere(command) => command,
            _ => "cargo bench --bench table -- --install-peers",
        }
    }

    /// Ours before the judges', and any on PATH last.
    fn find(self) -> Option<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let ours = [here.join(OURS).join(self.program()).join("bin"), here.join(OURS).join("bin")];
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = ours.into_iter().chain([here.join("target/judges/bin")]).chain(env::split_paths(&path));
        folders.map(|folder| folder.join(self.program())).find(|program| self.greets(program))
    }

    fn greets(self, program: &Path) -> bool {
        let mut command = Command::new(program);
        command.arg(self.greeting()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        program.is_file() && command.status().is_ok_and(|status| status.success())
    }

    fn install(self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(OURS);
        match self.source() {
            Source::PyPi(packages) => {
                let folder = root.join(self.program());
                run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
                let mut pip = Command::new(folder.join("bin/pip"));
                run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages));
            }
            Source::CratesIo(name, version) => {
                let mut cargo = Command::new("cargo");
                cargo.args(["install", "--quiet", "--locked", "--version", version, "--root"]);
                run(cargo.arg(root).arg(name));
            }
            Source::Elsewhere(_) => {}
        }
    }
}

/// Those that are not there.
pub fn install() {
    Peer::all().iter().filter(|peer| peer.program.is_none()).for_each(|peer| peer.kind.install());
    Peer::all().iter().for_each(|peer| println!("{peer}"));
}

fn run(command: &mut Command) {
    eprintln!("{command:?}");
    let status = command.status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{status:?}");
}

pub struct Peer {
    pub kind: Kind,
    /// Where it is, if it is.
    pub program: Option<PathBuf>,
}

impl Peer {
    pub fn all() -> Vec<Self> {
        KINDS.into_iter().map(|kind| Self { kind, program: kind.find() }).collect()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (name, here) = (self.kind.name(), Path::new(env!("CARGO_MANIFEST_DIR")));
        match &self.program {
            Some(program) => write!(f, "{name}: {}", program.strip_prefix(here).unwrap_or(program).display())?,
            None => write!(f, "not found: {name}, `{}`", self.kind.how_to_install())?,
        }
        match self.kind.source() {
            Source::PyPi(packages) => write!(f, " ({})", packages.join(", ")),
            Source::CratesIo(name, version) => write!(f, " ({name} {version})"),
            Source::Elsewhere(_) => Ok(()),
        }
    }
}
