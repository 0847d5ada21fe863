//! Nobody is locked in: programs of other people open the vault that ours made, and what they see is what we say there is.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::Signature;
use vault::secret::IdentityText;
use vault::store::plugin::Plugins;
use vault::store::seal::unseal;

use super::judge;
use crate::program::{Case, PASSPHRASE};

/// Runs somebody's program on an identity and a file; gives what it printed.
type Opener = fn(&Case, &Path, &Path) -> String;

fn age(case: &Case, identity: &Path, file: &Path) -> String {
    printed(case, "age", &["--decrypt".as_ref(), "--identity".as_ref(), identity.as_os_str(), file.as_os_str()])
}

fn rage(case: &Case, identity: &Path, file: &Path) -> String {
    printed(case, "rage", &["--decrypt".as_ref(), "--identity".as_ref(), identity.as_os_str(), file.as_os_str()])
}

fn age_in_javascript(case: &Case, identity: &Path, file: &Path) -> String {
    printed(case, "node", &[judge("age-encryption.mjs").as_os_str(), identity.as_os_str(), file.as_os_str()])
}

fn printed(case: &Case, name: &str, arguments: &[&OsStr]) -> String {
    case.command(judge(name), arguments).may_show_secrets().run().succeeds().out.clone()
}

#[test]
#[ignore = "needs age"]
fn stock_age_opens_a_vault_with_either_key() {
    opens_with_either_key(age);
}

#[test]
#[ignore = "needs rage"]
fn rage_opens_a_vault_with_either_key() {
    opens_with_either_key(rage);
}

#[test]
#[ignore = "needs age-encryption of npm"]
fn age_in_javascript_opens_a_vault_with_either_key() {
    opens_with_either_key(age_in_javascript);
}

fn opens_with_either_key(opener: Opener) {
    let case = Case::with_prod();
    let passphrase = case.given("passphrase");
    let reveal = case.vault(&["reveal", "--vault-identity", "--confirm", "identity"]).asking();
    let derived = reveal.variable("VAULT_PASSPHRASE_FILE", passphrase).may_show_secrets().run().succeeds().out.clone();
    for identity in [case.given("recovery.txt"), case.give("derived", derived)] {
        is_what_we_say(&case, &identity, &opener(&case, &identity, &case.vault_file()));
    }
}

/// Compares what others found in the vault with what our own library finds there, and checks the signature by the page.
fn is_what_we_say(case: &Case, identity: &Path, payload: &str) {
    let identity = fs::read_to_string(identity).unwrap();
    let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    let document =
        unseal(&fs::read(case.vault_file()).unwrap(), &IdentityText::new(identity.to_owned()), &Plugins::none())
            .unwrap();
    let (first, text) = payload.split_once('\n').unwrap();
    assert!(text == *document.encode().unwrap(), "others find another document");
    assert!(text.contains(&format!("id = \"{}\"", case.alice.access_key_id())));
    let signature = BASE64.decode(first.strip_prefix("#sig ").unwrap()).unwrap();
    let signed = [b"vault-payload-v1\0", text.as_bytes()].concat();
    let key = document.auth.signing_key().unwrap().verifying_key();
    key.verify_strict(&signed, &Signature::from_slice(&signature).unwrap()).unwrap();
}

#[test]
#[ignore = "needs age"]
fn an_identity_that_age_keygen_made_opens_the_vault_once_it_is_a_recipient() {
    let case = Case::with_prod();
    let identity = case.given("made-elsewhere");
    let keygen = case.command(judge("age-keygen"), &["-o".as_ref(), identity.as_os_str()]).run();
    let recipient = keygen.succeeds().err.trim().strip_prefix("Public key: ").unwrap().to_owned();
    let list = || case.vault(&["list"]).variable("VAULT_IDENTITY", &identity).run();
    list().refuses(3, "does not open");
    case.run(&["recipient", "add", "elsewhere", &recipient]).succeeds();
    list().succeeds().stdout_has("prod");
    is_what_we_say(&case, &identity, &age(&case, &identity, &case.vault_file()));
}

#[test]
#[ignore = "needs age, argon2-cffi and bech32"]
fn the_recipe_on_the_page_derives_an_identity_that_opens_the_vault() {
    let case = Case::with_prod();
    let recipe = case.give("recipe.py", recipe());
    let vault = case.vault_file();
    let python = case.command(judge("python3"), &[&recipe, &vault]).may_show_secrets();
    let mut terminal = python.on_terminal_captured();
    // As a Mac types it: the letter and its dots apart.
    let typed = PASSPHRASE.replace('ä', "a\u{308}");
    assert_ne!(typed, PASSPHRASE);
    terminal.expect("Passphrase: ").expect_hidden().type_line(&typed);
    let (output, _) = terminal.finish();
    let derived = case.give("derived", &output.succeeds().out);
    is_what_we_say(&case, &derived, &age(&case, &derived, &vault));
}

/// The block of Python on the page that says how to open a vault without this program.
fn recipe() -> String {
    let page = fs::read_to_string("vault-format.md").unwrap();
    let mut blocks = page.split("```python\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned());
    let block = blocks.next().unwrap();
    assert!(blocks.next().is_none(), "the page has one recipe");
    block
}
