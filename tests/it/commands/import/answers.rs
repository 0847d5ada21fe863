//! What AWS says of the keys that are imported: whether it takes them, how old they are, what time it is.

use std::time::{Duration, Instant};

use aws_sim::{Failure, Kind};
use jiff::SignedDuration;

use super::*;

#[test]
fn keys_that_aws_refuses_are_named_and_the_others_are_imported() {
    let case = Case::with_vault();
    let bob = bob(&case);
    credentials(&case, &(pair("good", &case.alice) + &pair("old", &bob)));
    case.sim.set_key_status(bob.access_key_id(), Status::Inactive);
    let before = fs::read(case.credentials()).unwrap();
    let refused = case.run(&["import", "--yes", "--remove"]);
    let why = format!("AWS does not know the access key {}, or it is inactive", short(bob.access_key_id()));
    let told = [
        added("good", &case.alice, &phone()),
        warning(&format!("`old` is not imported: {why}")),
        "removed the key from ~/.aws/credentials, section [good]\n".to_owned(),
        warning(COPIES),
        "next: vault login good\n".to_owned(),
        error_and_hint(
            "1 profile was imported; not imported: `old`",
            "a key that AWS does not take opens nothing: take it out of its file by hand; `--no-verify` stores it all the same",
        ),
    ];
    refused.exits(4).stderr(&told.concat());
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), pair("old", &bob), "a key that is nowhere else stays");
    assert_ne!(before, fs::read(case.credentials()).unwrap());
    case.run(&["import", "--yes"]).exits(4).stderr_has("nothing was imported; not imported: `old`");
    case.run(&["import", "--yes", "--no-verify"]).succeeds().stderr_has("added `old`: access key");
    forget(&case);
    works(&case, "good");
}

#[test]
fn without_a_network_nothing_is_stored_and_nothing_removed() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    let import = case.vault(&["import", "--yes", "--remove"]).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    import.run().exits(5).stderr_has("vault: error: GetCallerIdentity: can't reach");
    assert_eq!(changed(&case, &before), NOTHING);
    forget(&case);
}

#[test]
fn imported_keys_are_as_old_as_aws_says_where_it_says_so() {
    let case = Case::with_vault();
    let (bob, carol) = (bob(&case), case.sim.add_user(ACCOUNT, "carol"));
    case.keep_secret("carol's secret key", carol.secret_access_key());
    let day = Duration::from_secs(86_400);
    for (user, days) in [(&case.alice, 400), (&bob, 300), (&carol, 200)] {
        case.sim.age_key(user.access_key_id(), days * day);
    }
    case.sim.deny(&bob, "iam:ListAccessKeys");
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob) + &pair("c", &carol)));
    let told = [
        added("a", &case.alice, &phone()),
        added("b", &bob, "no MFA device"),
        added("c", &carol, "no MFA device"),
        still_there("~/.aws/credentials"),
        "next: vault login a b c\n".to_owned(),
    ];
    case.run(&["import", "--yes"]).succeeds().stderr(&told.concat());
    let status = case.run(&["status"]).out;
    let age = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(age("a ").contains("  400 d ") && age("c ").contains("  200 d "), "{status}");
    assert!(age("b ").contains("  at least "), "{status}");
    forget(&case);
}

#[test]
fn where_no_network_leads_to_iam_keys_with_a_device_come_along_and_wait_for_it_once() {
    let case = Case::with_vault();
    let users: Vec<User> = (0..6).map(|number| case.sim.add_user(ACCOUNT, &format!("user{number}"))).collect();
    users.iter().for_each(|user| case.keep_secret("a user's key", user.secret_access_key()));
    let section =
        |user: &User| format!("{}aws_mfa_device = {PHONE}\n", pair(&format!("{}-long-term", user.name()), user));
    credentials(&case, &users.iter().map(section).collect::<String>());
    case.sim.fail(Failure::on("ListAccessKeys").kind(Kind::Delay(Duration::from_secs(60))).lasting());
    let began = Instant::now();
    case.run(&["import", "--yes", "--remove"]).succeeds();
    // Three seconds, once: each key for itself would make eighteen, and all at once but for the last two six.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(json(&case.run(&["list", "--json"]))["profiles"].as_array().unwrap().len(), 6);
}

#[test]
fn a_wrong_clock_is_told_once_however_many_keys_there_are() {
    let case = Case::with_vault();
    let bob = bob(&case);
    case.sim.set_offset(SignedDuration::from_secs(20 * 60 + 20));
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob)));
    let told = "this machine's clock is 20 min behind AWS's; correct it, or other tools' calls may be refused";
    let output = case.run(&["import", "--yes", "--remove"]);
    assert_eq!(output.succeeds().err.matches(&warning(told)).count(), 1, "{}", output.err);
}
