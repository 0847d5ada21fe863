//! Shells have the session after the README's line for them, byte for byte as JSON has it, and no more of it after the same
//! line with `--unset`; readers of dotenv files read them alike.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use vault::credentials::SessionCredentials;
use vault::export::environment::Variables;
use vault::export::shell::{Shell, render};
use vault::secret::{SecretAccessKey, SessionToken};

use super::{PROGRAM, judge};
use crate::program::{Case, Invocation, Output};

type Environment = BTreeMap<String, String>;

/// How the README and `--shell` call it, its program, and what stands before the script.
struct Judge {
    name: &'static str,
    shell: Shell,
    program: &'static str,
    options: &'static [&'static str],
    /// Reads a file as the README's line reads what `env` prints.
    read: &'static [&'static str],
}

const POSIX: &[&str] = &["eval \"$(cat \"$FILE\")\""];

const JUDGES: [Judge; 5] = [
    Judge { name: "sh", shell: Shell::Sh, program: "dash", options: &["-euc"], read: POSIX },
    Judge { name: "sh", shell: Shell::Sh, program: "bash", options: &["--norc", "-euc"], read: POSIX },
    Judge { name: "sh", shell: Shell::Sh, program: "zsh", options: &["-f", "-euc"], read: POSIX },
    Judge {
        name: "fish",
        shell: Shell::Fish,
        program: "fish",
        options: &["--no-config", "-c"],
        read: &["cat $FILE | source", "eval (cat $FILE)"],
    },
    Judge {
        name: "nushell",
        shell: Shell::Nushell,
        program: "nu",
        options: &["--no-config-file", "-c"],
        read: &["^cat $env.FILE | from json | load-env"],
    },
];

impl Judge {
    fn run<'a>(&self, case: &'a Case, script: &str) -> Invocation<'a> {
        let words: Vec<&str> = self.options.iter().copied().chain([script]).collect();
        case.command(judge(self.program), &words)
            .variable("PATH", format!("{}:/usr/bin:/bin", case.given("").display()))
            .variable("VAULT_IDENTITY", case.given("recovery.txt"))
    }
}

/// What a program has that a shell starts after such a line.
fn environment(output: &Output) -> Environment {
    let entries = output.succeeds().stderr("").out.split_terminator('\0').map(|entry| entry.split_once('=').unwrap());
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The README's line for this shell.
fn line_of(name: &str) -> String {
    let readme = fs::read_to_string("README.md").unwrap();
    let lines = readme.split("```text\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines());
    let mut found = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.next().unwrap_or_else(|| panic!("no line for {name}")).trim().to_owned()
}

/// With a session whose token is made of all that AWS's answer may hold, and the program on PATH as `vault`.
fn signed_in(token: &str) -> Case {
    let case = Case::with_prod();
    case.sim.set_session_token(token);
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    symlink(PROGRAM, case.given("vault")).unwrap();
    case
}

fn by_json(case: &Case) -> (Environment, Vec<String>) {
    let output = case.run(&["env", "prod", "--shell", "json", "--legacy-token"]);
    let mut document: serde_json::Value = serde_json::from_str(&output.succeeds().out).unwrap();
    let set = serde_json::from_value(document["set"].take()).unwrap();
    (set, serde_json::from_value(document["unset"].take()).unwrap())
}

#[test]
#[ignore = "needs dash, bash, zsh, fish and nushell"]
fn each_shell_has_the_session_after_its_line_of_the_readme_and_not_after_that_with_unset() {
    let case = signed_in("\"'\\'\\\\$(exit,9)`exit`${HOME}$HOME%PATH%!!^&|;<>()*?[a]{b,c}~#=r#\"\\n\\");
    let (session, unset) = by_json(&case);
    for judge in &JUDGES {
        let line = line_of(judge.name).replace("env prod", "env prod --legacy-token");
        let mut before = judge.run(&case, "env -0");
        let mut after = judge.run(&case, &format!("{line}\nenv -0"));
        let back = line.replace("env prod --legacy-token", "env --unset");
        let mut taken_back = judge.run(&case, &format!("{line}\n{back}\nenv -0"));
        for name in unset.iter().filter(|name| !name.starts_with("VAULT_")) {
            before = before.variable(name, "stale");
            after = after.variable(name, "stale");
            taken_back = taken_back.variable(name, "stale");
        }
        let mut expected = environment(&before.run());
        expected.retain(|name, _| !unset.contains(name));
        assert_eq!(environment(&taken_back.run()), expected, "{}", judge.program);
        expected.extend(session.clone());
        assert_eq!(environment(&after.run()), expected, "{}", judge.program);
    }
}

/// What AWS's answer may not hold, and what else a value can be made of.
const WILD: [&str; 18] = [
    "'",
    "''\\''",
    "\\",
    "\\\\'\\",
    "two\nlines",
    "ends in lines\n\n",
    "\nbegins with one",
    "\r\n\t\u{1}\u{8}\u{1b}[31m\u{7f}",
    "'; exit 9; '",
    "'\n; exit 9 #",
    "$(exit 9)`exit 9`${HOME:?}$HOME%PATH%",
    "!! !$ ^a^b^ & | < > ( ) { } * ? [a-z] ~ # = @",
    "-e -n --flag",
    " blanks  on both  sides ",
    "r#'raw'# \"quoted\" ''twice''",
    "😀 é ‘typographic’ “quotes”",
    "\u{202e}right to left\u{2066} שלום مرحبا",
    "\u{200b}\u{feff}\u{2028}\u{85}",
];

#[test]
#[ignore = "needs dash, bash, zsh, fish and nushell"]
fn each_shell_has_a_value_byte_for_byte_whatever_it_holds() {
    let case = Case::with_vault();
    for value in WILD.into_iter().map(str::to_owned).chain(["x".repeat(20_000)]) {
        let session = SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new(value.clone()),
            session_token: SessionToken::new(value.clone()),
            expiration: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        let variables = Variables::of_session(&session, None, &"prod".parse().unwrap());
        for judge in &JUDGES {
            let text = case.give("text", render(judge.shell, &variables).unwrap().as_bytes());
            for read in judge.read {
                let run = judge.run(&case, &format!("{read}\nenv -0")).variable("FILE", &text);
                let found = environment(&run.variable("AWS_PROFILE", "stale").run());
                for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
                    assert_eq!(found[name], value, "{}: {read}", judge.program);
                }
                assert_eq!(found.get("AWS_PROFILE"), None, "{}: {read}", judge.program);
            }
        }
    }
}

/// It belongs to all of the person's shells, and to those still to come. Without its configuration fish has none.
#[test]
#[ignore = "needs fish"]
fn a_universal_variable_of_fish_is_told_of_and_stays() {
    let case = signed_in("FwoGZXIvYXdzE/Ab+c==");
    let script = format!(
        "set -Ux AWS_PROFILE other; {}; echo $AWS_VAULT; set -eg AWS_PROFILE; echo $AWS_PROFILE",
        line_of("fish")
    );
    let fish = Judge { options: &["-c"], ..JUDGES[3] };
    let told = "vault: warning: AWS_PROFILE is set for every shell, and stays; set -eU AWS_PROFILE erases it\n";
    fish.run(&case, &script).run().succeeds().stdout("prod\nother\n").stderr(told);
}

const PYTHON: &str = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";

#[test]
#[ignore = "needs dotenv of npm and of PyPI"]
fn readers_of_dotenv_files_read_the_session_alike() {
    let case = signed_in("FwoGZXIvYXdzE/Ab+c=,-_.@:==");
    let (session, _) = by_json(&case);
    let text = case.run(&["env", "prod", "--legacy-token", "--shell", "dotenv"]).succeeds().out.clone();
    let file = case.give("prod.env", text);
    let path = file.to_str().unwrap();
    let in_javascript = case.command(judge("node"), &[judge("dotenv.mjs").to_str().unwrap(), path]).run();
    let in_python = case.command(judge("python3"), &["-c", PYTHON, path]).run();
    for output in [in_javascript, in_python] {
        assert_eq!(serde_json::from_str::<Environment>(&output.succeeds().out).unwrap(), session);
    }
    // A shell that exports what it sets, and node by itself.
    let shell = case.command("sh", &["-c", "set -a; . \"$0\"; env -0", path]).run();
    let print =
        "process.stdout.write(Object.entries(process.env).map(([name, value]) => `${name}=${value}\\0`).join(''))";
    let node = case.command(judge("node"), &[&format!("--env-file={path}"), "-e", print]).run();
    for output in [shell, node] {
        let found = environment(&output);
        assert!(session.iter().all(|(name, value)| found.get(name) == Some(value)), "{found:?}");
    }
}
