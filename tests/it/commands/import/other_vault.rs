//! Keys from another vault, or from an older copy of this one.

use std::time::Duration;

use vault::secret::SecretAccessKey;
use vault::store::document::Document;
use vault::store::plugin::Plugins;
use vault::store::seal::{seal, unseal};

use super::*;
use crate::program::PASSPHRASE;

/// A copy of the vault as another machine would have it, which from here on goes its own way.
fn branch(case: &Case) -> PathBuf {
    case.give("other.age", fs::read(case.vault_file()).unwrap())
}

/// Changes a vault as another program would, without its being opened here.
fn change(case: &Case, path: &Path, change: impl FnOnce(&mut Document)) {
    let mut document = unseal(&fs::read(path).unwrap(), &case.recovery_identity(), &Plugins::none()).unwrap();
    change(&mut document);
    fs::write(path, seal(&document, &Plugins::none()).unwrap()).unwrap();
}

/// Gives the branch another key of alice's, `later` than the vault's own, and what must not be taken.
fn rotated_branch(case: &Case, later: Duration) -> (String, String) {
    let other = branch(case);
    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.keep_secret("the other key", &secret);
    change(case, &other, |document| {
        let prod = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap();
        prod.mfa_process = Some("evil".to_owned());
        prod.region = "us-west-2".parse().ok();
        let key = prod.access_key.as_mut().unwrap();
        key.id = id.parse().unwrap();
        key.secret = SecretAccessKey::new(secret.clone());
        key.added = key.added.checked_add(later).unwrap();
        document.settings.default_profile = "prod".parse().ok();
    });
    (other.to_str().unwrap().to_owned(), id)
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn from_a_branch_of_the_vault_the_newer_living_key_comes_and_nothing_else() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let (other, id) = rotated_branch(&case, HOUR);
    let output = case.run(&["import", "--vault", &other, "--yes"]);
    let told = format!(
        "replaced `prod`: access key {}, alice in account {ACCOUNT}, MFA device {PHONE}\n\
         not imported: region of `prod` ({other}): `us-west-2` there, `eu-central-1` here\n\
         vault: hint: vault set prod region=us-west-2\n\
         not imported: mfa_process of `prod` ({other})\n\
         vault: hint: if it is yours: vault set prod mfa_process='COMMAND'\n\
         not imported: default_profile ({other})\nvault: hint: vault set --vault default_profile=prod\n\
         next: vault login prod\n",
        short(&id),
    );
    let row = ["prod", &short(&id), PHONE, &format!("{other} [prod]"), "the newer key that AWS takes"];
    output.succeeds().stdout(&table(&[row])).stderr(&told);
    let prod = profile(&case, "prod");
    assert_eq!((&prod["access_key"], &prod["region"]), (&id.into(), &"eu-central-1".into()));
    assert_eq!(prod["mfa_process"], serde_json::Value::Null);
    works(&case, "prod");
}

#[test]
fn settings_that_both_vaults_have_are_told_where_they_differ_and_stay() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1", "grace=7d", "mfa_max_age=1h"]).succeeds();
    case.run(&["set", "--vault", "session_duration=1h", "agent.idle=10m"]).succeeds();
    let other = branch(&case);
    change(&case, &other, |document| {
        let prod = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap();
        prod.region = "us-west-2".parse().ok();
        prod.grace = "8d".parse().ok();
        prod.session_tags = "team=blue".parse().ok();
        prod.mfa_process = Some("a command with a secret".to_owned());
        prod.rest.insert("shiny".to_owned(), "who knows".into());
        document.settings.session_duration = Some(7200);
        document.settings.agent.rest.insert("deep".to_owned(), 1.into());
    });
    let other = other.to_str().unwrap();
    let told = format!(
        "not imported: region of `prod` ({other}): `us-west-2` there, `eu-central-1` here\n\
         vault: hint: vault set prod region=us-west-2\n\
         not imported: session_tags of `prod` ({other})\n\
         vault: hint: vault set prod session_tags='team=blue'\n\
         not imported: mfa_process of `prod` ({other})\n\
         vault: hint: if it is yours: vault set prod mfa_process='COMMAND'\n\
         not imported: grace of `prod` ({other}): `8d` there, `7d` here\n\
         vault: hint: if it is yours: vault set prod grace=8d\n\
         not imported: shiny of `prod` ({other})\n\
         not imported: session_duration ({other}): `7200` there, `3600` here\n\
         vault: hint: vault set --vault session_duration=7200\n\
         not imported: agent.deep ({other})\n"
    );
    case.run(&["import", "--vault", other, "--dry-run"]).succeeds().stderr(&told);
    let shown = json(&case.run(&["import", "--vault", other, "--dry-run", "--json"]));
    let values = shown["not_imported"].as_array().unwrap().iter();
    let values: Vec<_> =
        values.map(|left| (left["setting"].as_str().unwrap(), left["there"].as_str(), left["here"].as_str())).collect();
    let expected = [
        ("region", Some("us-west-2"), Some("eu-central-1")),
        ("session_tags", Some("team=blue"), None),
        ("mfa_process", None, None),
        ("grace", Some("8d"), Some("7d")),
        ("shiny", None, None),
        ("session_duration", Some("7200"), Some("3600")),
        ("agent.deep", None, None),
    ];
    assert_eq!(values, expected);
    let before = fs::read(case.vault_file()).unwrap();
    case.run(&["import", "--vault", other, "--yes"]).succeeds().stderr(&format!("{told}nothing to import\n"));
    assert!(fs::read(case.vault_file()).unwrap() == before);
}

#[test]
fn what_replacing_a_profile_does_to_its_settings_is_told_before_it_is_done() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1", "grace=7d", "rotate_hook=tell -p hidden"]).succeeds();
    case.keep_secret("what stands in a command", "tell -p hidden");
    let (other, _) = rotated_branch(&case, HOUR);
    let import = ["import", "--vault", &other, "--replace"];
    let told = "would change: grace of `prod`, from `7d` to nothing\n\
                would change: region of `prod`, from `eu-central-1` to `us-west-2`\n\
                would change: rotate_hook of `prod`\n";
    let dry = case.run(&[&import[..], &["--dry-run"]].concat());
    assert!(dry.succeeds().err.starts_with(told), "{}", dry.err);
    let shown = json(&case.run(&[&import[..], &["--dry-run", "--json"]].concat()));
    let grace = serde_json::json!({ "profile": "prod", "setting": "grace", "from": "7d", "to": null });
    assert_eq!(shown["settings_replaced"][0], grace);
    // What goes with the profile is not here any more, so that it is told with its line.
    dry.stderr_has(&format!(
        "not imported: grace of `prod` ({other})\nvault: hint: if it is yours: vault set prod grace=7d\n"
    ));
    let mut terminal = case.vault(&import).on_terminal();
    terminal.expect("from `eu-central-1` to `us-west-2`\r\n").expect("Import 1 profile").type_line("yes");
    terminal.finish().0.succeeds();
    assert_eq!(profile(&case, "prod")["region"], "us-west-2");
}

#[test]
fn the_vaults_own_key_stays_where_it_is_newer_or_the_only_one_alive() {
    for dead in [false, true] {
        let case = Case::with_prod();
        let (other, id) = rotated_branch(&case, if dead { HOUR } else { Duration::ZERO });
        if dead {
            case.sim.set_key_status(&id, Status::Inactive);
        }
        let output = case.run(&["import", "--vault", &other, "--yes"]);
        let kept = "`prod` keeps the vault's own key: AWS does not take the other one, or that is older\n";
        assert!(output.succeeds().err.starts_with(kept), "{}", output.err);
        assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
        let offline = case.run(&["import", "--vault", &other, "--yes", "--no-verify"]);
        offline.exits(1).stderr_has("nothing was imported; left out: `prod`");
    }
}

#[test]
fn an_older_key_comes_back_where_the_vaults_own_is_dead() {
    let case = Case::with_prod();
    let (other, id) = rotated_branch(&case, Duration::ZERO);
    case.sim.set_key_status(case.alice.access_key_id(), Status::Inactive);
    case.run(&["import", "--vault", &other, "--yes"]).succeeds();
    assert_eq!(profile(&case, "prod")["access_key"], id);
}

#[test]
fn a_strangers_key_is_never_taken_for_the_newer_one_whatever_its_vault_says() {
    let case = Case::with_prod();
    let mallory = case.sim.add_user(ACCOUNT, "mallory");
    case.keep_secret("mallory's secret key", mallory.secret_access_key());
    let (other, _) = rotated_branch(&case, HOUR);
    change(&case, Path::new(&other), |document| {
        let key = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap().access_key.as_mut().unwrap();
        key.id = mallory.access_key_id().parse().unwrap();
        key.secret = SecretAccessKey::new(mallory.secret_access_key().to_owned());
        assert_eq!(key.user_arn.as_deref(), Some(ALICE), "it says so, and lies");
    });
    for status in [Status::Active, Status::Inactive] {
        case.sim.set_key_status(case.alice.access_key_id(), status);
        let output = case.run(&["import", "--vault", &other, "--yes"]);
        output.exits(1).stderr_has("nothing was imported; left out: `prod`");
        assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
    }
}

#[test]
fn a_key_that_another_endpoint_confirmed_is_not_called_dead_by_this_one() {
    let case = Case::with_prod();
    let (other, _) = rotated_branch(&case, HOUR);
    let elsewhere = case.sim.endpoint().replace("127.0.0.1", "localhost");
    let output = case.vault(&["import", "--vault", &other, "--yes"]).variable("AWS_ENDPOINT_URL", elsewhere).run();
    output.exits(1).stderr_has("left out: `prod`");
    assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
}

/// The profile's key may be the one that is about to be replaced, and the next one's secret is in the other vault alone.
#[test]
fn a_rotation_that_is_not_over_in_the_other_vault_is_told_with_where_it_is_finished() {
    let case = Case::with_prod();
    let (other, _) = rotated_branch(&case, HOUR);
    let told = |state: &str, hint: &str| {
        change(&case, Path::new(&other), |document| {
            let prod = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap();
            let journal = format!("state = '{state}'\nuser_arn = '{ALICE}'\nsince = '2026-06-01T12:00:00Z'\n");
            prod.rest.insert("rotation".to_owned(), toml::Value::Table(toml::from_str(&journal).unwrap()));
        });
        let told = format!("not imported: rotation of `prod` ({other})\nvault: hint: {hint}\n");
        case.run(&["import", "--vault", &other, "--dry-run"]).succeeds().stderr_has(&told);
        told
    };
    told("retired", "its old key is off, and that vault deletes it when the grace is over");
    let told =
        told("intended", "it is not over, and that vault alone can finish it: there, `vault rotate prod --resume`");
    case.run(&["import", "--vault", &other, "--yes"]).succeeds().stderr_has(&told);
    assert!(!case.run(&["show", "prod"]).succeeds().out.contains("\nrotation ="));
}

#[test]
fn another_persons_vault_opens_by_its_own_passphrase() {
    let theirs = Case::new();
    theirs.run(&["init", "--kdf", "small", "--no-recovery"]).succeeds();
    theirs.add("prod").succeeds();
    theirs
        .run(&["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"])
        .succeeds();
    let case = Case::with_vault();
    case.keep_secret("the other person's key", theirs.alice.secret_access_key());
    let other = case.give("theirs.age", fs::read(theirs.vault_file()).unwrap()).to_str().unwrap().to_owned();
    let import =
        |arguments: &[&str]| case.run(&[&["import", "--vault", &other, "--yes", "--no-verify"], arguments].concat());
    let need = "the vault is locked and there is no terminal to ask for the passphrase";
    import(&[]).exits(3).stderr_has(need);
    let wrong = case.give("wrong", "not it at all").to_str().unwrap().to_owned();
    import(&["--vault-passphrase-file", &wrong]).exits(3).stderr_has(&format!("wrong passphrase for `{other}`"));
    let right = case.give("right", PASSPHRASE).to_str().unwrap().to_owned();
    let before = fs::read(&other).unwrap();
    import(&["--vault-passphrase-file", &right])
        .succeeds()
        .stdout_has("admin")
        .stderr_has("added `admin`, a role profile");
    assert_eq!(profile(&case, "prod")["access_key"], theirs.alice.access_key_id());
    assert!(fs::read(&other).unwrap() == before, "it is only read");
    let mut terminal = case.vault(&["import", "--vault", &other, "--dry-run"]).on_terminal();
    terminal.expect(&format!("Passphrase for {other}: ")).type_line("no").expect("Wrong passphrase, try again.");
    terminal.expect("Passphrase for").type_line(PASSPHRASE).expect("in the vault already");
    terminal.finish().0.succeeds();
}

#[test]
fn a_role_whose_user_stays_behind_is_skipped() {
    let theirs = Case::with_prod();
    theirs
        .run(&["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"])
        .succeeds();
    change(&theirs, &theirs.vault_file(), |document| drop(document.profiles.remove(&"prod".parse().unwrap())));
    let case = Case::with_vault();
    let other = case.give("theirs.age", fs::read(theirs.vault_file()).unwrap());
    let output = case.run(&["import", "--vault", other.to_str().unwrap(), "--yes"]);
    output.succeeds().stdout_has("skip: no profile `prod` to sign in from").stderr("nothing to import\n");
}
