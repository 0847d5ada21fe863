//! The commands that save: one line each says how it is called, and what it has done when it is done.

use std::fs;

use vault::store::document::{Document, Profile};

use crate::program::{ACCOUNT, Case, Invocation, PASSPHRASE};

/// Not alice's: one that AWS was never asked about.
pub const OTHER_ID: &str = "AKIAOTHEROTHEROTHER1";
pub const OTHER_SECRET: &str = "anothersecretanothersecretanothersecret1";

/// What the user has in `~/.aws/credentials` beside ours.
const BEFORE_OURS: &str = "# by hand\n[elsewhere]\nregion = eu-west-3\n";
const HEADER: &str = "[prod]\n";
const REGION: &str = "region = eu-west-5\n";
const EARLIER_ID: &str = "AKIAEARLIEREARLIERK1";
const EARLIER_SECRET: &str = "anearliersecretanearliersecretanearlier1";
const NEW_PASSPHRASE: &str = "another horse, another battery";
/// Where `--recovery-key` writes, in the home folder.
pub const RECOVERY_KEY: &str = "recovery";
/// Of an identity that nobody has.
const BOB: &str = "age1s9lsv93wrrm3nyykzqsgmk9gy26nun28e7wvap8j635vkyh2yyrqyrhept";
const AFTER_OURS: &str = "[last]\nregion = eu-west-4\n";

/// A command that saves.
pub struct Saving {
    pub name: &'static str,
    start: fn(&Case),
    arguments: &'static [&'static str],
    input: &'static str,
    /// Exactly one of these opens the vault afterwards.
    pub passphrases: &'static [&'static str],
    /// Whether what it was asked for has happened.
    pub done: fn(&Found) -> bool,
    /// Whether each call that only reads fails too. It is the same walk to the vault and back for all commands; these stand
    /// for one file or another besides.
    pub reads_fail: bool,
    /// The command whose success sweeps up what a failed one left.
    pub next: &'static [&'static str],
}

/// What stands after a run.
pub struct Found {
    /// None where there is no vault.
    pub document: Option<Document>,
    /// The passphrase that opens it.
    pub opener: Option<&'static str>,
    /// The earlier generations beside it.
    pub kept: Vec<Document>,
    pub credentials: String,
}

impl Found {
    fn profile(&self, name: &str) -> Option<&Profile> {
        self.document.as_ref()?.profiles.get(&name.parse().unwrap())
    }

    fn secret(&self, name: &str) -> Option<&str> {
        Some(self.profile(name)?.access_key.as_ref()?.secret.expose())
    }

    fn region(&self, name: &str) -> Option<&str> {
        Some(self.profile(name)?.region.as_ref()?.as_str())
    }

    fn has_recipient(&self, name: &str) -> bool {
        self.document.as_ref().is_some_and(|document| document.recipients.iter().any(|one| one.name == name))
    }

    /// What `login` writes to, where all around it is as the user wrote it.
    pub fn section(&self) -> Option<&str> {
        self.credentials.strip_prefix(BEFORE_OURS)?.strip_suffix(AFTER_OURS)?.strip_prefix(HEADER)
    }

    pub fn no_session_is_written(&self) -> bool {
        self.section() == Some(REGION)
    }

    /// Whole: the last line that `login` writes is there.
    pub fn session_is_written(&self) -> bool {
        let parts = [REGION, "aws_access_key_id = ASIA", "\naws_session_token = ", "\naws_credential_expiration = "];
        self.section().is_some_and(|section| parts.iter().all(|part| section.contains(part)))
    }
}

const IN_VAULT: Saving = Saving {
    name: "",
    start: with_foreign_sections,
    arguments: &[],
    input: "",
    passphrases: &[PASSPHRASE],
    done: |_| false,
    reads_fail: false,
    next: &["set", "prod", "region=eu-west-2"],
};

#[rustfmt::skip]
pub const COMMANDS: &[Saving] = &[
    Saving { name: "add", arguments: &["add", "second", "--access-key-id", OTHER_ID, "--secret-stdin", "--no-verify"],
        input: OTHER_SECRET, done: |found| found.secret("second") == Some(OTHER_SECRET), ..IN_VAULT },
    Saving { name: "set", arguments: &["set", "prod", "region=eu-west-1"],
        done: |found| found.region("prod") == Some("eu-west-1"), reads_fail: true, ..IN_VAULT },
    Saving { name: "unset", arguments: &["unset", "role", "external_id"],
        done: |found| found.profile("role").is_some_and(|role| role.external_id.is_none()), ..IN_VAULT },
    Saving { name: "rename", arguments: &["rename", "prod", "live"],
        done: |found| found.profile("prod").is_none() && found.profile("live").is_some(),
        next: &["set", "--vault", "session_duration=4h"], ..IN_VAULT },
    Saving { name: "remove", arguments: &["remove", "role", "--yes"],
        done: |found| found.profile("role").is_none(), ..IN_VAULT },
    Saving { name: "login", arguments: &["login", "prod", "--no-mfa", "--replace-long-term"], start: with_a_plaintext_key,
        done: |found| found.secret("prod-long-term") == Some(OTHER_SECRET) && found.session_is_written(),
        next: &["login", "prod", "--no-mfa", "--replace-long-term", "--force"], reads_fail: true, ..IN_VAULT },
    Saving { name: "logout", arguments: &["logout", "prod"], start: signed_in,
        done: |found| found.no_session_is_written(),
        next: &["login", "prod", "--no-mfa", "--force"], ..IN_VAULT },
    Saving { name: "init", arguments: &["init", "--kdf", "small", "--recovery-key", RECOVERY_KEY], start: without_a_vault,
        done: |found| found.document.is_some(),
        next: &["set", "--vault", "session_duration=4h"], ..IN_VAULT },
    Saving { name: "passwd", arguments: &["passwd", "--kdf", "small", "--new-passphrase-file", "../given/new"],
        start: with_a_new_passphrase, passphrases: &[PASSPHRASE, NEW_PASSPHRASE],
        done: |found| found.opener == Some(NEW_PASSPHRASE), ..IN_VAULT },
    Saving { name: "recipient add", arguments: &["recipient", "add", "bob", BOB],
        done: |found| found.has_recipient("bob"), ..IN_VAULT },
    Saving { name: "recipient add --recovery-key",
        arguments: &["recipient", "add", "bob", "--recovery-key", RECOVERY_KEY],
        done: |found| found.has_recipient("bob"), ..IN_VAULT },
    Saving { name: "recipient remove", arguments: &["recipient", "remove", "bob", "--yes"], start: with_bob,
        done: |found| !found.has_recipient("bob"), ..IN_VAULT },
    Saving { name: "restore", arguments: &["restore", "5", "--no-verify"], start: with_a_history,
        done: |found| found.region("prod") == Some("eu-west-1") && found.secret("second") == Some(OTHER_SECRET),
        reads_fail: true, ..IN_VAULT },
    Saving { name: "import", arguments: &["import", "--yes", "--remove", "--no-verify"], start: with_a_key_to_import,
        done: |found| found.secret("prod") == Some(OTHER_SECRET) && found.no_session_is_written(),
        next: &["login", "alice", "--profile", "prod", "--no-mfa", "--replace-long-term", "--force"], reads_fail: true, ..IN_VAULT },
];

fn with_foreign_sections(case: &Case) {
    case.write(&case.credentials(), 0o600, [BEFORE_OURS, HEADER, REGION, AFTER_OURS].concat());
}

fn with_a_plaintext_key(case: &Case) {
    case.run(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    write_a_plaintext_key(case);
}

/// Its section has the name of no profile.
fn with_a_key_to_import(case: &Case) {
    case.run(&["rename", "prod", "alice"]).succeeds();
    write_a_plaintext_key(case);
}

fn write_a_plaintext_key(case: &Case) {
    let key = format!("aws_access_key_id = {OTHER_ID}\naws_secret_access_key = {OTHER_SECRET}\n");
    case.write(&case.credentials(), 0o600, [BEFORE_OURS, HEADER, REGION, &key, AFTER_OURS].concat());
}

fn with_a_new_passphrase(case: &Case) {
    with_foreign_sections(case);
    case.keep_secret("the new passphrase", NEW_PASSPHRASE);
    case.give("new", NEW_PASSPHRASE);
}

/// Who opens the earlier generations too.
fn with_bob(case: &Case) {
    with_foreign_sections(case);
    case.run(&["recipient", "add", "bob", BOB]).succeeds();
    case.run(&["set", "prod", "region=eu-west-1"]).succeeds();
}

/// In generation 5 `prod` has another region, and there is a profile that is gone now, and had a later key.
fn with_a_history(case: &Case) {
    with_foreign_sections(case);
    case.run(&["set", "prod", "region=eu-west-1"]).succeeds();
    for (id, secret) in [(EARLIER_ID, EARLIER_SECRET), (OTHER_ID, OTHER_SECRET)] {
        let second = ["add", "second", "--replace", "--access-key-id", id, "--secret-stdin", "--no-verify"];
        case.vault(&second).stdin(secret).run().succeeds();
    }
    case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    case.run(&["remove", "second", "--yes"]).succeeds();
}

fn signed_in(case: &Case) {
    with_foreign_sections(case);
    case.run(&["login", "prod", "--no-mfa"]).succeeds();
}

fn without_a_vault(case: &Case) {
    with_foreign_sections(case);
    fs::remove_dir_all(case.home().join(".local")).unwrap();
    // It opens none that is made here.
    fs::remove_file(case.given("recovery.txt")).unwrap();
}

impl Saving {
    /// The world it starts in.
    pub fn case(&self) -> Case {
        let case = Case::with_prod();
        let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
        let role = ["add", "role", "--role-arn", &role, "--source-profile", "prod", "--external-id", "x"];
        case.run(&role).succeeds();
        (self.start)(&case);
        case
    }

    pub fn writes_a_recovery_key(&self) -> bool {
        self.arguments.contains(&"--recovery-key")
    }

    pub fn invocation<'a>(&self, case: &'a Case) -> Invocation<'a> {
        case.vault(self.arguments).stdin(self.input)
    }
}
