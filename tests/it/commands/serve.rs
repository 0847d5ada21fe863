//! What AWS tools are handed at an endpoint: by `serve` whoever has the token, by `exec --server` one command.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;

use aws_sim::{Role, Trust};
use rustix::process::{Pid, Signal, kill_process};

use super::agent::WithAgent;
use super::{error, error_and_hint, warning};
use crate::program::{ACCOUNT, Case, Conversation, Endpoint, Reply};

const NOTHING_SERVED: &str = "no agent is running; nothing was unlocked\n";

fn get(case: &Case, field: &str) -> String {
    case.run(&["get", "prod", field]).succeeds().out.clone()
}

/// A shell that was given an endpoint, and does what it is told.
fn served<'a>(case: &'a Case) -> (Conversation<'a>, Endpoint) {
    served_by(case.vault(&["exec", "--server", "prod", "--", "sh"]).converse())
}

fn served_by(mut shell: Conversation<'_>) -> (Conversation<'_>, Endpoint) {
    let url = shell.ask("echo $AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let token = shell.ask("echo $AWS_CONTAINER_AUTHORIZATION_TOKEN");
    (shell, Endpoint::new(&url, &token))
}

/// The value of a variable in the words of a shell.
fn said(line: &str) -> &str {
    line.split_once('=').unwrap().1.trim_matches([';', '\''])
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

#[test]
fn serve_prints_where_to_ask_and_hands_out_the_session_until_it_is_told_to_end() {
    let case = Case::with_session();
    for end in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut server = case.vault(&["serve", "prod"]).converse();
        let mut lines = std::iter::repeat_with(|| server.hear());
        let url = lines.find(|line| line.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI=")).unwrap();
        let token = lines.next().unwrap();
        assert!(token.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN="), "{token}");
        let endpoint = Endpoint::new(said(&url), said(&token));
        assert_eq!(endpoint.get().key_id(), get(&case, "aws_access_key_id"));
        signal(server.id(), end);
        assert_eq!(server.ends().code(), Some(0));
        assert!(std::net::TcpStream::connect(&endpoint.host).is_err(), "somebody still listens");
    }
    case.run(&["lock"]).succeeds().stderr(NOTHING_SERVED);
}

#[test]
fn a_client_gets_the_four_fields_that_sdks_read_and_no_cache_keeps_them() {
    let case = Case::with_session();
    let (_shell, endpoint) = served(&case);
    let reply = endpoint.get();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let fields = ["AccessKeyId", "Expiration", "SecretAccessKey", "Token"];
    let names = ["aws_access_key_id", "expiration", "aws_secret_access_key", "aws_session_token"];
    let document = reply.json();
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    for (field, name) in fields.iter().zip(names) {
        assert_eq!(document[field], get(&case, name), "{field}");
    }
}

#[test]
fn a_command_has_an_endpoint_and_nothing_that_would_win_over_it() {
    let case = Case::with_session();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let exec = case.vault(&["exec", "prod", "--server", "--", "env"]);
    let stale = ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"]
        .into_iter()
        .chain(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "VAULT_MFA_CODE"]);
    let output = stale.fold(exec, |exec, name| exec.variable(name, "stale")).run();
    output.succeeds().stderr("");
    let mut names: Vec<&str> = output.out.lines().map(|line| line.split_once('=').unwrap().0).collect();
    names.retain(|name| name.starts_with("AWS_") || name.starts_with("VAULT_"));
    names.sort_unstable();
    let led = ["AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    let others = ["AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_VAULT"];
    assert_eq!(names, [&led[..], &others[..]].concat());
}

#[test]
fn a_served_commands_streams_and_code_are_its_own() {
    let case = Case::with_session();
    let exec = ["exec", "--server", "prod", "--"];
    let run = |words: &[&str]| case.vault(&[&exec[..], words].concat());
    run(&["cat"]).stdin("as it is\n").run().succeeds().stdout("as it is\n").stderr("");
    let script = "printf '%s|' \"$@\"; echo oops >&2; exit 42";
    run(&["sh", "-c", script, "sh", "--json", "a b", ""]).run().exits(42).stdout("--json|a b||").stderr("oops\n");
    run(&["sh", "-c", "kill -KILL $$"]).run().dies_of(Signal::KILL);
    let missing = run(&["no-such-program"]).run();
    missing.exits(127).stdout("").stderr(&error("no program `no-such-program` on PATH"));
    assert_eq!(std::fs::read_dir(case.home().join(".local/state/vault/servers")).unwrap().count(), 0, "left behind");
    case.run(&["lock"]).succeeds().stderr(NOTHING_SERVED);
}

#[test]
fn a_served_command_hears_the_signals_that_this_program_is_sent() {
    let case = Case::with_session();
    for (word, sent) in [("TERM", Signal::TERM), ("INT", Signal::INT), ("HUP", Signal::HUP)] {
        let script = format!("trap 'echo {word}; exit 3' {word}; echo ready; read line");
        let mut child = case.vault(&["exec", "--server", "prod", "--", "bash", "-c", &script]).converse();
        assert_eq!(child.hear(), "ready");
        signal(child.id(), sent);
        assert_eq!(child.hear(), word);
        assert_eq!(child.ends().code(), Some(3));
    }
    let mut child = case.vault(&["exec", "--server", "prod", "--", "sh", "-c", "echo ready; read line"]).converse();
    assert_eq!(child.hear(), "ready");
    signal(child.id(), Signal::TERM);
    assert_eq!(child.ends().signal(), Some(Signal::TERM.as_raw()), "it ends as the command ended");
}

#[test]
fn ctrl_c_at_the_terminal_is_heard_by_the_command_once() {
    let case = Case::with_session();
    let script = "trap 'hits=x$hits; echo heard' INT; echo ready; until [ \"$line\" = end ]; do read line; done; echo \"$hits.\"";
    let mut terminal = case.vault(&["exec", "--server", "prod", "--", "bash", "-c", script]).on_terminal();
    terminal.expect("ready");
    terminal.press("\x03");
    terminal.expect("heard").type_line("end");
    terminal.finish().0.succeeds().screen_has("\r\nx.\r\n");
}

#[test]
fn what_takes_a_person_is_asked_before_anything_is_served() {
    let case = Case::with_prod();
    for words in [&["serve", "prod"][..], &["exec", "--server", "prod", "--", "echo", "started"]] {
        let told = "`prod` needs an MFA code and there is no terminal to ask on";
        case.run(words).refuses(8, told);
    }
    let code = case.phone.code();
    let mut terminal = case.vault(&["exec", "--server", "prod", "--", "echo", "started"]).on_terminal();
    terminal.expect("MFA code for prod").type_line(&code);
    terminal.finish().0.succeeds().screen_has("started");
}

#[test]
fn what_default_gives_would_win_over_an_endpoint_and_is_refused_before_a_code_is_spent() {
    let session =
        "[other]\nregion = x\n[default]\naws_access_key_id = ASIAXXXXXXXXXXXXXXXX\naws_secret_access_key = s\n";
    let hint = "leave out `--server`: the environment comes first; or give `[default]` another name";
    let told = |line: u32, file: &str| {
        format!("AWS tools take what `[default]` gives before they ask an endpoint: line {line} of {file}")
    };
    let exec = ["exec", "--server", "prod", "--", "true"];
    let case = Case::with_prod();
    case.write(&case.credentials(), 0o600, session);
    let path = case.credentials().display().to_string();
    case.run(&exec).exits(1).stdout("").stderr(&error_and_hint(&told(3, &path), hint));
    // Who reads the variables of `serve` may be a container, with files of its own.
    case.run(&["serve", "prod"]).exits(8).stderr_has(&warning(&told(3, &path)));
    let for_containers = case.run(&["serve", "prod", "--for-containers"]);
    assert!(!for_containers.exits(8).err.contains("[default]"), "{}", for_containers.err);
    case.write(&case.credentials(), 0o600, "[prod]\nregion = x\n");
    for key in ["role_arn", "sso_session", "credential_process"] {
        case.write(&case.config(), 0o600, format!("[default]\nregion = eu-west-1\n{key} = x\n"));
        let path = case.config().display().to_string();
        case.run(&exec).exits(1).stdout("").stderr(&error_and_hint(&told(3, &path), hint));
    }
    let keys = "region = eu-west-1\naws_access_key_id = ASIAXXXXXXXXXXXXXXXX\naws_secret_access_key = s\n";
    for header in ["[default]", "[profile default]"] {
        case.write(&case.config(), 0o600, format!("[profile prod]\n{header}\n{keys}"));
        let path = case.config().display().to_string();
        case.run(&exec).exits(1).stdout("").stderr(&error_and_hint(&told(2, &path), hint));
    }
    case.write(&case.config(), 0o600, "[default]\nregion = eu-west-1\n");
    case.vault(&[&exec[..3], &["--mfa-code", &case.phone.code(), "--", "true"]].concat()).run().succeeds();
}

#[test]
fn a_protected_session_is_served_to_one_command_and_to_nobody_else() {
    let case = Case::with_session();
    case.run(&["set", "prod", "protected=true"]).succeeds();
    case.run(&["serve", "prod"]).refuses(1, "`prod` is protected: its session is for `vault exec` alone");
    let (_shell, endpoint) = served(&case);
    endpoint.get().key_id();
}

#[test]
fn every_refusal_of_the_endpoint_says_why() {
    let case = Case::with_session();
    let (_shell, endpoint) = served(&case);
    let own = endpoint.request();
    let refused = |request: String, status: u16, code: &str| {
        let reply = endpoint.send(&request).unwrap_or_else(|| panic!("no reply to {request}"));
        reply.refused(status, code);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{request}");
    };
    for host in ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "169.254.170.2"] {
        refused(own.replace(&format!("Host: {}", endpoint.host), &format!("Host: {host}")), 403, "ForeignHost");
    }
    refused(own.replace(&format!("Host: {}\r\n", endpoint.host), ""), 403, "ForeignHost");
    for header in ["Origin: http://127.0.0.1", "Origin: null", "Referer: http://x/", "Sec-Fetch-Site: none"] {
        refused(endpoint.request_with(header), 403, "FromAPage");
    }
    for header in ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: x", "Forwarded: for=x", "Via: 1.1 x"] {
        refused(endpoint.request_with(header), 403, "FromAProxy");
    }
    let token = format!("Authorization: {}", endpoint.token);
    refused(own.replace(&format!("{token}\r\n"), ""), 401, "WrongToken");
    refused(own.replace(&token, "Authorization: x"), 401, "WrongToken");
    refused(own.replace(&token, &format!("Authorization: Bearer {}", endpoint.token)), 401, "WrongToken");
    refused(own.replace(&token, &format!("{token}\r\n{token}")), 401, "WrongToken");
    refused(own.replace(&endpoint.path, "/"), 404, "NoSuchPath");
    refused(own.replace(&endpoint.path, &format!("{}?x", endpoint.path)), 404, "NoSuchPath");
    refused(own.replace(&endpoint.path, &format!("http://{}{}", endpoint.host, endpoint.path)), 404, "NoSuchPath");
    refused(own.replace("GET", "POST"), 405, "MethodNotAllowed");
    refused(endpoint.request_with("Content-Length: 2") + "{}", 413, "BodyNotAllowed");
    refused(endpoint.request_with("Transfer-Encoding: chunked") + "0\r\n\r\n", 413, "BodyNotAllowed");
    endpoint.get().key_id();
}

#[test]
fn a_huge_head_is_refused_and_a_slow_one_keeps_nobody_else_waiting() {
    let case = Case::with_session();
    let (_shell, endpoint) = served(&case);
    for huge in [format!("X: {}", "x".repeat(64 * 1024)), "X: x\r\n".repeat(100) + "X: x"] {
        let reply = endpoint.send(&endpoint.request_with(&huge));
        assert!(reply.is_none_or(|reply| reply.status == 431), "it was read");
    }
    // More than are served at once, and each has said the half of it.
    let half = endpoint.request();
    let half = &half.as_bytes()[..half.len() - 4];
    let mut slow: Vec<_> = std::iter::repeat_with(|| endpoint.connect()).take(300).collect();
    slow.iter_mut().for_each(|slow| slow.write_all(half).unwrap_or_default());
    endpoint.get().key_id();
    // Left alone, and without a word.
    let mut last = slow.pop().unwrap();
    assert!(Reply::read(&mut last).is_none_or(|reply| reply.status == 408));
}

#[test]
fn what_a_client_says_after_its_request_is_not_answered() {
    let case = Case::with_session();
    let (_shell, endpoint) = served(&case);
    let twice = endpoint.send(&endpoint.request().repeat(2)).unwrap();
    assert_eq!(twice.body.matches("AccessKeyId").count(), 1);
    assert_eq!(twice.header("connection"), Some("close"));
}

#[test]
fn a_server_for_containers_answers_to_the_address_where_they_look() {
    let case = Case::with_session();
    let mut server = case.vault(&["serve", "prod", "--for-containers", "--shell", "dotenv"]).converse();
    let (url, token) = (server.hear(), server.hear());
    let endpoint = Endpoint::new(said(&url), said(&token));
    let relayed = endpoint.request().replace(&format!("Host: {}", endpoint.host), "Host: 169.254.170.2");
    endpoint.send(&relayed).unwrap().key_id();
    endpoint.get().key_id();
    signal(server.id(), Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
}

/// An agent holds the vault, and a shell is served by it alone.
fn unlocked() -> WithAgent {
    let case = WithAgent::of(Case::with_session());
    case.by_passphrase(&["unlock"]).run().succeeds();
    case
}

#[test]
fn lock_makes_servers_forget_and_they_go_on_once_it_is_unlocked() {
    let case = unlocked();
    let (_shell, endpoint) = served_by(case.by_agent(&["exec", "--server", "prod", "--", "sh"]).converse());
    let id = endpoint.get().key_id();
    case.run(&["lock"]).succeeds().stderr("locked\n");
    for _ in 0..3 {
        let why = endpoint.get().refused(503, "Locked");
        assert!(why.contains("the vault is locked"), "{why}");
    }
    case.by_passphrase(&["unlock"]).run().succeeds();
    assert_eq!(endpoint.get().key_id(), id);
    case.run(&["lock"]).succeeds();
    endpoint.get().refused(503, "Locked");
}

#[test]
fn an_agent_that_ends_takes_what_was_served_along() {
    let case = unlocked();
    let (_shell, endpoint) = served_by(case.by_agent(&["exec", "--server", "prod", "--", "sh"]).converse());
    endpoint.get().key_id();
    signal(case.pid(), Signal::KILL);
    // Whoever asks first may be quicker than the news, and with it goes what is on its way.
    let mut replies = std::iter::repeat_with(|| endpoint.send(&endpoint.request())).take(1000).flatten();
    let reply = replies.find(|reply| reply.status != 200).expect("it is served on");
    reply.refused(503, "Locked");
}

#[test]
fn lock_reaches_servers_that_asked_no_agent() {
    let case = Case::with_session();
    let passphrase = case.give("once", crate::program::PASSPHRASE);
    let words = ["exec", "--server", "prod", "--passphrase-command"];
    let command = format!("cat {}", passphrase.display());
    let exec = case.vault(&[&words[..], &[&*command, "--", "sh"]].concat()).asking();
    let (_shell, endpoint) = served_by(exec.converse());
    endpoint.get().key_id();
    std::fs::remove_file(passphrase).unwrap();
    case.run(&["lock"]).succeeds().stderr("no agent is running; what was served is forgotten\n");
    let why = endpoint.get().refused(503, "Locked");
    assert!(why.contains("--passphrase-command"), "{why}");
    case.run(&["lock"]).succeeds().stderr(NOTHING_SERVED);
}

#[test]
fn servers_and_prompts_that_were_stopped_hear_of_a_lock_all_the_same() {
    let case = Case::with_session();
    let (shell, _endpoint) = served(&case);
    let mut prompt = case.vault(&["reveal", "prod"]).on_terminal();
    prompt.expect("to go on: ");
    signal(shell.id(), Signal::STOP);
    signal(prompt.id(), Signal::STOP);
    case.run(&["lock"]).succeeds().stderr("no agent is running; what was served is forgotten\n");
    prompt.finish().0.dies_of(Signal::TERM);
}

#[test]
fn a_server_shows_that_it_holds_a_session_and_leaves_nothing_behind() {
    let case = Case::with_session();
    let (shell, endpoint) = served(&case);
    endpoint.get().key_id();
    let servers = case.home().join(".local/state/vault/servers");
    let lock = servers.join(format!("{}.lock", shell.id()));
    assert!(lock.exists(), "it does not show what it holds");
    let goes_on = "goes on handing out what it has; `vault lock` ends that\n";
    case.run(&["logout", "prod"]).succeeds().stderr_has(goes_on);
    drop(shell);
    assert!(!lock.exists(), "it left something");
    let nobody = case.run(&["logout", "--all"]);
    assert!(!nobody.succeeds().err.contains(goes_on), "{}", nobody.err);
}

#[test]
fn fifty_clients_at_once_are_all_answered() {
    let case = Case::with_session();
    let (_shell, endpoint) = served(&case);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let endpoint = endpoint.clone();
            std::thread::spawn(move || endpoint.get().key_id())
        })
        .collect();
    let id = get(&case, "aws_access_key_id");
    assert!(clients.into_iter().all(|client| client.join().unwrap() == id));
}

#[test]
fn the_token_stands_in_no_command_line() {
    let case = Case::with_session();
    let (shell, endpoint) = served(&case);
    let line = std::fs::read(format!("/proc/{}/cmdline", shell.id())).unwrap();
    assert!(!String::from_utf8(line).unwrap().contains(&endpoint.token));
    let (_other, another) = served(&case);
    assert_ne!(endpoint.token, another.token);
    another.send(&another.request().replace(&another.token, &endpoint.token)).unwrap().refused(401, "WrongToken");
}

#[test]
fn a_role_is_served_as_it_is_signed_in() {
    let case = Case::with_session();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let (_shell, endpoint) = served_by(case.vault(&["exec", "--server", "admin", "--", "sh"]).converse());
    let session = case.sim.session(&endpoint.get().key_id()).unwrap();
    assert!(session.arn.contains(":assumed-role/admin/"), "{}", session.arn);
}
