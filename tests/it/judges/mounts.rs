//! File systems that are full or may not be written, in a mount namespace of their own.

use std::time::{Duration, Instant};

use super::PROGRAM;
use crate::program::{Case, Output};

/// In a mount namespace of its own, with the vault's folder on a file system that is full.
fn on_a_full_disk(case: &Case, script: &str) -> Output {
    let folder = case.vault_file().parent().unwrap().to_owned();
    let around = "set -eu; cp \"$1\"/vault.age \"$TMPDIR\"/kept; mount -t tmpfs -o size=64k,mode=0700 tmpfs \"$1\"; \
                  cp \"$TMPDIR\"/kept \"$1\"/vault.age; chmod 600 \"$1\"/vault.age; \
                  cat /dev/zero > \"$1\"/filler 2> /dev/null || true; ";
    let folder = folder.to_str().unwrap();
    let arguments = ["--map-root-user", "--mount", "sh", "-c", &format!("{around}{script}"), PROGRAM, folder];
    case.command("unshare", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).run()
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_full_disk_leaves_the_old_vault_and_says_so() {
    let case = Case::with_prod();
    let started = Instant::now();
    let output = on_a_full_disk(
        &case,
        "\"$0\" set prod region=eu-west-1 && exit 90; echo \"exit $?\"; \"$0\" show prod; \
         rm \"$1\"/filler; \"$0\" set prod region=eu-west-2; \"$0\" show prod; ls -A \"$1\"",
    );
    output.succeeds().stdout_has("exit 1\n").stderr_has("the vault was not saved: No space left on device");
    output.stdout_has("region = eu-west-2\n");
    assert!(!output.out.contains("region = eu-west-1") && !output.out.contains(".tmp"), "{}", output.out);
    assert!(started.elapsed() < Duration::from_secs(30));
}
