//! Plaintext goes once the vault has it, and nothing beside it.

use std::os::unix::fs::symlink;

use super::*;

/// Alice's pair between lines that no tool of ours would write: every other byte must stay.
fn nasty(case: &Case) -> (String, String) {
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let top = "\u{feff}# kept by hand\r\n[other]\r\n\tregion\t=\tx ; y\r\nUpper: 1\r\n\r\n";
    let bottom = "; mine\r\nregion = eu-central-1\r\n\r\n# about last\r\n[last]\r\ns3 =\r\n  addressing_style = path";
    let keys = format!("AWS_ACCESS_KEY_ID\t=\t{id}  # old\r\naws_secret_access_key={secret}\r\n");
    (format!("{top}[prod]\r\n{keys}{bottom}"), format!("{top}[prod]\r\n{bottom}"))
}

#[test]
fn removing_takes_the_pair_out_of_a_nasty_file_and_leaves_every_other_byte() {
    let case = Case::with_vault();
    let (before, after) = nasty(&case);
    let real = case.home().join("dotfiles/aws-credentials");
    case.write(&real, 0o644, before);
    fs::create_dir(case.home().join("dotfiles/.git")).unwrap();
    fs::create_dir(case.home().join(".aws")).unwrap();
    symlink("../dotfiles/aws-credentials", case.credentials()).unwrap();
    let output = case.run(&["import", "--yes", "--remove"]);
    let history = format!(
        "{}vault: hint: git -C {} log --all -p -S aws_secret_access_key\n",
        warning(COPIES),
        case.home().join("dotfiles").canonicalize().unwrap().display()
    );
    let told = format!(
        "{}removed the key from ~/.aws/credentials, section [prod]\n{history}next: vault login prod\n",
        added("prod", &case.alice, &phone())
    );
    output.succeeds().stderr(&told);
    assert_eq!(fs::read_to_string(&real).unwrap(), after);
    assert_eq!(fs::read_link(case.credentials()).unwrap(), Path::new("../dotfiles/aws-credentials"));
    assert_eq!(mode(&real), 0o600, "never wider, and closed to others since it holds secrets");
    works(&case, "prod");
}

#[test]
fn what_was_imported_before_can_be_removed_later() {
    let case = Case::with_prod();
    let bob = bob(&case);
    credentials(&case, &(pair("prod", &case.alice) + &pair("bob", &bob)));
    let output = case.run(&["import", "prod", "--yes", "--remove"]);
    let told = format!("removed the key from ~/.aws/credentials, section [prod]\n{}", warning(COPIES));
    output.succeeds().stderr(&told);
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), pair("bob", &bob));
    assert_eq!(case.sim.requests(), [], "the vault has the same secret; nobody need be asked");
    forget(&case);
}

#[test]
fn one_key_in_two_places_is_one_profile_and_goes_from_both() {
    let case = Case::with_vault();
    credentials(&case, &pair("alice", &case.alice));
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let csv = case.give("alice_accessKeys.csv", format!("Access key ID,Secret access key\n{id},{secret}\n"));
    let path = csv.to_str().unwrap();
    let output = case.run(&["import", "--from", "credentials", "--csv", path, "--yes", "--remove"]);
    output.succeeds().stdout_has(&format!("~/.aws/credentials [alice], {path}"));
    assert!(!csv.exists());
    assert_eq!(fs::read(case.credentials()).unwrap(), b"");
}
