//! Two machines with a vault each, and what a sync program does between them.

use std::fs;
use std::path::{Path, PathBuf};

use super::json;
use crate::program::{Case, Invocation, Output, Terminal};

/// A home folder of its own, with the vault in the usual place.
pub struct Machine<'a> {
    case: &'a Case,
    home: PathBuf,
}

impl<'a> Machine<'a> {
    /// The one that made the vault.
    pub fn first(case: &'a Case) -> Self {
        Self { case, home: case.home() }
    }

    /// One that has never seen it.
    pub fn other(case: &'a Case) -> Self {
        Self { case, home: case.home().join("other") }
    }

    pub fn vault_file(&self) -> PathBuf {
        self.home.join(".local/share/vault/vault.age")
    }

    pub fn pins(&self) -> PathBuf {
        self.home.join(".local/state/vault/pins.toml")
    }

    pub fn vault(&self, arguments: &[&str]) -> Invocation<'a> {
        self.case.vault(arguments).variable("HOME", &self.home)
    }

    /// Opens by the recovery key.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.vault(arguments).run()
    }

    pub fn by_passphrase(&self, arguments: &[&str]) -> Invocation<'a> {
        self.vault(arguments).asking().variable("VAULT_PASSPHRASE_FILE", self.case.given("passphrase"))
    }

    pub fn trust(&self) -> Terminal<'a> {
        self.by_passphrase(&["trust"]).on_terminal()
    }

    /// Saves.
    pub fn save(&self, seconds: u32) {
        self.run(&["set", "--vault", &format!("session_duration={seconds}")]).succeeds();
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.vault_file()).unwrap()
    }

    /// What a sync program, or somebody else, puts there.
    pub fn put(&self, bytes: &[u8]) {
        self.case.write(&self.vault_file(), 0o600, bytes);
    }

    pub fn sync_from(&self, other: &Machine) {
        self.put(&other.bytes());
    }

    /// Says yes to the fingerprint.
    pub fn first_sight(&self) {
        let fingerprint = Machine::first(self.case).fingerprint();
        self.run(&["list", "--expect-fingerprint", &fingerprint]).succeeds();
    }

    pub fn fingerprint(&self) -> String {
        self.status()["fingerprint"].as_str().unwrap().to_owned()
    }

    fn status(&self) -> serde_json::Value {
        json(&self.run(&["status", "--json"]))
    }

    /// As refusals name what stands there.
    pub fn state(&self) -> String {
        let status = self.status();
        let text = |key: &str| status[key].as_str().unwrap().to_owned();
        format!("generation {} of {} by {}", status["generation"], shown_time(&text("written_at")), text("writer"))
    }
}

/// The identity in a file, as the forger knows it who found the recovery key.
pub fn identity_in(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap().to_owned()
}

/// As people are shown what JSON has, where the time zone is UTC.
pub fn shown_time(written: &str) -> String {
    written.replace('T', " ").trim_end_matches('Z').to_owned()
}
