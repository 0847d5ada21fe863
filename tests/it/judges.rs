//! Programs that we did not write judge what ours writes and how it speaks. Ignored by default, since they have to be
//! installed first: `.ci/run` does that and puts them on PATH.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sim::{Role, Trust};
use rustix::process::Signal;

use crate::commands::plugins;
use crate::program::{ACCOUNT, Case, Invocation, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");

/// The judge as found on the PATH of the tests; the cases have a PATH of their own.
fn judge(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not on PATH; `.ci/run` installs it"))
}

/// The judge without any variable that leads to AWS but the simulator's endpoint.
fn ask<'a>(case: &'a Case, name: &str, arguments: &[&str]) -> Invocation<'a> {
    case.command(judge(name), arguments)
        .variable("AWS_DEFAULT_REGION", "eu-central-1")
        .variable("AWS_EC2_METADATA_DISABLED", "true")
}

const WHO: &str = "import boto3, sys
session = boto3.Session(profile_name=sys.argv[1]) if len(sys.argv) > 1 else boto3.Session()
print(session.client('sts').get_caller_identity()['Arn'])";

#[test]
#[ignore = "needs awscli"]
fn the_aws_cli_signs_with_what_login_wrote() {
    let case = Case::with_prod();
    case.login().succeeds();
    let asked =
        ask(&case, "aws", &["sts", "get-caller-identity", "--profile", "prod", "--query", "Arn", "--output", "text"]);
    asked.run().succeeds().stdout(&format!("{}\n", case.alice.arn()));
}

#[test]
#[ignore = "needs boto3"]
fn boto3_signs_with_what_login_wrote_into_a_file_full_of_other_things() {
    let case = Case::with_prod();
    let before = "# by hand\r\n[other]\r\naws_access_key_id=AKIAOTHEROTHEROTHER1\r\naws_secret_access_key = x\r\n\
                  s3 =\r\n  max_concurrent_requests = 20\r\n[prod]\r\n; mine\r\nregion=eu-west-1\r\n[last]\r\nx=y";
    case.write(&case.credentials(), 0o600, before);
    case.login().succeeds();
    ask(&case, "python3", &["-c", WHO, "prod"]).run().succeeds().stdout(&format!("{}\n", case.alice.arn()));
}

#[test]
#[ignore = "needs boto3"]
fn boto3_signs_with_the_environment_that_exec_gives() {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let python = judge("python3");
    let code = case.phone.code();
    let exec = ["exec", "admin", "--mfa-code", &code, "--", python.to_str().unwrap(), "-c", WHO];
    let who = case.vault(&exec).variable("AWS_REGION", "eu-west-1").run();
    who.succeeds().stdout_has(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/"));
}

/// moto's server, on a port of its own.
struct Moto {
    server: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(judge("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        // It says when it listens; after that nobody reads on, and nobody need.
        let says = BufReader::new(server.stderr.take().unwrap());
        let listens = says.lines().map_while(Result::ok).any(|line| line.contains("Running on"));
        assert!(listens && TcpStream::connect(("127.0.0.1", port)).is_ok(), "moto_server does not start");
        Self { server, endpoint: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const MAKE_ALICE: &str = "import boto3
iam = boto3.client('iam')
iam.create_user(UserName='alice')
key = iam.create_access_key(UserName='alice')['AccessKey']
serial = iam.create_virtual_mfa_device(VirtualMFADeviceName='phone')['VirtualMFADevice']['SerialNumber']
iam.enable_mfa_device(UserName='alice', SerialNumber=serial, AuthenticationCode1='123456', AuthenticationCode2='654321')
iam.create_role(RoleName='admin', AssumeRolePolicyDocument='{}')
print(key['AccessKeyId'], key['SecretAccessKey'])";

#[test]
#[ignore = "needs moto"]
fn login_speaks_the_wire_format_of_moto() {
    let moto = Moto::start();
    let case = Case::with_vault();
    let at_moto = |invocation: Invocation<'_>| invocation.variable("AWS_ENDPOINT_URL", &moto.endpoint).run();
    let made = at_moto(
        ask(&case, "python3", &["-c", MAKE_ALICE])
            .variable("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .variable("AWS_SECRET_ACCESS_KEY", "any"),
    );
    let (id, secret) = made.succeeds().out.trim().split_once(' ').unwrap();

    let added = at_moto(case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin"]).stdin(secret));
    added.succeeds().stderr_has("alice in account 123456789012").stderr_has(":mfa/phone");
    at_moto(case.vault(&["login", "prod", "--mfa-code", "123456"])).succeeds().stderr_has("prod: signed in as alice");
    assert!(fs::read_to_string(case.credentials()).unwrap().contains("aws_session_token = "));
    let role = "arn:aws:iam::123456789012:role/admin";
    at_moto(case.vault(&["add", "admin", "--role-arn", role, "--source-profile", "prod"])).succeeds();
    at_moto(case.vault(&["login", "admin"])).succeeds().stderr_has("admin: signed in as role admin");
}

/// The program at another time, by its own clock.
fn at<'a>(case: &'a Case, offset: &str, arguments: &[&str]) -> Invocation<'a> {
    case.command("faketime", &[&["-f", offset, PROGRAM], arguments].concat())
        .variable("VAULT_IDENTITY", case.given("recovery.txt"))
        // Else every timed wait of the Rust standard library hangs.
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

#[test]
#[ignore = "needs faketime"]
fn a_machine_whose_clock_is_wrong_signs_in_with_a_warning_and_right_expirations() {
    for (offset, words) in [("-20m", "behind"), ("+20m", "ahead"), ("-3h", "behind"), ("+400d", "ahead")] {
        let case = Case::with_prod();
        let login = at(&case, offset, &["login", "prod", "--mfa-code", &case.phone.code()]).run();
        login.succeeds().stderr_has("vault: warning: this machine's clock is ").stderr_has(words);
        let written = fs::read_to_string(case.credentials()).unwrap();
        let value = |key: &str| written.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        let expires = case.sim.session(&value("aws_access_key_id = ")).unwrap().expires;
        assert_eq!(value("aws_credential_expiration = "), expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        at(&case, offset, &["login", "prod"]).run().succeeds().stderr_has("still signed in");
    }
}

#[test]
#[ignore = "needs faketime"]
fn a_session_is_renewed_when_a_quarter_of_its_life_is_left_and_not_before() {
    let case = Case::with_prod();
    let get = ["get", "prod", "aws_access_key_id", "--duration", "20m"];
    let first = case.run(&[&get[..], &["--mfa-code", &case.phone.code()]].concat()).succeeds().out.clone();
    assert_eq!(at(&case, "+14m", &get).run().succeeds().out, first);
    at(&case, "+16m", &get).run().refuses(8, "needs an MFA code");
    case.sim.advance(Duration::from_secs(16 * 60));
    let renewed = at(&case, "+16m", &[&get[..], &["--mfa-code", &case.phone.code()]].concat()).run();
    assert_ne!(renewed.succeeds().out, first);
}

#[test]
#[ignore = "needs age"]
fn stock_age_opens_the_vault_with_the_recovery_key_and_with_the_identity_that_reveal_prints() {
    let case = Case::with_prod();
    let vault = case.vault_file();
    let decrypt = |identity: &Path| {
        let arguments = ["--decrypt".as_ref(), "--identity".as_ref(), identity, vault.as_path()];
        case.command("age", &arguments).may_show_secrets().run().succeeds().out.clone()
    };
    let content = decrypt(&case.given("recovery.txt"));
    assert!(content.contains(&format!("id = \"{}\"", case.alice.access_key_id())), "{content}");
    let passphrase = case.given("passphrase");
    let reveal = case.vault(&["reveal", "--vault-identity", "--confirm", "identity"]).asking();
    let identity = reveal.variable("VAULT_PASSPHRASE_FILE", passphrase).may_show_secrets().run().succeeds().out.clone();
    assert_eq!(decrypt(&case.give("identity", identity)), content);
}

/// Runs the program and kills it at the `number`th call of that name; says whether it came so far.
fn killed_at(case: &Case, call: &str, number: u32, arguments: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let trace = format!("trace={call}");
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, PROGRAM];
    let run = case
        .command("strace", &[&strace[..], arguments].concat())
        .variable("VAULT_IDENTITY", case.given("recovery.txt"))
        .run();
    match run.status.signal() {
        Some(signal) => signal == Signal::KILL.as_raw(),
        None => {
            run.succeeds();
            false
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn killed_at_any_system_call_that_matters_the_program_leaves_a_vault_that_opens() {
    let case = Case::with_prod();
    let mut killed = 0;
    for call in ["openat", "read", "write", "fsync", "linkat", "renameat", "renameat2", "unlinkat", "flock", "fstat"] {
        for number in (1..).take_while(|number| *number < 200) {
            let region = format!("region=eu-west-{}", number % 9 + 1);
            if !killed_at(&case, call, number, &["set", "prod", &region]) {
                break;
            }
            killed += 1;
            case.run(&["show", "prod"]).succeeds().stdout_has(case.alice.access_key_id());
        }
    }
    println!("killed the program {killed} times");
    assert!(killed >= 20, "{killed}");
    case.run(&["set", "prod", "region=eu-north-1"]).succeeds();
    let left: Vec<_> =
        fs::read_dir(case.vault_file().parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
#[ignore = "needs strace"]
fn killed_in_a_login_the_program_leaves_the_old_or_the_new_credentials_file() {
    let case = Case::with_prod();
    let before = "[other]\nx = 1\n";
    case.write(&case.credentials(), 0o600, before);
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    for call in ["write", "fsync", "renameat", "renameat2", "openat"] {
        for number in (1..).take_while(|number| *number < 200) {
            let finished = !killed_at(&case, call, number, &["login", "prod"]);
            let now = fs::read_to_string(case.credentials()).unwrap();
            let new = now.strip_prefix(before).is_some_and(|ours| ours.contains("aws_credential_expiration = "));
            assert!(now == before || new, "{call} {number}: {now}");
            fs::write(case.credentials(), before).unwrap();
            if finished {
                break;
            }
        }
    }
}

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
