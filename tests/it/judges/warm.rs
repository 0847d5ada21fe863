//! strace on the warm path: what a session that is at hand takes of the machine.

use super::{PROGRAM, judge};
use crate::commands::warm::{GET, Warm, WithAgent};
use crate::program::Case;

const QUICK: &str = env!("CARGO_BIN_EXE_vault-quick");

#[test]
#[ignore = "needs strace"]
fn a_session_at_hand_takes_one_connection_one_record_and_no_runtime() {
    let warm = Warm::new(Some("[profile prod]\nregion = eu-central-1\n"));
    warm.settles(&GET);
    let _agent = WithAgent::start(&warm);
    [PROGRAM, QUICK].into_iter().for_each(|program| takes_no_more(&warm.case, program));
}

#[test]
#[ignore = "needs strace"]
fn where_standard_descriptors_are_closed_no_file_and_no_socket_takes_their_place() {
    let warm = Warm::new(None);
    warm.settles(&GET);
    let _agent = WithAgent::start(&warm);
    let trace = warm.case.given("trace");
    for program in [PROGRAM, QUICK] {
        let script = format!("exec '{program}' credential-process prod <&- >&- 2>&-");
        let options = ["-o", trace.to_str().unwrap(), "sh", "-c", &script];
        let run = warm.case.command(judge("strace"), &options).without_variable("VAULT_NO_AGENT").run();
        run.succeeds().stdout("").stderr("");
        let text = std::fs::read_to_string(&trace).unwrap();
        let home = warm.case.home().display().to_string();
        let ours = |line: &&str| line.starts_with("socket(") || line.contains("/dev/null") || line.contains(&home);
        let opening = |line: &&str| ["open(", "openat(", "socket("].iter().any(|call| line.starts_with(call));
        let given = |line: &str| line.rsplit_once(" = ").and_then(|(_, number)| number.parse::<u32>().ok());
        let (_, after) = text.rsplit_once("execve(").unwrap();
        let opened = after.lines().filter(opening).filter(ours);
        let low: Vec<&str> = opened.filter(|line| given(line).is_some_and(|number| number <= 2)).collect();
        assert!(!low.is_empty() && low.iter().all(|line| line.contains("/dev/null")), "{program}: {low:#?}");
    }
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
