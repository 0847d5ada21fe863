//! What `build.rs` tells cargo of the source: run by itself in repositories made for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// Half an hour before midnight of 2026-11-22, and the next day already where it was committed.
const COMMITTED: &str = "1795390200 +0100";

/// Compiled once, as cargo does it.
fn script() -> &'static Path {
    static SCRIPT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SCRIPT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("build-script");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
        let status = Command::new("rustc").args(["--edition", "2024", source, "-o"]).arg(&path).status();
        assert!(status.unwrap().success());
        (folder, path)
    });
    path
}

/// A folder with what a program is made of.
struct Source {
    folder: TempDir,
}

impl Source {
    fn new() -> Self {
        let source = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(source.path("src")).unwrap();
        for name in ["build.rs", "Cargo.toml", "Cargo.lock", "README.md", "src/main.rs"] {
            source.write(name, "one");
        }
        source
    }

    fn committed() -> Self {
        let source = Self::new();
        source.git(&["init", "--quiet", "--initial-branch", "main"]);
        source.commit();
        source
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "One"]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(self.folder.path(), arguments)
    }

    fn hash(&self) -> String {
        self.git(&["rev-parse", "HEAD"])[..7].to_owned()
    }
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "user.name=alice", "-c", "user.email=alice@example.com"]).args(arguments);
    git.env("GIT_COMMITTER_DATE", COMMITTED).env("GIT_AUTHOR_DATE", COMMITTED);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What it prints in a folder, for another machine than this: how the program is linked is not asked here.
fn told(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut script = Command::new(script());
    script.current_dir(folder).env_remove("SOURCE_DATE_EPOCH");
    script.envs([("HOST", "here"), ("TARGET", "there"), ("PROFILE", "release")]).envs(variables.iter().copied());
    let output = script.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn variable(told: &str, name: &str) -> String {
    let start = format!("cargo:rustc-env={name}=");
    told.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("no {name} in {told}")).to_owned()
}

fn source(folder: &Path, variables: &[(&str, &str)]) -> String {
    variable(&told(folder, variables), "VAULT_SOURCE")
}

#[test]
fn a_build_names_its_commit_and_the_day_of_that_in_utc() {
    let repository = Source::committed();
    let hash = repository.hash();
    let told = told(repository.folder.path(), &[]);
    assert_eq!(variable(&told, "VAULT_SOURCE"), format!(" ({hash} 2026-11-22)"));
    assert_eq!((variable(&told, "VAULT_TARGET"), variable(&told, "VAULT_PROFILE")), ("there".into(), "release".into()));
}

#[test]
fn only_a_change_to_what_the_program_is_made_of_makes_it_dirty() {
    let repository = Source::committed();
    let (folder, hash) = (repository.folder.path(), repository.hash());
    repository.write("README.md", "two");
    assert_eq!(source(folder, &[]), format!(" ({hash} 2026-11-22)"));
    for changed in ["src/main.rs", "Cargo.lock", "src/new.rs"] {
        repository.write(changed, "two");
        assert_eq!(source(folder, &[]), format!(" ({hash}-dirty 2026-11-22)"), "{changed}");
        repository.git(&["add", "--all"]);
        assert_eq!(source(folder, &[]), format!(" ({hash}-dirty 2026-11-22)"), "{changed}, to be committed");
        repository.git(&["reset", "--quiet", "--hard"]);
        assert_eq!(source(folder, &[]), format!(" ({hash} 2026-11-22)"));
    }
}

#[test]
fn without_a_repository_of_its_own_a_source_has_no_commit() {
    let archive = Source::new();
    assert_eq!(source(archive.folder.path(), &[]), "");
    assert_eq!(source(archive.folder.path(), &[("SOURCE_DATE_EPOCH", "0")]), " (1970-01-01)");
    // Unpacked in the repository of something else; or started by a hook there.
    let other = Source::committed();
    fs::create_dir_all(other.path("vendor/src")).unwrap();
    assert_eq!(source(&other.path("vendor"), &[]), "");
    assert_eq!(source(archive.folder.path(), &[("GIT_DIR", other.path(".git").to_str().unwrap())]), "");
    let unborn = Source::new();
    unborn.git(&["init", "--quiet"]);
    assert_eq!(source(unborn.folder.path(), &[]), "");
    assert_eq!(source(other.folder.path(), &[("PATH", "/nonexistent")]), "");
}

#[test]
fn source_date_epoch_goes_before_the_commits_own_date() {
    let repository = Source::committed();
    let (folder, hash) = (repository.folder.path(), repository.hash());
    for (seconds, day) in [
        ("951782400", "2000-02-29"),
        ("951868799", "2000-02-29"),
        ("1709251200", "2024-03-01"),
        ("4107542399", "2100-02-28"),
        ("4107542400", "2100-03-01"),
        ("1767225599", "2025-12-31"),
        ("no number", "2026-11-22"),
    ] {
        let found = source(folder, &[("SOURCE_DATE_EPOCH", seconds)]);
        assert_eq!(found, format!(" ({hash} {day})"), "{seconds}");
    }
}

/// Else the program would name an earlier commit than it is of; and if more were watched, or what is not there, each build
/// would begin with this.
#[test]
fn it_runs_again_after_a_commit_or_a_checkout_wherever_git_keeps_that() {
    let watched = |folder: &Path| -> Vec<PathBuf> {
        let told = told(folder, &[]);
        let paths = told.lines().filter_map(|line| line.strip_prefix("cargo:rerun-if-changed="));
        let paths: Vec<PathBuf> = paths.map(|path| folder.join(path)).collect();
        paths.iter().for_each(|path| assert!(path.exists(), "{path:?}"));
        paths
    };
    let repository = Source::committed();
    let folder = repository.folder.path();
    for path in ["src", "build.rs", "Cargo.toml", "Cargo.lock", ".git/HEAD", ".git/refs/heads/main"] {
        assert!(watched(folder).contains(&folder.join(path)), "{path}");
    }
    repository.git(&["pack-refs", "--all", "--prune"]);
    for path in [".git/HEAD", ".git/packed-refs", ".git/refs/heads"] {
        assert!(watched(folder).contains(&folder.join(path)), "{path}");
    }
    let beside = tempfile::tempdir().unwrap();
    let tree = beside.path().join("tree");
    repository.git(&["worktree", "add", "--quiet", "-b", "team/side", tree.to_str().unwrap()]);
    let watched = watched(&tree);
    for path in [".git/worktrees/tree/HEAD", ".git/refs/heads/team/side"] {
        let path = fs::canonicalize(folder).unwrap().join(path);
        assert!(watched.iter().any(|it| fs::canonicalize(it).unwrap() == path), "{path:?} in {watched:?}");
    }
}
