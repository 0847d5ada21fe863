//! Many keys at once, and a person who watches at a terminal.

use std::fs;
use std::time::Duration;

use aws_sim::{Failure, Kind, Status, User};
use rustix::process::Signal;
use vault::disk::RealDisk;
use vault::rotate::lock;

use super::several::{old_key_is, stage};
use super::stage::Stage;
use crate::program::{Case, Terminal};
use crate::waiting;

const LINE: &str = " of 2 done";

fn rotate_all<'a>(case: &'a Case, flags: &[&str]) -> Terminal<'a> {
    case.vault(&[&["rotate", "--all"], flags].concat()).on_terminal_of(100, 24)
}

/// prod and bob, who both may not make keys: a run that is over at once.
fn denied() -> Stage {
    let (stage, users) = stage(&["bob"]);
    for user in users.iter().chain([&stage.user]) {
        stage.sim().deny(user, "iam:CreateAccessKey");
    }
    stage
}

/// What stands on the terminal in the end, as far as `\r` and line breaks tell; nothing else may move the cursor.
fn visible(screen: &str) -> Vec<String> {
    let mut lines = vec![Vec::new()];
    let mut column = 0;
    for character in screen.replace("\x1b[31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "").chars() {
        let line = lines.last_mut().unwrap();
        match character {
            '\r' => column = 0,
            '\n' => lines.push(Vec::new()),
            '\x1b' => panic!("an escape sequence in {screen:?}"),
            _ => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = character;
                column += 1;
            }
        }
    }
    lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn one_line_counts_the_keys_and_every_failure_stands_above_it_and_stays() {
    let stage = denied();
    let (output, echoes) = rotate_all(&stage.case, &[]).finish();
    output.exits(4).screen_has("0 of 2 done").screen_has("0 of 2 done, 1 failed");
    assert!(echoes);
    let shown = visible(&output.screen);
    let errors: Vec<&String> = shown.iter().filter(|line| line.starts_with("vault: error: ")).collect();
    assert_eq!(errors.len(), 3, "{shown:#?}");
    assert!(errors[..2].iter().all(|line| line.contains("AccessDenied") || line.contains("not authorized")));
    assert_eq!(errors[2], "vault: error: 2 of 2 keys did not come through: bob, prod");
    assert!(!shown.iter().any(|line| line.contains(LINE)), "the line is still there: {shown:#?}");
    let table: Vec<&str> = shown.iter().filter_map(|line| line.split("  ").next()).collect();
    assert!(table.windows(3).any(|lines| lines == ["NAME", "bob", "prod"]), "{shown:#?}");
}

#[test]
fn nobody_who_reads_lines_gets_one_that_is_written_over() {
    let stage = denied();
    let rotate = |flags: &[&str]| stage.case.vault(&[&["rotate", "--all"], flags].concat());
    for (invocation, told) in [
        (rotate(&[]).variable("TERM", "dumb"), "vault: "),
        (rotate(&[]).without_variable("TERM"), "vault: "),
        (rotate(&["--json"]), "\"keys\": ["),
        (rotate(&["--dry-run"]), "bob"),
    ] {
        let (output, _) = invocation.on_terminal_of(100, 24).finish();
        let screen = output.screen_has(told).screen.replace("\r\n", "\n");
        assert!(!screen.contains('\r') && !screen.contains(LINE), "{screen}");
    }
    let (output, _) = rotate(&[]).on_terminal_captured().finish();
    assert!(!output.err.contains('\r') && !output.err.contains(LINE), "{}", output.err);
    let (output, _) = stage.case.vault(&["rotate", "prod"]).on_terminal_of(100, 24).finish();
    assert!(!output.screen.contains(" done"), "{}", output.screen);
}

#[test]
fn the_line_needs_no_escape_sequences_and_no_color_has_none() {
    let stage = denied();
    let rotate = stage.case.vault(&["rotate", "--all"]).variable("NO_COLOR", "1");
    let (output, _) = rotate.on_terminal_of(100, 24).finish();
    output.screen_has("\r[........................] 0 of 2 done");
    assert!(!output.screen.contains('\x1b'), "{}", output.screen);
}

#[test]
fn the_line_makes_room_for_the_question_for_a_code() {
    let stage = Stage::new();
    let bob = stage.sim().add_user(crate::program::ACCOUNT, "bob");
    super::several::add(&stage, "bob", &bob);
    stage.sim().deny(&bob, "iam:CreateAccessKey");
    stage.sim().deny(&stage.user, "iam:CreateAccessKey");
    let mut terminal = rotate_all(&stage.case, &[]);
    terminal.expect(LINE).expect("MFA code").type_line(&stage.case.phone.code());
    let (output, _) = terminal.finish();
    output.exits(4);
    let shown = visible(&output.screen);
    let asked: Vec<&String> = shown.iter().filter(|line| line.contains("MFA code")).collect();
    assert!(asked.len() == 1 && !asked[0].contains(LINE), "{shown:#?}");
    assert_eq!(shown.iter().filter(|line| line.contains(" done")).count(), 0, "{shown:#?}");
}

#[test]
fn ctrl_c_ends_the_line_and_says_how_many_keys_are_not_through() {
    for signal in [None, Some(Signal::TERM)] {
        let (stage, users) = stage(&["bob"]);
        let mut terminal = rotate_all(&stage.case, &[]);
        terminal.expect("2 waiting until the new key works");
        match signal {
            None => terminal.press("\x03"),
            Some(signal) => terminal.signal(signal),
        };
        let (output, echoes) = terminal.finish();
        output.exits(7);
        let shown = visible(&output.screen);
        assert!(echoes && !shown.iter().any(|line| line.contains(" done") || line.contains("^C")), "{shown:#?}");
        let end = [
            "vault: error: interrupted; 2 of 2 keys are not through yet, and nothing is lost",
            "vault: hint: `vault rotate --resume` goes on with those that were begun",
        ];
        assert!(shown.windows(2).any(|lines| lines == end), "{shown:#?}");
        stage.pass(Duration::from_secs(120));
        stage.run(&["rotate", "--resume"]).succeeds();
        stage.is_rotated();
        assert_eq!(old_key_is(&stage, &users[0]), Some(Status::Inactive));
    }
}

#[test]
fn who_watches_several_being_taken_back_is_not_told_that_they_were_rotated() {
    let (stage, users) = stage(&["bob"]);
    stage.run(&["rotate", "--all"]).succeeds();
    let (output, _) = stage.case.vault(&["rotate", "bob", "prod", "--undo"]).on_terminal_of(100, 24).finish();
    output.succeeds().screen_has("2 keys are taken back; what had taken their place is off, and deleted after ");
    assert!(!output.screen.contains("rotated;") && !output.screen.contains("--undo`"), "{}", output.screen);
    assert_eq!(old_key_is(&stage, &users[0]), Some(Status::Active));
}

/// alice, who has a device, beside bob, who has none and whose first CreateAccessKey AWS puts off.
fn one_of_two_with_a_device() -> (Stage, User) {
    let stage = Stage::new();
    let bob = stage.sim().add_user(crate::program::ACCOUNT, "bob");
    super::several::add(&stage, "bob", &bob);
    stage.pass(Duration::from_secs(60));
    stage.sim().fail(Failure::on("CreateAccessKey").kind(Kind::Throttle));
    (stage, bob)
}

#[test]
fn while_a_code_is_asked_for_the_others_go_on_and_a_signal_there_ends_them_between_two_steps() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (stage, bob) = one_of_two_with_a_device();
        let mut terminal = rotate_all(&stage.case, &[]);
        terminal.expect("MFA code for prod").expect("): ");
        waiting::until("bob's new key", || stage.sim().count("CreateAccessKey") == 2);
        match signal {
            Signal::INT => terminal.press("\x03"),
            signal => terminal.signal(signal),
        };
        let (output, echoes) = terminal.finish();
        output.exits(7);
        let shown = visible(&output.screen.replace("^C", ""));
        let new = stage.sim().access_keys(&bob).pop().unwrap().access_key_id;
        let end = [
            "NAME  OUTCOME      NEW KEY".to_owned(),
            format!("bob   interrupted  {}...{}", &new[..4], &new[16..]),
            "prod  interrupted  -".to_owned(),
            "vault: error: interrupted; 2 of 2 keys are not through yet, and nothing is lost".to_owned(),
            "vault: hint: `vault rotate --resume` goes on with those that were begun".to_owned(),
        ];
        assert!(echoes && shown.windows(5).any(|lines| lines == end), "{shown:#?}");
        let asked: Vec<&String> = shown.iter().filter(|line| line.contains("MFA code")).collect();
        assert!(asked.len() == 1 && !asked[0].contains(LINE), "{shown:#?}");
        stage.is_untouched();
        stage.pass(Duration::from_secs(120));
        stage.run(&["rotate", "--resume"]).succeeds();
        assert_eq!(old_key_is(&stage, &bob), Some(Status::Inactive));
    }
}

#[test]
fn who_is_asked_for_a_code_hears_of_the_others_after_that() {
    let (stage, bob) = one_of_two_with_a_device();
    stage.sim().fail(Failure::on("CreateAccessKey").nth(2).kind(super::failures::denied("CreateAccessKey")));
    stage.sim().deny(&stage.user, "iam:CreateAccessKey");
    let mut terminal = rotate_all(&stage.case, &[]);
    terminal.expect("MFA code for prod").expect("): ");
    waiting::until("the end of bob's", || {
        stage.sim().count("CreateAccessKey") == 2 && old_key_is(&stage, &bob).is_some()
    });
    let code = stage.case.phone.code();
    terminal.type_line(&code);
    let (output, _) = terminal.finish();
    output.exits(4);
    let (_, asked) = output.screen.split_once("MFA code").unwrap();
    let (asked, after) = asked.split_once(&code).unwrap();
    assert!(!asked.contains("bob") && after.contains("bob: AWS refused CreateAccessKey"), "{}", output.screen);
}

#[test]
fn ctrl_c_at_the_question_for_the_only_code_says_whether_anything_was_begun() {
    let stage = Stage::new();
    let at_the_question = |code: i32, told: &str| {
        let mut terminal = stage.case.vault(&["rotate", "prod", "--now", "--force"]).on_terminal();
        terminal.expect("MFA code for prod").expect("): ").press("\x03");
        let (output, echoes) = terminal.finish();
        output.exits(code);
        assert!(echoes && visible(&output.screen).iter().any(|line| line == told), "{}", output.screen);
    };
    at_the_question(1, "vault: error: prod: interrupted; nothing was changed");
    stage.is_untouched();
    stage.rotate(&["--keep-old"]).succeeds();
    stage.run(&["logout", "prod"]).succeeds();
    at_the_question(
        7,
        "vault: error: rotation of `prod` stopped after the new key was put to use; it works, and both are in the vault: \
         interrupted",
    );
    stage.recovers();
}

/// The key is read again once there is a code; nobody is kept out of it while somebody looks for their phone.
#[test]
fn a_dry_run_that_waits_for_a_code_is_in_no_other_runs_way() {
    let stage = Stage::new();
    stage.sim().require_mfa_for(&stage.user, &["iam:ListAccessKeys"], None);
    let mut terminal = stage.case.vault(&["rotate", "prod", "--dry-run"]).on_terminal();
    terminal.expect("MFA code for prod");
    drop(
        lock::take(&RealDisk, &stage.case.home().join(".local/state/vault"), stage.user.arn()).expect("nobody has it"),
    );
    terminal.type_line(&stage.case.phone.code());
    terminal.finish().0.succeeds().screen_has("use the session with MFA that is at hand").screen_has("make a new key");
    stage.is_untouched();
}

#[test]
fn ctrl_c_and_a_lock_end_the_wait_for_a_code_that_no_person_is_asked_for() {
    let stage = Stage::new();
    let begun = stage.case.given("begun");
    let script = format!("#!/bin/sh\ntrap '' INT\n: > {}\nexec sleep 50\n", begun.display());
    let process = stage.case.give_program("code", script);
    stage.case.run(&["set", "prod", &format!("mfa_process={}", process.display())]).succeeds();
    for locks in [false, true] {
        let mut terminal = stage.case.vault(&["rotate", "prod"]).on_terminal();
        waiting::until("the command", || begun.exists());
        if locks {
            stage.run(&["lock"]).succeeds();
        } else {
            terminal.press("\x03");
        }
        let (output, _) = terminal.finish();
        let told = "vault: error: prod: interrupted; nothing was changed";
        assert!(visible(&output.exits(1).screen).iter().any(|line| line.ends_with(told)), "{}", output.screen);
        stage.is_untouched();
        fs::remove_file(&begun).unwrap();
    }
}

#[test]
fn what_is_at_rest_is_no_failure_of_those_that_are_watched() {
    let (stage, _) = stage(&["bob"]);
    let (output, _) = rotate_all(&stage.case, &["--if-older-than", "3650d"]).finish();
    output.succeeds().screen_has("[############............] 1 of 2 done");
    let shown = visible(&output.screen);
    assert!(shown[0].starts_with("NAME") && shown.len() == 4, "{shown:#?}");
}
