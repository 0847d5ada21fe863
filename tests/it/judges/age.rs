//! Stock age opens what ours sealed.

use std::path::Path;

use crate::program::Case;

#[test]
#[ignore = "needs age"]
fn stock_age_opens_the_vault_with_the_recovery_key_and_with_the_identity_that_reveal_prints() {
    let case = Case::with_prod();
    let vault = case.vault_file();
    let decrypt = |identity: &Path| {
        let arguments = ["--decrypt".as_ref(), "--identity".as_ref(), identity, vault.as_path()];
        case.command("age", &arguments).may_show_secrets().run().succeeds().out.clone()
    };
    let content = decrypt(&case.given("recovery.txt"));
    assert!(content.contains(&format!("id = \"{}\"", case.alice.access_key_id())), "{content}");
    let passphrase = case.given("passphrase");
    let reveal = case.vault(&["reveal", "--vault-identity", "--confirm", "identity"]).asking();
    let identity = reveal.variable("VAULT_PASSPHRASE_FILE", passphrase).may_show_secrets().run().succeeds().out.clone();
    assert_eq!(decrypt(&case.give("identity", identity)), content);
}
