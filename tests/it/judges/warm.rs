//! strace on the warm path: what a session that is at hand takes of the machine.

use super::{PROGRAM, judge};
use crate::commands::warm::{GET, Warm, WithAgent};
use crate::program::Case;

#[test]
#[ignore = "needs strace"]
fn a_session_at_hand_takes_one_connection_one_record_and_no_runtime() {
    let warm = Warm::new(Some("[profile prod]\nregion = eu-central-1\n"));
    warm.settles(&GET);
    let _agent = WithAgent::start(&warm);
    [PROGRAM, env!("CARGO_BIN_EXE_vault-quick")].into_iter().for_each(|program| takes_no_more(&warm.case, program));
}

fn takes_no_more(case: &Case, program: &str) {
    let trace = case.given("trace");
    let options = ["-f", "-y", "-o", trace.to_str().unwrap(), program, "credential-process", "prod"];
    let run = case.command(judge("strace"), &options).without_variable("VAULT_NO_AGENT").run();
    run.succeeds().stdout_has("{\"Version\":1,").stderr("");
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls = |name: &str| text.lines().filter(|line| line.contains(&format!(" {name}("))).collect::<Vec<_>>();
    assert_eq!(calls("connect").len(), 1, "{:?}", calls("connect"));
    assert!(calls("connect")[0].contains("AF_UNIX"));
    for none in ["clone", "clone3", "fork", "vfork", "epoll_create1", "eventfd2", "fsync", "rename", "renameat"] {
        assert!(calls(none).is_empty(), "{:?}", calls(none));
    }
    let home = case.home().display().to_string();
    let in_home = |line: &&str| line.rsplit(" = ").next().is_some_and(|opened| opened.contains(&home));
    let files = calls("openat").into_iter().filter(|line| !line.contains("O_DIRECTORY"));
    let opened: Vec<&str> = files.filter(in_home).collect();
    let told = |line: &&str| (line.contains("/sessions"), line.contains(".age\""), line.contains("log.jsonl"));
    let told: Vec<_> = opened.iter().map(told).collect();
    assert_eq!(told, [(true, true, false), (false, false, true)], "a record is read and the log written: {opened:#?}");
    println!("{program}: {} system calls", text.lines().count());
}
