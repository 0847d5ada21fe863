//! Endpoints that outlive the sessions that they hand out: whole command lines in this process, by a clock that is moved.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use aws_sim::{Failure, Kind, Role, Trust};
use vault::disk::RealDisk;

use crate::program::{ACCOUNT, Endpoint};
use crate::rotation::stage::{Ran, Stage};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";

const REFUSED: &str = "AWS refused the role `arn:aws:iam::123456789012:role/admin` of `admin`: User: ";

/// Tells what it was given, and lives until it is told to end.
const SERVED: &str =
    "printf '%s %s' $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN >told; read end <end";

/// Signals are the whole process's to hear.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Serves a profile to a command while `client` asks, and ends.
fn serve(stage: &Stage, words: &[&str], client: impl FnOnce(&Endpoint) + Send) -> Ran {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = tempfile::tempdir().unwrap();
    for pipe in ["told", "end"] {
        assert!(std::process::Command::new("mkfifo").arg(folder.path().join(pipe)).status().unwrap().success());
    }
    let script = format!("cd {} && {{ {SERVED}; }}", folder.path().display());
    let words = [&["exec", "--server"], words, &["--", "/bin/sh", "-c", &script]].concat();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let endpoint = told(folder.path());
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client(&endpoint)));
            fs::write(folder.path().join("end"), "\n").unwrap();
            asked.unwrap_or_else(|why| std::panic::resume_unwind(why));
        });
        stage.run_on(&RealDisk, &words)
    })
}

fn told(folder: &Path) -> Endpoint {
    let told = fs::read_to_string(folder.join("told")).unwrap();
    let (url, token) = told.split_once(' ').unwrap();
    Endpoint::new(url, token)
}

/// Asks until there is another session than this one.
fn another_than(endpoint: &Endpoint, id: &str) -> String {
    let mut ids = std::iter::repeat_with(|| endpoint.get().key_id()).take(10_000);
    ids.find(|found| found != id).expect("the session is never renewed")
}

fn with_admin() -> Stage {
    let stage = Stage::new();
    let role = stage.sim().add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    stage.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    stage
}

#[test]
fn a_roles_session_is_renewed_ahead_of_its_end_and_nobody_waits_for_it() {
    let stage = with_admin();
    let (sim, code) = (stage.sim(), stage.case.phone.code());
    let ran = serve(&stage, &["admin", "--mfa-code", &code], |endpoint| {
        let first = endpoint.get().key_id();
        sim.advance(39 * MINUTE);
        assert_eq!(endpoint.get().key_id(), first);
        sim.advance(2 * MINUTE);
        assert_eq!(endpoint.get().key_id(), first, "it lives still, and is handed out at once");
        let second = another_than(endpoint, &first);
        let ends = sim.session(&second).unwrap().expires;
        assert!(ends.duration_since(sim.now()).as_secs() > 59 * 60, "{ends}");
        sim.advance(HOUR + MINUTE);
        let third = endpoint.get().key_id();
        assert!(third != second, "it is over");
    });
    ran.succeeds();
    // Others were sent by this machine's clock, which stands still, and again by AWS's.
    let assumed = ran.requests.iter().filter(|request| request.action == "AssumeRole" && request.succeeded());
    assert_eq!((ran.codes_spent(), assumed.count()), (1, 3));
    assert_eq!(ran.messages, "");
}

#[test]
fn when_a_person_is_needed_clients_hear_so_and_a_login_serves_them() {
    let stage = Stage::new();
    let (sim, code) = (stage.sim(), stage.case.phone.code());
    let ran = serve(&stage, &["prod", "--mfa-code", &code], |endpoint| {
        let first = endpoint.get().key_id();
        sim.advance(12 * HOUR - MINUTE);
        for _ in 0..3 {
            assert_eq!(endpoint.get().key_id(), first, "to its end");
        }
        sim.advance(2 * MINUTE);
        for _ in 0..3 {
            let why = endpoint.get().refused(503, "PersonNeeded");
            assert!(why.contains("`prod` needs an MFA code") && why.contains("run `vault login prod`"), "{why}");
        }
        let requests = sim.requests().len();
        assert_eq!(sim.count("GetSessionToken"), 1, "no code was sent a second time");
        endpoint.get().refused(503, "PersonNeeded");
        assert_eq!(sim.requests().len(), requests);
    });
    ran.succeeds().says("the session of `prod` could not be renewed: `prod` needs an MFA code");
    assert_eq!(ran.messages.matches("could not be renewed").count(), 1, "{}", ran.messages);
}

#[test]
fn a_profile_with_a_command_for_its_codes_is_renewed_without_a_person() {
    let stage = Stage::new();
    let codes = stage.case.given("code");
    fs::write(&codes, stage.case.phone.code()).unwrap();
    stage.run(&["set", "prod", &format!("mfa_process=cat {}", codes.display())]).succeeds();
    let (sim, phone) = (stage.sim(), &stage.case.phone);
    let ran = serve(&stage, &["prod", "--duration", "1h"], |endpoint| {
        let first = endpoint.get().key_id();
        sim.advance(HOUR + MINUTE);
        fs::write(&codes, phone.code()).unwrap();
        assert!(endpoint.get().key_id() != first);
    });
    ran.succeeds();
    assert_eq!(ran.codes_spent(), 2);
}

#[test]
fn while_aws_does_not_answer_the_session_is_handed_out_to_its_end() {
    let stage = with_admin();
    let (sim, code) = (stage.sim(), stage.case.phone.code());
    let ran = serve(&stage, &["admin", "--mfa-code", &code], |endpoint| {
        let first = endpoint.get().key_id();
        sim.advance(45 * MINUTE);
        sim.fail(Failure::on("AssumeRole").kind(Kind::Throttle).lasting());
        assert_eq!(endpoint.get().key_id(), first);
        sim.advance(14 * MINUTE);
        assert_eq!(endpoint.get().key_id(), first);
        sim.stop_failing();
        sim.advance(2 * MINUTE);
        another_than(endpoint, &first);
    });
    ran.succeeds();
}

#[test]
fn when_aws_refuses_another_session_the_one_that_lives_is_served_and_that_is_told_once() {
    let stage = with_admin();
    let (sim, code) = (stage.sim(), stage.case.phone.code());
    let ran = serve(&stage, &["admin", "--mfa-code", &code], |endpoint| {
        let first = endpoint.get().key_id();
        sim.set_trust_policy(ADMIN, r#"{"Version": "2012-10-17", "Statement": []}"#);
        sim.advance(41 * MINUTE);
        for minutes in [0, 10, 8] {
            sim.advance(minutes * MINUTE);
            assert_eq!(endpoint.get().key_id(), first);
        }
        sim.advance(2 * MINUTE);
        // Each of them has it tried again.
        for _ in 0..3 {
            let why = endpoint.get().refused(503, "AwsRefused");
            assert!(why.starts_with(REFUSED) && why.ends_with("must name the user or its account"), "{why}");
            sim.advance(MINUTE);
        }
    });
    ran.succeeds().says(&format!("the session of `admin` could not be renewed: {REFUSED}"));
    assert_eq!(ran.messages.matches("could not be renewed").count(), 1, "{}", ran.messages);
}
