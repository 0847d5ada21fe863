//! The README's examples do what it says of them: every command line of its console blocks, run by a shell in the order of
//! the page.

use std::fs;

use aws_sim::{Role, Trust};

use crate::commands::configure::program;
use crate::program::{ACCOUNT, Case, PASSPHRASE};

/// The command lines of the console blocks, comments included; the shell knows those.
fn command_lines() -> Vec<String> {
    let readme = fs::read_to_string("README.md").unwrap();
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ "));
    lines.filter(|line| !line.contains("(not built yet)")).map(str::to_owned).collect()
}

/// Puts a program on the PATH of the examples.
fn stand_in(case: &Case, name: &str, script: &str) {
    case.give_program(name, format!("#!/bin/sh\n{script}\n"));
}

/// What a person who moves in has lying about.
fn plaintext(case: &Case) {
    let role = format!("[profile ops]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\nsource_profile = prod\n");
    case.write(&case.config(), 0o600, role);
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let section = format!("[work-long-term]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    case.write(&case.credentials(), 0o600, section);
    let csv = format!("Access key ID,Secret access key\n{id},{secret}\n");
    case.write(&case.home().join("Downloads/alice_accessKeys.csv"), 0o600, csv);
    let keys = format!("{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\"}}");
    let keys = case.give("keys", keys);
    stand_in(case, "aws-vault", &format!("case $1 in list) echo home;; *) cat {};; esac", keys.display()));
}

#[test]
fn what_can_be_set_and_what_is_shown_of_a_profile_is_explained() {
    let case = Case::with_prod();
    let mut names = Vec::new();
    for words in [&["set", "prod", "no=1"][..], &["set", "--vault", "no=1"]] {
        let refused = case.run(words);
        let (_, known) = refused.exits(2).err.split_once("hint: one of ").unwrap();
        names.extend(known.trim_end().split(", ").map(str::to_owned));
    }
    assert!(names.len() > 20, "{names:?}");
    let shown = case.run(&["show", "prod"]);
    names.extend(shown.succeeds().out.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())));
    let readme = fs::read_to_string("README.md").unwrap();
    let unexplained = |name: &String| !readme.contains(&format!("`{name}`")) && !readme.contains(&format!("{name}="));
    names.retain(unexplained);
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn every_command_line_of_the_readme_works_in_the_order_of_the_page() {
    let case = Case::new();
    case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    let secret = case.give("secret", case.alice.secret_access_key());
    let passphrase = case.give("passphrase", PASSPHRASE);
    let recovery = case.given("recovery.txt");
    // What a person types at the prompts. The page has `add prod` twice, which no rotation must be in the way of.
    let id = case.alice.access_key_id();
    let program = format!("{} --passphrase-file {}", program(&case).display(), passphrase.display());
    let typed =
        format!("--access-key-id {id} --secret-stdin --replace --kdf small --recovery-key {}", recovery.display());
    let vault = format!(
        "case \"$1 $2\" in 'add prod') exec {program} \"$@\" {typed} < {};; 'import '*) exec {program} \"$@\" --yes;; \
         'rotate prod'|'rotate --all') exec {program} \"$@\" --dry-run;; \
         *) exec {program} \"$@\";; esac",
        secret.display()
    );
    stand_in(&case, "vault", &vault);
    stand_in(&case, "aws", "true");
    // Neither this machine's own schedule nor anybody's crontab is changed.
    stand_in(&case, "systemctl", "echo 252");
    stand_in(&case, "crontab", "echo no crontab for alice >&2; exit 1");
    plaintext(&case);
    stand_in(&case, "terraform", "test -n \"$AWS_SESSION_TOKEN$AWS_CONTAINER_AUTHORIZATION_TOKEN\"");
    let given = "case $2 in --env-file) grep -q ^AWS_SESSION_TOKEN= \"$3\";; *) test -n \"$AWS_CONTAINER_AUTHORIZATION_TOKEN\";; esac";
    stand_in(&case, "docker", given);

    let lines = command_lines();
    assert!(lines.len() >= 10, "{lines:?}");
    // Who dropped every session needs another code.
    for lines in lines.split_inclusive(|line| line.starts_with("vault logout --all")) {
        let script = format!("set -eu\n{}", lines.join("\n"));
        let run = case
            .command("sh", &["-c", &script])
            .variable("PATH", format!("{}:/usr/bin:/bin", case.given("").display()))
            .variable("VAULT_MFA_CODE", case.phone.code())
            .without_variable("VAULT_NO_AGENT")
            .may_show_secrets()
            .run();
        run.succeeds();
    }
}
