//! Age plugins, judged by stock age and by the clock.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{PROGRAM, judge};
use crate::commands::plugins;

#[test]
#[ignore = "needs age"]
fn age_opens_a_vault_with_the_plugin_that_is_among_its_recipients() {
    let (case, _) = plugins::with_standin();
    let identity = case.give("plugin-identity", plugins::identity("standin"));
    let decrypt = [Path::new("-d"), Path::new("-i"), &identity, &case.vault_file()];
    let age = case.command(judge("age"), &decrypt).variable("PATH", plugins::path(&case));
    age.may_show_secrets().run().succeeds().stdout_has("kind = \"plugin\"");
}

/// It takes the minute that is promised.
#[test]
#[ignore = "takes a minute"]
fn a_plugin_that_neither_asks_nor_ends_is_ended_after_a_minute() {
    let (case, _) = plugins::with_standin();
    plugins::install(&case, "echo $$ > \"$HOME/pid\"; exec sleep 1000");
    let script = format!("timeout 70 '{PROGRAM}' list --identity \"$0\"; echo \"exit $?\"");
    let identity = case.give("plugin-identity", plugins::identity("standin"));
    let mut list = Command::new("sh")
        .args(["-c", &script])
        .arg(identity)
        .env("HOME", case.home())
        .env("PATH", plugins::path(&case))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut list.stderr.take().unwrap(), &mut said).unwrap();
    let mut ended = String::new();
    std::io::Read::read_to_string(&mut list.stdout.take().unwrap(), &mut ended).unwrap();
    list.wait().unwrap();
    assert_eq!(ended, "exit 3\n");
    assert_eq!(said, "vault: error: `age-plugin-standin` said nothing for a minute and was ended\n");
    assert!(started.elapsed() >= Duration::from_secs(60));
    let pid = fs::read_to_string(case.home().join("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "it still runs");
}
