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

const ROLE: &str = "role_arn = arn:aws:iam::123456789012:role/admin";

/// AWS tools take what a role signs in with from the plaintext of its source, and by nothing but a line that asks the vault after
/// that is gone.
#[test]
fn roles_that_lose_their_source_are_named_in_the_plan_and_after_it_with_what_mends_that() {
    let case = Case::with_vault();
    let bob = bob(&case);
    credentials(&case, &(pair("prod", &case.alice) + &pair("bob", &bob)));
    let config = format!(
        "[profile admin]\n{ROLE}\nsource_profile = prod\n[profile next]\n{ROLE}\nsource_profile = admin\n\
         [profile ops]\nsource_profile = prod\n{ROLE}\n[profile else]\n{ROLE}\nsource_profile = bob\n"
    );
    case.write(&case.config(), 0o600, &config);
    let roles = "the roles `admin` (~/.aws/config:3), `ops` (~/.aws/config:8): their source_profile `prod` has none";
    let way = "vault: hint: `vault configure prod` has AWS tools ask this vault for it; `vault login prod` gives them a session\n";
    let planned =
        format!("{}{way}", warning(&format!("without the plaintext AWS tools will find no credentials for {roles}")));
    let left = format!("{}{way}", warning(&format!("AWS tools find no credentials for {roles}")));
    case.run(&["import", "prod", "--dry-run"]).succeeds().stderr(&planned);
    case.run(&["import", "prod", "--dry-run", "--remove"]).succeeds().stderr(&planned);
    let asked = case.run(&["import", "prod", "--remove"]);
    assert!(asked.exits(8).err.starts_with(&planned), "{}", asked.err);
    let told = format!(
        "{}removed the key from ~/.aws/credentials, section [prod]\n{}{left}next: vault login prod\n",
        added("prod", &case.alice, &phone()),
        warning(COPIES)
    );
    case.run(&["import", "prod", "--yes", "--remove"]).succeeds().stderr(&told);
    assert_eq!(fs::read_to_string(case.config()).unwrap(), config);
    case.run(&["configure", "prod"]).succeeds();
    // Said of what is so, and not of what was to be.
    credentials(&case, &pair("prod", &case.alice));
    let again = case.run(&["import", "prod", "--yes", "--remove"]);
    assert!(!again.succeeds().err.contains("no credentials"), "{}", again.err);
    forget(&case);
}

#[test]
fn a_role_whose_source_has_another_name_in_the_vault_is_led_there() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod-long-term", &case.alice));
    let config = format!("[profile admin]\n{ROLE}\nsource_profile = prod-long-term\n");
    case.write(&case.config(), 0o600, config);
    let way = "vault: hint: write `source_profile = prod` there, and `vault configure prod` has AWS tools ask this vault for it\n";
    let whose = "the role `admin` (~/.aws/config:3): its source_profile `prod-long-term` has none";
    let left = format!("{}{way}", warning(&format!("AWS tools find no credentials for {whose}")));
    case.run(&["import", "--yes", "--remove"]).succeeds().stderr_has(&left);
}

#[test]
fn what_aws_mfa_wrote_beside_its_keys_stays_and_is_told() {
    let case = Case::with_vault();
    let bob = bob(&case);
    let session =
        SESSION.replace("[default]\n", "[prod]\nassumed_role = False\n") + "expiration = 2026-01-01 00:00:00\n";
    let device = format!("aws_mfa_device = {PHONE}\n");
    credentials(&case, &(pair("prod-long-term", &case.alice) + &device + &session + &pair("bob-long-term", &bob)));
    let told = format!(
        "removed the key from ~/.aws/credentials, section [prod-long-term]\n\
         removed the key from ~/.aws/credentials, section [bob-long-term]\n\
         [prod-long-term] of ~/.aws/credentials keeps what aws-mfa wrote: `aws_mfa_device`\n\
         [prod] of ~/.aws/credentials keeps what aws-mfa wrote: its session, which AWS tools take as long as it stands there, and \
         `assumed_role`, `expiration`\n\
         vault: hint: `vault login prod` writes sessions from now on; once aws-mfa is not used any more, those lines of {} \
         may go by hand\n",
        case.credentials().display()
    );
    case.run(&["import", "--yes", "--remove"]).succeeds().stderr_has(&told);
    let after = fs::read_to_string(case.credentials()).unwrap();
    assert_eq!(after, format!("[prod-long-term]\n{device}{session}"));
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).succeeds();
    let written = fs::read_to_string(case.credentials()).unwrap();
    assert!(!written.contains("session/of/nobody") && written.contains("expiration = 2026-01-01 00:00:00\n"));
}

/// By its source alone such a role would cost a code in each tool, beside the vault's.
#[test]
fn a_role_that_wants_a_code_of_its_own_is_led_into_the_vault() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let config = format!("[profile admin]\n{ROLE}\nsource_profile = prod\nmfa_serial = {}\n", crate::commands::PHONE);
    case.write(&case.config(), 0o600, config);
    let way = "vault: hint: `vault configure admin --take-over`: AWS tools ask this vault for the role, which takes no code but the \
               vault's\n";
    let imported = case.run(&["import", "prod", "--yes", "--remove"]);
    imported.succeeds().stderr_has(way);
    assert!(!imported.err.contains("`vault configure prod`"), "{}", imported.err);
    case.run(&["configure", "admin", "--take-over"]).succeeds();
    let told = case.run(&["doctor", "admin", "--offline"]);
    assert!(!told.out.contains("  roles "), "{}", told.out);
    forget(&case);
}
