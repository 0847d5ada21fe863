//! `vault init`: a passphrase, a recovery key, a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::program::{Case, PASSPHRASE, files_below};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn init_makes_a_vault_that_the_passphrase_and_the_recovery_key_open() {
    let case = Case::new();
    let recovery = case.home().join("recovery.txt");
    let made = case.run(&["init", "--kdf", "small", "--recovery-key", "recovery.txt"]);
    made.succeeds().stdout("").stderr(
        "wrote the recovery key to recovery.txt; move it off this machine\n\
         made the vault ~/.local/share/vault/vault.age\nnext: vault add NAME\n",
    );
    assert_eq!(
        (mode(&case.vault_file()), mode(case.vault_file().parent().unwrap()), mode(&recovery)),
        (0o600, 0o700, 0o600)
    );
    let vault = fs::read(case.vault_file()).unwrap();
    assert!(vault.starts_with(b"age-encryption.org/v1\n-> vault-format.v1/argon2id "), "no age file of ours");
    case.run(&["list"]).succeeds().stderr("the vault is empty; next: vault add NAME\n");
    case.vault(&["list", "--identity", "recovery.txt"]).asking().run().succeeds();
}

#[test]
fn init_asks_twice_for_a_passphrase_that_is_not_weak_and_for_the_end_of_the_recovery_key() {
    let case = Case::new();
    let mut terminal = case.vault(&["init", "--kdf", "small"]).asking().on_terminal_captured();
    terminal.expect("New passphrase: ").type_line("letmein");
    terminal.expect("Too easy").expect("New passphrase: ").type_line(PASSPHRASE);
    terminal.expect("The same again: ").type_line("something else");
    terminal.expect("differ").expect("New passphrase: ").type_line(PASSPHRASE);
    terminal.expect("The same again: ").type_line(PASSPHRASE);
    let recovery = terminal.expect("AGE-SECRET-KEY-1").rest_of_line();
    terminal.expect("last 4 characters").type_line("????");
    terminal.expect("not its last 4").expect("last 4 characters").type_line(&recovery[recovery.len() - 4..]);
    let (output, echoes) = terminal.finish();
    output.succeeds().stdout("").stderr("made the vault ~/.local/share/vault/vault.age\nnext: vault add NAME\n");
    assert!(echoes);
    case.run(&["list"]).succeeds();
    let recovery = case.give("recovery", format!("AGE-SECRET-KEY-1{recovery}\n"));
    case.vault(&["list"]).asking().variable("VAULT_IDENTITY", recovery).run().succeeds();
}

#[test]
fn a_passphrase_comes_from_a_descriptor_or_a_command_too() {
    let case = Case::new();
    let script = "\"$0\" init --kdf small --no-recovery --passphrase-fd 3 3< \"$1\"";
    let program = Path::new(env!("CARGO_BIN_EXE_vault"));
    let passphrase = case.given("passphrase");
    case.command("sh", &[Path::new("-c"), Path::new(script), program, &passphrase]).run().succeeds();
    let command = format!("cat {}", passphrase.display());
    case.vault(&["list", "--passphrase-command", &command]).asking().run().succeeds();
    case.vault(&["list", "--passphrase-command", "false"]).asking().run().refuses(3, "--passphrase-command");
    case.vault(&["list", "--passphrase-fd", "9"]).asking().run().refuses(3, "file descriptor 9");
}

#[test]
fn a_generated_passphrase_is_written_to_a_new_file_only() {
    let case = Case::new();
    let file = case.home().join("new-passphrase");
    let generate = ["init", "--kdf", "small", "--no-recovery", "--generate", "--passphrase-file", "new-passphrase"];
    case.vault(&generate).asking().run().succeeds();
    assert_eq!(fs::read_to_string(&file).unwrap().split(' ').count(), 6);
    assert_eq!(mode(&file), 0o600);
    case.vault(&["list", "--passphrase-file", "new-passphrase"]).asking().run().succeeds();
    fs::remove_file(case.vault_file()).unwrap();
    case.vault(&generate).asking().run().refuses(1, "new-passphrase exists already");
    assert!(!case.vault_file().exists());
}

#[test]
fn a_generated_passphrase_is_shown_and_asked_back() {
    let case = Case::new();
    let mut terminal = case.vault(&["init", "--kdf", "small", "--no-recovery", "--generate"]).asking().on_terminal();
    let shown = terminal.expect("is\r\n\r\n    ").rest_of_line();
    terminal.expect("Type it once").type_line("wrong").expect("not it").expect("Type it once").type_line(&shown);
    let (output, _) = terminal.finish();
    output.succeeds();
    assert_eq!(output.screen.matches(&shown).count(), 1, "shown when typed");
    let file = case.give("generated", shown);
    case.vault(&["list"]).asking().variable("VAULT_PASSPHRASE_FILE", file).run().succeeds();
}

#[test]
fn what_init_refuses_leaves_nothing_behind() {
    let case = Case::new();
    let weak = case.give("weak", "password1");
    let arguments = ["init", "--kdf", "small", "--no-recovery"];
    let refused = case.vault(&arguments).asking().variable("VAULT_PASSPHRASE_FILE", weak).run();
    refused.refuses(2, "the passphrase is too easy to guess").hints("--generate");
    case.vault(&arguments).asking().run().refuses(8, "there is no terminal").hints("--passphrase-file");
    case.run(&["init"]).refuses(8, "no terminal to show the recovery key on").hints("--recovery-key FILE");
    for (content, wrong) in [("", "is empty"), ("with\u{7}bell but long enough", "control character")] {
        let file = case.give("strange", content);
        let refused = case.vault(&arguments).asking().variable("VAULT_PASSPHRASE_FILE", file).run();
        assert_ne!(refused.status.code(), Some(0));
        refused.stderr_has(wrong);
    }
    assert_eq!(files_below(&case.home()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_second_init_is_refused_and_changes_nothing() {
    let case = Case::with_vault();
    let before = fs::read(case.vault_file()).unwrap();
    case.run(&["init", "--no-recovery"]).refuses(1, "there is a vault already").hints("vault add NAME");
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let case = Case::with_vault();
    let open = case.given("open");
    case.write(&open, 0o644, PASSPHRASE);
    let refused = case.vault(&["list"]).asking().variable("VAULT_PASSPHRASE_FILE", open).run();
    refused.refuses(6, "can be read by others (mode 644)").hints("chmod 600");
}
