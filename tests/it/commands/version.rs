//! `vault -V` and `vault --version`.

use crate::program::Case;

/// As cargo was told by `build.rs`; see `build_script.rs`.
const SHORT: &str = concat!("vault ", env!("CARGO_PKG_VERSION"), env!("VAULT_SOURCE"), "\n");

#[test]
fn one_line_says_the_version_and_the_commit() {
    Case::new().run(&["-V"]).succeeds().stdout(SHORT).stderr("");
}

#[test]
fn more_lines_say_for_which_machines_it_was_built_and_which_vaults_it_takes() {
    let (target, profile) = (env!("VAULT_TARGET"), env!("VAULT_PROFILE"));
    let more = format!("target: {target}\nprofile: {profile}\nvault formats: reads 1, writes 1\n");
    Case::new().run(&["--version"]).succeeds().stdout(&format!("{SHORT}{more}")).stderr("");
    assert!(target.contains(std::env::consts::ARCH) && ["debug", "release"].contains(&profile), "{more}");
}

/// It is asked for where nothing else works.
#[test]
fn it_takes_neither_a_home_nor_a_vault() {
    let case = Case::new();
    case.vault(&["--version"]).without_variable("HOME").run().succeeds().stderr("");
    assert!(!case.home().join(".local").exists());
}
