//! Shells complete by what `vault completions` prints, and readers of man pages take ours.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{PROGRAM, judge};
use crate::program::{Case, Invocation};

const LINES: [(&str, &str); 4] = [
    ("vault rot", "rotate"),
    ("vault keys disab", "disable"),
    ("vault login --no-exp", "--no-export"),
    ("vault env --shell powers", "powershell"),
];

struct Shell {
    case: Case,
    script: PathBuf,
}

impl Shell {
    fn new(name: &str) -> Self {
        let case = Case::new();
        symlink(PROGRAM, case.given("vault")).unwrap();
        let script = case.run(&["completions", name]).succeeds().out.clone();
        let script = case.give("script", script);
        Self { case, script }
    }

    fn run(&self, program: &str, words: &[&str]) -> Invocation<'_> {
        let path = format!("{}:/usr/bin:/bin", self.case.given("").display());
        self.case.command(judge(program), words).variable("PATH", path)
    }
}

#[test]
#[ignore = "needs fish"]
fn fish_completes() {
    let shell = Shell::new("fish");
    for (line, expected) in LINES {
        let script = format!("source {}; complete --do-complete '{line}'", shell.script.display());
        let run = shell.run("fish", &["--no-config", "-c", &script]).run();
        let found: Vec<&str> =
            run.succeeds().stderr("").out.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert!(found.contains(&expected), "{line}: {found:?}");
    }
}

/// A press of Tab finishes the word.
#[test]
#[ignore = "needs zsh"]
fn zsh_completes() {
    let shell = Shell::new("zsh");
    // What is run in the end is told by a function in the program's place.
    let start = format!(
        "PS1='ready> '; autoload -U compinit; compinit -u -D; source {}; vault() {{ print -r -- got: $* }}",
        shell.script.display()
    );
    let mut zsh = shell.run("zsh", &["-f"]).on_terminal();
    zsh.type_line(&start).expect("\x1b[Jready> ");
    for (line, expected) in LINES {
        let words = line.strip_prefix("vault ").unwrap();
        let whole = format!("{}{expected}", &words[..words.rfind(' ').map_or(0, |blank| blank + 1)]);
        zsh.press(&format!("{line}\t\n")).expect(&format!("got: {whole}\r\n"));
    }
    zsh.type_line("exit");
    zsh.finish().0.succeeds();
}

#[test]
#[ignore = "needs nushell"]
fn nushell_completes() {
    let shell = Shell::new("nushell");
    let script = std::fs::read_to_string(&shell.script).unwrap();
    for (line, expected) in LINES {
        let text = format!("{script}\n{line}");
        let file = shell.case.give("line.nu", &text);
        let at = text.len().to_string();
        let run = shell.run("nu", &["--no-config-file", "--ide-complete", &at, file.to_str().unwrap()]).run();
        let found: serde_json::Value = serde_json::from_str(&run.succeeds().out).unwrap();
        let found = found["completions"].to_string();
        assert!(found.contains(expected), "{line}: {found}");
    }
}

#[test]
#[ignore = "needs groff"]
fn man_pages_of_all_commands_are_read_without_a_complaint() {
    let case = Case::new();
    let folder = case.given("man");
    std::fs::create_dir(&folder).unwrap();
    // As examples/man.rs does.
    clap_mangen::generate_to(vault::cli::described().long_version(None), &folder).unwrap();
    let mut pages: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    for page in ["vault.1", "vault-login.1", "vault-keys-disable.1", "vault-log.1"] {
        assert!(pages.contains(&page.to_owned()), "{page}: {pages:?}");
    }
    for page in pages {
        let path = folder.join(&page);
        let run = case.command(judge("groff"), &["-man", "-Tutf8", "-ww", "-z", path.to_str().unwrap()]).run();
        run.succeeds().stdout("").stderr("");
    }
}
