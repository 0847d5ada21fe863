//! Keys that are due: what `status`, `show` and `login` say of them, and what is set about it.

mod journals;

use std::fs;

use aws_sim::{Role, Trust};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use toml::Table;

use super::{error_and_hint, json, short, warning};
use crate::forgery::Forgery;
use crate::program::{ACCOUNT, Case, Output};

/// Changes a profile's table in the vault, as the next generation of it.
fn change(case: &Case, name: &str, change: impl FnOnce(&mut Table)) {
    let standing = fs::read(case.vault_file()).unwrap();
    let mut vault = Forgery::of(&standing, case.recovery_identity().expose());
    change(vault.section("profile")[name].as_table_mut().unwrap());
    fs::write(case.vault_file(), vault.saved_over(&standing).seal()).unwrap();
}

/// As of AWS: so many days ago, give or take the minute that a test may last.
pub fn made_days_ago(case: &Case, days: i64) {
    let made = Timestamp::now() - SignedDuration::from_hours(24 * days);
    change(case, "prod", |prod| {
        prod["access_key"].as_table_mut().unwrap().insert("created".into(), made.to_string().into());
    });
}

fn cells(output: &Output) -> Vec<Vec<String>> {
    let cells =
        |line: &str| line.split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect();
    output.out.lines().map(cells).collect()
}

/// The last cell of `prod`'s line.
fn rotation(case: &Case) -> String {
    cells(case.run(&["status"]).succeeds())[1][4].clone()
}

#[test]
fn the_status_tells_a_keys_age_and_when_it_is_due_and_due_alone_fails() {
    let case = Case::with_prod();
    made_days_ago(&case, 91);
    let key = short(case.alice.access_key_id());
    assert_eq!(rotation(&case), "-");
    case.run(&["status", "--due"]).succeeds().stdout("").stderr_has("\nno key is due\n");
    case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
    let rows = cells(case.run(&["status"]).succeeds());
    assert_eq!(rows[0], ["NAME", "ACCESS KEY", "KEY AGE", "SESSION", "ROTATION"]);
    assert_eq!(rows[1], ["prod", &key, "91 d", "-", "overdue by 1 d"]);
    let told = error_and_hint("due: the access keys of `prod`", "`vault rotate --due`");
    let due = case.run(&["status", "--due"]);
    due.exits(1).stderr_has(&told);
    assert_eq!(cells(&due), rows);
    let as_json = case.run(&["status", "--due", "--json"]);
    as_json.exits(1).stderr(&told);
    let prod = serde_json::from_str::<Value>(&as_json.out).unwrap()["profiles"][0].clone();
    assert_eq!((&prod["due"], &prod["rotate_every_seconds"]), (&json!(true), &json!(90 * 86_400)));
    assert_eq!(prod["rotation"], Value::Null);
    let time = |key: &str| prod[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(time("due_at").duration_since(time("key_created")).as_hours(), 90 * 24);
    assert!(prod["key_age_seconds"].as_u64().is_some_and(|age| (91 * 86_400..91 * 86_400 + 3600).contains(&age)));

    // The profile's own limit goes before the vault's.
    case.run(&["set", "prod", "rotate_every=2184h1m"]).succeeds();
    let in_some_seconds = rotation(&case);
    assert!(in_some_seconds.starts_with("due in ") && in_some_seconds.ends_with(" s"), "{in_some_seconds}");
    case.run(&["status", "--due"]).succeeds().stdout("");
    assert_eq!(json(&case.run(&["status", "--due", "--json"]))["profiles"], json!([]));
}

#[test]
fn a_key_that_two_profiles_have_is_due_with_both() {
    let case = Case::with_prod();
    made_days_ago(&case, 2);
    case.add("same").succeeds();
    case.run(&["set", "prod", "rotate_every=1d"]).succeeds();
    let due = case.run(&["status", "--due"]);
    due.exits(1).stderr_has(&error_and_hint("due: the access keys of `prod`, `same`", "`vault rotate --due`"));
}

#[test]
fn a_login_says_that_its_key_is_older_than_its_limit() {
    let case = Case::with_prod();
    made_days_ago(&case, 91);
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    assert!(!case.login().err.contains("limit"));
    case.run(&["set", "prod", "rotate_every=90d"]).succeeds();
    let key = short(case.alice.access_key_id());
    let told = warning(&format!("key {key} is 91 d old (limit 90 d)"));
    let told = format!("{told}vault: hint: `vault rotate prod` replaces it\n");
    let login = case.run(&["login", "prod", "--no-export"]);
    assert!(login.succeeds().err.ends_with(&told), "{}", login.err);
    let of_role = case.run(&["login", "admin", "--no-export"]);
    assert_eq!(of_role.err.matches(&*told).count(), 1, "{}", of_role.err);
    let both = case.run(&["login", "prod", "admin", "--no-export"]);
    assert_eq!(both.err.matches(&*told).count(), 1, "{}", both.err);
    case.run(&["set", "prod", "rotate_every=92d"]).succeeds();
    assert!(!case.run(&["login", "prod", "--no-export"]).succeeds().err.contains("limit"));
}

#[test]
fn what_is_set_about_rotation_stays_as_it_was_written_and_has_bounds() {
    let case = Case::with_prod();
    let settings =
        ["rotate_every=90d", "grace=1w", "rotate_on_login=never", "rotate_hook=notify me", "mfa_max_age=30m"];
    case.run(&[&["set", "prod"][..], &settings].concat()).succeeds();
    let shown =
        "rotate_every = 90d\ngrace = 1w\nrotate_on_login = never\nrotate_hook = notify me\nmfa_max_age = 1800\n";
    case.run(&["show", "prod"]).succeeds().stdout_has(shown);
    for (setting, why) in [
        ("rotate_every=12h", "`rotate_every`: it takes 1d to 3650d, not `12h`"),
        (
            "rotate_every=monthly",
            "`rotate_every`: `monthly` is not a duration such as 45m, 8h, 30d or a number of seconds",
        ),
        ("grace=1h", "`grace`: it takes 4h to 90d, not `1h`"),
        ("rotate_on_login=yes", "`rotate_on_login`: `yes` is none of ask, always and never"),
        ("mfa_max_age=1m", "`mfa_max_age`: it takes 5m to 36h, not `1m`"),
    ] {
        case.run(&["set", "prod", setting]).exits(2).stdout("").stderr(&super::error(why));
    }
    case.run(&["set", "--vault", "grace=2d", "rotate_every=1w"]).succeeds();
    case.run(&["unset", "prod", "grace"]).succeeds();
    let sources = cells(case.run(&["show", "prod", "--sources"]).succeeds());
    let of = |key: &str| sources.iter().filter(|row| row[0] == key).map(|row| row[1..].join(", ")).collect::<Vec<_>>();
    assert_eq!(
        (of("grace"), of("rotate_every")),
        (vec!["2d, vault, for all profiles".into()], vec!["90d, vault".into()])
    );
    case.run(&["set", "--vault", "rotate_hook=x"]).exits(2).stderr_has("no setting named `rotate_hook`");
    case.run(&["unset", "prod", "rotate_every", "rotate_on_login", "rotate_hook", "mfa_max_age"]).succeeds();
    assert!(!case.run(&["show", "prod"]).out.contains("rotate"));
}
