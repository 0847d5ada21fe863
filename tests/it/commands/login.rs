//! `vault login`: the code, the call, the words, the section.

use std::fs;

use aws_sim::{Failure, Kind, Request};

use super::{PHONE, error, error_and_hint, mode, screen, short, signed_in, warning, written};
use crate::left_unlocked::LeftUnlocked;
use crate::program::{ACCOUNT, Case};

const USE_PROD: &str = "use: aws --profile prod --region us-east-1 sts get-caller-identity\n\
    vault: hint: AWS tools find no region for `prod`; `vault set prod region=REGION`, then `vault login prod --write-region` \
    write one\n";
const NO_MFA: &str = "`prod`: without MFA, as asked; policies see aws:MultiFactorAuthPresent as absent";

/// The one call that was made.
#[track_caller]
fn only_call(case: &Case) -> Request {
    let requests = case.sim.requests();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    requests[0].clone()
}

fn login_with(case: &Case, code: &str) -> crate::program::Output {
    case.run(&["login", "prod", "--mfa-code", code])
}

#[test]
fn one_code_makes_one_call_and_one_section() {
    let case = Case::with_prod();
    let code = case.phone.code();
    let output = login_with(&case, &code);
    let told = format!("{}{USE_PROD}", signed_in(&case, "prod", "alice", true));
    output.succeeds().stdout("").stderr(&told);
    let call = only_call(&case);
    assert_eq!((&*call.service, &*call.action, &*call.region), ("sts", "GetSessionToken", "us-east-1"));
    assert_eq!(call.access_key_id.as_deref(), Some(case.alice.access_key_id()));
    let parameters: Vec<(&str, &str)> = call.parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(parameters, [("DurationSeconds", "43200"), ("SerialNumber", PHONE), ("TokenCode", &code)]);

    let id = written(&case, "prod", "aws_access_key_id");
    let session = case.sim.session(&id).expect("AWS made it");
    assert!(session.with_mfa && session.arn == case.alice.arn());
    let text = fs::read_to_string(case.credentials()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mark = format!("# session of vault ({}): login renews it, logout removes it", short(&id));
    assert_eq!((lines[0], lines[1], lines.len()), ("[prod]", &*mark, 6));
    assert!(text.ends_with('\n'));
    assert_eq!(written(&case, "prod", "aws_credential_expiration"), session.expires.strftime("%FT%TZ").to_string());
    assert_eq!((mode(&case.credentials()), mode(case.credentials().parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_code_comes_by_flag_pipe_variable_or_command() {
    let case = Case::with_prod();
    let code = || case.phone.code();
    let login = |more: &[&str]| case.vault(&[&["login", "prod", "--no-export", "--force"], more].concat());
    login(&["--mfa-code", &code()]).run().succeeds();
    login(&["--mfa-code", "-"]).stdin(format!("{}\r\n", code())).run().succeeds();
    login(&["--mfa-code", "-"]).stdin(code()).run().succeeds();
    login(&[]).variable("VAULT_MFA_CODE", code()).run().succeeds();
    case.run(&["set", "prod", "mfa_process=cat code"]).succeeds();
    fs::write(case.home().join("code"), format!(" {} \n", code())).unwrap();
    login(&[]).run().succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 5);
    assert!(case.sim.requests().iter().all(Request::succeeded));
}

#[test]
fn what_is_given_counts_more_than_the_profiles_command() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "mfa_process=false"]).succeeds();
    login_with(&case, &case.phone.code()).succeeds();
}

#[test]
fn a_code_that_was_accepted_is_not_sent_again() {
    let case = Case::with_prod();
    let code = case.phone.code();
    login_with(&case, &code).succeeds();
    case.sim.clear_requests();
    let output = case.run(&["login", "prod", "--force", "--mfa-code", &code]);
    let seconds =
        output.exits(8).stdout("").err.strip_prefix("vault: error: that code was used already; the next comes in ");
    let seconds: u32 = seconds.and_then(|rest| rest.strip_suffix(" s\n")).expect("how long to wait").parse().unwrap();
    assert!((1..=30).contains(&seconds), "{}", output.err);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_wrong_code_that_nobody_typed_is_not_asked_for_again() {
    let case = Case::with_prod();
    let hint = format!(
        "is it the code of {PHONE}? the next one may do; `vault mfa resync prod` where that phone's clock is off, \
         `vault mfa detect prod` where there is a new one"
    );
    let told = |what: &str| error_and_hint(&format!("AWS refused {what}: it is wrong, or was used before"), &hint);
    let wrong = case.phone.wrong_code();
    login_with(&case, &wrong).exits(4).stdout("").stderr(&told("the code that was given"));
    case.run(&["set", "prod", &format!("mfa_process=echo {wrong}")]).succeeds();
    case.run(&["login", "prod"]).exits(4).stdout("").stderr(&told("what mfa_process printed"));
    assert_eq!(case.sim.count("GetSessionToken"), 2);
    assert!(!case.credentials().exists());
}

fn given_badly() -> String {
    error_and_hint(
        "the code that was given is not six digits; nothing was sent",
        &format!("give what {PHONE} shows now: six digits, and nothing beside them"),
    )
}

#[test]
fn what_can_not_be_a_code_is_never_sent() {
    let case = Case::with_prod();
    for code in ["12345", "1234567", "12345a", "", "１２３４５６", "12-34-56"] {
        let given = login_with(&case, code);
        given
            .exits(2)
            .stdout("")
            .stderr_has(&format!("vault: error: invalid value '{code}' for '--mfa-code <CODE|->'"));
        let variable = case.vault(&["login", "prod"]).variable("VAULT_MFA_CODE", code).run();
        match code {
            "" => variable.exits(8),
            _ => variable.exits(2).stdout("").stderr(&given_badly()),
        };
    }
    let empty = case.vault(&["login", "prod", "--mfa-code", "-"]).stdin("\n").run();
    empty.exits(2).stdout("").stderr(&given_badly());
    case.run(&["set", "prod", "mfa_process=echo nonsense"]).succeeds();
    let printed_badly = error_and_hint(
        "what mfa_process printed is not six digits; nothing was sent",
        "`--mfa-code CODE` goes before mfa_process, which has to print six digits and nothing else",
    );
    case.run(&["login", "prod"]).exits(2).stderr(&printed_badly);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_command_for_codes_that_fails_is_named() {
    let case = Case::with_prod();
    for (command, why) in [
        ("false", "`false` ended with exit status: 1"),
        ("no-such-program", "could not start `no-such-program`: No such file or directory (os error 2)"),
        ("unclosed 'quote", "the command's quotes do not match"),
    ] {
        case.run(&["set", "prod", &format!("mfa_process={command}")]).succeeds();
        let told = error_and_hint(&format!("mfa_process of `prod`: {why}"), "pass `--mfa-code`");
        case.run(&["login", "prod"]).exits(8).stdout("").stderr(&told);
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn without_a_code_or_a_terminal_the_ways_to_one_are_named() {
    let case = Case::with_prod();
    case.run(&["login", "prod"]).exits(8).stdout("").stderr(&error_and_hint(
        "`prod` needs an MFA code and there is no terminal to ask on",
        "run `vault login prod` at a terminal, pass `--mfa-code`, or set `mfa_process` for this profile",
    ));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_session_is_asked_for_the_time_that_is_said_and_only_that_which_aws_gives() {
    let case = Case::with_prod();
    let login = |duration: &str| {
        case.sim.clear_requests();
        case.run(&["login", "prod", "--no-mfa", "--no-export", "--force", "--duration", duration])
    };
    for (duration, seconds) in
        [("900", "900"), ("15m", "900"), ("8h", "28800"), ("129600", "129600"), ("36h", "129600")]
    {
        login(duration).succeeds();
        assert_eq!(only_call(&case).parameter("DurationSeconds"), Some(seconds));
    }
    for bad in ["899", "129601", "36h1s", "0", "soon", "1.5h"] {
        let output = login(bad);
        output.exits(2).stdout("");
        let told = format!("vault: error: invalid value '{bad}' for '--duration <DURATION>': ");
        assert!(output.err.starts_with(&told), "{}", output.err);
        assert_eq!(case.sim.requests(), []);
    }
}

#[test]
fn a_session_that_outlives_common_policies_is_made_with_a_word() {
    let case = Case::with_prod();
    let output = case.run(&["login", "prod", "--duration", "36h", "--mfa-code", &case.phone.code()]);
    let told = warning("a session of 1 d 12 h: some policies refuse an MFA sign-in older than 8 or 12 h");
    assert!(output.succeeds().err.starts_with(&told), "{}", output.err);
}

#[test]
fn without_mfa_neither_serial_nor_code_is_sent() {
    let case = Case::with_prod();
    let output = case.run(&["login", "prod", "--no-mfa"]);
    let told = format!("{}{}{USE_PROD}", warning(NO_MFA), signed_in(&case, "prod", "alice", false));
    output.succeeds().stdout("").stderr(&told);
    let call = only_call(&case);
    assert_eq!((call.parameter("SerialNumber"), call.parameter("TokenCode")), (None, None));
}

#[test]
fn a_session_without_mfa_is_no_stand_in_for_one_with_it() {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    case.run(&["login", "prod"]).exits(8);
    login_with(&case, &case.phone.code()).succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_good_session_is_used_again_without_a_call_until_force_says_otherwise() {
    let case = Case::with_prod();
    login_with(&case, &case.phone.code()).succeeds();
    let first = written(&case, "prod", "aws_access_key_id");
    case.sim.clear_requests();
    let told = signed_in(&case, "prod", "alice", true).replace("signed in", "still signed in");
    case.run(&["login", "prod"]).succeeds().stdout("").stderr(&format!("{told}{USE_PROD}"));
    assert_eq!(case.sim.requests(), []);
    assert_eq!(written(&case, "prod", "aws_access_key_id"), first);
    case.run(&["login", "prod", "--force", "--mfa-code", &case.phone.code()]).succeeds();
    assert_ne!(written(&case, "prod", "aws_access_key_id"), first);
}

#[test]
fn more_life_than_is_left_takes_a_new_session_and_more_than_there_ever_is_can_not_be_asked() {
    let case = Case::with_prod();
    login_with(&case, &case.phone.code()).succeeds();
    case.sim.clear_requests();
    case.run(&["login", "prod", "--min-ttl", "11h59m"]).succeeds();
    assert_eq!(case.sim.requests(), []);
    let told = error_and_hint("--min-ttl 12 h is not possible: the session lasts 12 h in all", "a longer `--duration`");
    case.run(&["login", "prod", "--min-ttl", "12h"]).exits(2).stdout("").stderr(&told);
}

#[test]
fn the_session_goes_where_it_is_asked_to_go() {
    let case = Case::with_prod();
    let output = case.run(&["login", "prod", "--no-export", "--no-mfa"]);
    assert!(output.succeeds().err.ends_with("use: vault exec prod -- COMMAND\n"), "{}", output.err);
    assert!(!case.credentials().exists());
    let login = |more: &[&str]| case.run(&[&["login", "prod", "--no-mfa"], more].concat());
    let output = login(&["--profile", "default"]);
    output.succeeds().stderr_has("use: aws --profile default --region us-east-1 sts get-caller-identity\n");
    output.stderr_has("AWS tools find no region for `default`; `vault set prod region=REGION`, then");
    output.stderr_has("then `vault login prod --profile default --write-region` write one\n");
    case.run(&["set", "prod", "destination_profile=elsewhere"]).succeeds();
    login(&[]).succeeds().stderr_has("use: aws --profile elsewhere --region us-east-1 sts get-caller-identity\n");
    case.run(&["unset", "prod", "destination_profile"]).succeeds();
    case.write(&case.config(), 0o600, "[profile prod]\ndestination_profile = by-config\n");
    login(&[]).succeeds().stderr_has("use: aws --profile by-config --region us-east-1 sts get-caller-identity\n");
    let id = written(&case, "default", "aws_access_key_id");
    for section in ["elsewhere", "by-config"] {
        assert_eq!(written(&case, section, "aws_access_key_id"), id, "one session serves all");
    }
    assert_eq!(case.sim.count("GetSessionToken"), 1);
}

#[test]
fn login_env_prints_variables_and_nothing_else_and_writes_nothing() {
    let case = Case::with_prod();
    let output = case.run(&["login", "prod", "--env", "--mfa-code", &case.phone.code()]);
    output.succeeds().stderr(&signed_in(&case, "prod", "alice", true));
    let is_ours = |line: &str| line.starts_with("export ") || line.starts_with("unset ");
    assert!(output.out.lines().all(is_ours) && output.out.contains("export AWS_SESSION_TOKEN='"), "{}", output.out);
    assert!(!case.credentials().exists());
    let both = case.run(&["login", "prod", "--env", "--profile", "x"]);
    both.exits(2).stdout("").stderr_has("does not go together with");
}

#[test]
fn the_region_is_written_to_config_only_where_none_is_and_only_when_asked() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let told = "use: aws --profile prod --region eu-central-1 sts get-caller-identity\n\
                vault: hint: AWS tools find no region for `prod`; `vault login prod --write-region` writes one\n";
    case.run(&["login", "prod", "--no-mfa"]).succeeds().stderr_has(told);
    assert!(!case.config().exists());
    assert_eq!(only_call(&case).region, "eu-central-1");
    let told = "use: aws --profile prod sts get-caller-identity\n";
    let wrote = format!("wrote region = eu-central-1\n{told}");
    case.run(&["login", "prod", "--no-mfa", "--write-region"]).succeeds().stderr_has(&wrote);
    assert_eq!(fs::read_to_string(case.config()).unwrap(), "[profile prod]\nregion = eu-central-1\n");
    let known = case.run(&["login", "prod", "--no-mfa"]);
    assert!(known.succeeds().err.ends_with(told), "{}", known.err);
    case.run(&["set", "prod", "region=eu-west-1"]).succeeds();
    let there = case.run(&["login", "prod", "--no-mfa", "--write-region"]);
    assert!(!there.succeeds().err.contains("wrote region"), "{}", there.err);
    assert_eq!(fs::read_to_string(case.config()).unwrap(), "[profile prod]\nregion = eu-central-1\n");
}

#[test]
fn a_region_that_nobody_knows_is_not_written_and_the_way_to_one_is_said() {
    let case = Case::with_prod();
    let told = warning("no region is written: nothing says which")
        + "vault: hint: `vault set prod region=REGION`, then the same command again\n";
    case.run(&["login", "prod", "--no-mfa", "--write-region"]).succeeds().stderr_has(&told);
    assert!(!case.config().exists());
}

#[test]
fn a_name_that_is_none_ends_a_login_of_several_before_any_is_written() {
    let case = LeftUnlocked::new(Case::with_prod());
    let alone = |words: &[&str]| case.vault(words).asking().without_variable("VAULT_NO_AGENT").run();
    alone(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    let refused = alone(&["login", "prod", "nope", "--no-mfa"]);
    refused.refuses(1, "no profile named `nope`");
    assert!(!case.credentials().exists() && !refused.err.contains("signed in"), "{}", refused.err);
}

#[test]
fn variables_that_would_win_over_the_session_are_warned_of() {
    let case = Case::with_prod();
    let login = case.vault(&["login", "prod", "--no-mfa"]).variable("AWS_ACCESS_KEY_ID", "AKIAOTHEROTHEROTHER1");
    let told = format!(
        "{}vault: hint: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n",
        warning("AWS_ACCESS_KEY_ID set in this shell; AWS tools use that before any profile")
    );
    let output = login.run();
    assert!(output.succeeds().err.starts_with(&told), "{}", output.err);
    let call = only_call(&case);
    assert_eq!(call.access_key_id.as_deref(), Some(case.alice.access_key_id()), "never signed by what is in the shell");
}

#[test]
fn a_lost_reply_is_told_as_what_it_may_have_cost() {
    let case = Case::with_prod();
    case.sim.fail(Failure::on("GetSessionToken").kind(Kind::AfterApplied));
    let output = login_with(&case, &case.phone.code());
    output.exits(5).stdout("").stderr_has("vault: error: GetSessionToken: the connection broke, ");
    output.stderr_has("vault: hint: an MFA code in it may be spent; wait for the next one and try again\n");
    assert_eq!(case.sim.count("GetSessionToken"), 1, "a call that may have spent the code is not repeated");
    assert!(!case.credentials().exists());
}

#[test]
fn what_aws_says_is_passed_on_without_what_could_act_on_the_terminal() {
    let case = Case::with_prod();
    let kind = Kind::Status { http: 403, code: "Odd\u{200b}".into(), message: "no \u{202e}way".into() };
    case.sim.fail(Failure::on("GetSessionToken").kind(kind).lasting());
    let told = error("AWS refused GetSessionToken: Odd\\u{200b}: no \\u{202e}way");
    case.run(&["login", "prod", "--no-mfa"]).exits(4).stdout("").stderr(&told);
}

#[test]
fn a_device_that_aws_does_not_know_is_told_from_a_wrong_code() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "mfa_serial=arn:aws:iam::123456789012:mfa/lost"]).succeeds();
    let output = login_with(&case, "123456");
    output.exits(4).stdout("").stderr_has("vault: error: AWS does not know this MFA device for this user: ");
    output.stderr_has("vault: hint: `vault mfa list prod` shows the devices that there are; `vault set prod mfa_serial=ARN` names one\n");
}

#[test]
fn a_key_that_was_switched_off_is_named_with_what_to_do() {
    let case = Case::with_prod();
    case.sim.set_key_status(case.alice.access_key_id(), aws_sim::Status::Inactive);
    let id = short(case.alice.access_key_id());
    login_with(&case, "123456").exits(4).stdout("").stderr(&error_and_hint(
        &format!("AWS does not know the access key {id} of `prod`, or it is inactive"),
        &format!(
            "if another machine replaced it, `vault import --vault FILE` brings the new one; else `vault keys enable prod {id}` switches it \
             on again while a session made with MFA is left, or `vault add prod --replace` stores another"
        ),
    ));
}

#[test]
fn roots_sessions_are_cut_to_an_hour_with_a_word() {
    let case = Case::with_vault();
    let root = case.sim.add_root(ACCOUNT);
    case.keep_secret("root's secret key", root.secret_access_key());
    let add = ["add", "root", "--access-key-id", root.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(root.secret_access_key()).run().succeeds();
    case.sim.clear_requests();
    let output = case.run(&["login", "root", "--no-export"]);
    output.succeeds().stderr_has(&warning("`root` asks for 12 h, and gets 1 h: AWS caps the root user's sessions"));
    assert_eq!(only_call(&case).parameter("DurationSeconds"), Some("3600"));
}

#[test]
fn an_opened_vault_is_not_needed_again_after_the_code() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["login", "prod"]).on_terminal();
    terminal.expect("MFA code for prod");
    fs::remove_file(case.vault_file()).unwrap();
    terminal.type_line(&case.phone.code());
    let (output, _) = terminal.finish();
    output.succeeds();
    assert!(screen(&output).ends_with(USE_PROD), "{}", output.screen);
}
