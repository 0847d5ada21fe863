//! The pages for strangers keep their word: every test, file, command and link that they name is there.
//!
//! On them a code span such as `commands::add::sources::a_key_can_come_from_the_environment` is a test, as `cargo test --test it --`
//! takes it; one after `--ignored` is one of those that have to be asked for, and one after `--lib` is one of the library's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::files_below;

const PAPERS: [&str; 3] = ["SECURITY.md", "CONTRIBUTING.md", LEDGER];
const LEDGER: &str = "tests/incumbents.md";
/// Pages of which only the links are followed.
const OTHERS: [&str; 3] = ["README.md", "vault-format.md", "tests/vectors/v1/README.md"];

/// What of the repository's root has files that a page may name.
const FOLDERS: [&str; 7] = [".ci", "benches", "examples", "fuzz", "proptest-regressions", "src", "tests"];

#[test]
fn every_test_file_and_command_that_a_page_names_is_there() {
    let tests = Tests::collect();
    let mut wrong = Vec::new();
    for paper in PAPERS {
        let text = fs::read_to_string(paper).unwrap();
        let codes = codes(&text);
        assert!(codes.iter().any(|code| Named::parse(code).is_some()), "{paper} names no test");
        wrong.extend(codes.iter().filter_map(|code| tests.wrong(code)).map(|told| format!("{paper}: {told}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let pages = PAPERS.iter().chain(&OTHERS);
    let wrong: Vec<String> = pages.flat_map(|page| broken_links(page, &fs::read_to_string(page).unwrap())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_promise_has_tests_and_every_known_failure_its_source_too() {
    let tested = |row: &str| codes(row).iter().any(|code| Named::parse(code).is_some());
    let security = fs::read_to_string("SECURITY.md").unwrap();
    for number in 1..=8 {
        let row = security.lines().find(|line| line.starts_with(&format!("| {number} |")));
        assert!(row.is_some_and(tested), "promise {number}");
    }
    let ledger = fs::read_to_string(LEDGER).unwrap();
    let rows: Vec<&str> =
        ledger.lines().filter(|line| line.starts_with("| ")).filter(|line| !is_header(line)).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        assert!(row.contains("](https://"), "no source: {row}");
        assert!(tested(row), "no test: {row}");
    }
}

/// A table's first line in the ledger.
fn is_header(line: &str) -> bool {
    line.starts_with("| tool |")
}

/// The names of all tests.
struct Tests {
    /// Those of this binary that are run unless told otherwise.
    usual: BTreeSet<String>,
    ignored: BTreeSet<String>,
    lib: BTreeSet<String>,
}

/// A test that a page names.
enum Named<'a> {
    Usual(&'a str),
    Ignored(&'a str),
    Lib(&'a str),
}

impl<'a> Named<'a> {
    fn parse(code: &'a str) -> Option<Self> {
        let (named, path): (fn(&'a str) -> Self, _) = match code.split_once(' ') {
            None => (Self::Usual, code),
            Some(("--ignored", path)) => (Self::Ignored, path),
            Some(("--lib", path)) => (Self::Lib, path),
            Some(_) => return None,
        };
        let is_name = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        (path.contains("::") && path.split("::").all(is_name)).then(|| named(path))
    }
}

impl Tests {
    fn collect() -> Self {
        let ignored = listed(&["--ignored"]);
        let usual: BTreeSet<String> = listed(&[]).difference(&ignored).cloned().collect();
        let lib = files_below(Path::new("src")).iter().flat_map(|path| tests_in(path)).collect();
        let all = Self { usual, ignored, lib };
        assert!(all.usual.len() > 500 && all.ignored.len() > 50 && all.lib.len() > 500, "the tests were not found");
        all
    }

    /// Why what stands in a code span or a line of a code block does not hold.
    fn wrong(&self, code: &str) -> Option<String> {
        let missing = match Named::parse(code) {
            Some(Named::Usual(name)) => !self.usual.contains(name),
            Some(Named::Ignored(name)) => !self.ignored.contains(name),
            Some(Named::Lib(name)) => !self.lib.contains(name),
            None => match code.find("cargo ") {
                Some(at) => return self.wrong_command(&code[at..]),
                None => !path_stands(code),
            },
        };
        missing.then(|| format!("`{code}` is not there"))
    }

    fn wrong_command(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split_whitespace().take_while(|word| *word != "#").collect();
        let sets = if words.contains(&"--lib") { vec![&self.lib] } else { vec![&self.usual, &self.ignored] };
        let finds = |filter: &&str| sets.iter().copied().flatten().any(|name| name.contains(*filter));
        let mut missing = !words.iter().filter(|word| word.contains("::")).all(finds);
        for pair in words.windows(2).filter(|pair| !is_placeholder(pair[1])) {
            missing |= !match pair[0] {
                "--example" => Path::new("examples").join(pair[1]).with_extension("rs").is_file(),
                "--bench" => is_target("benches", pair[1]),
                "--test" => is_target("tests", pair[1]),
                "--package" => ["vault", "aws-sim"].contains(&pair[1]),
                "run" if words.get(1) == Some(&"fuzz") => is_target("fuzz/fuzz_targets", pair[1]),
                _ => true,
            };
        }
        missing.then(|| format!("`{command}` has nothing to run"))
    }
}

fn is_target(folder: &str, name: &str) -> bool {
    let path = Path::new(folder).join(name);
    path.with_extension("rs").is_file() || path.join("main.rs").is_file()
}

fn is_placeholder(word: &str) -> bool {
    word.contains("NAME")
}

/// What names a file or folder of the repository is one; other words are none of our business. Of what the reader is to make
/// (`src/cli/NAME.rs`) the folder is there.
fn path_stands(code: &str) -> bool {
    let first = code.split('/').next().unwrap_or_default();
    let inner = code.contains('/') && FOLDERS.contains(&first);
    let named = !code.contains(['/', ' ', '*']) && (code.ends_with(".md") || code.ends_with(".rs"));
    let known = code.split('/').take_while(|part| !is_placeholder(part));
    !(inner || named) || known.collect::<PathBuf>().exists() || is_placeholder(first)
}

fn listed(flags: &[&str]) -> BTreeSet<String> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--list", "--format", "terse"]).args(flags).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// A source's tests, as the library's test binary calls them.
fn tests_in(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap();
    let module = source.strip_prefix("src").unwrap().with_extension("");
    let mut path: Vec<&str> = module.iter().map(|part| part.to_str().unwrap()).collect();
    if !path.contains(&"tests") {
        path.push("tests");
    }
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let marked = lines.split(|line| *line == "#[test]").skip(1);
    let functions = marked.filter_map(|after| after.iter().find_map(|line| line.strip_prefix("fn ")));
    let names = functions.filter_map(|function| function.split_once('(')).map(|(name, _)| name);
    names.map(|name| format!("{}::{name}", path.join("::"))).collect()
}

/// Code spans, and the lines of code blocks.
fn codes(text: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            codes.push(line.trim());
        } else {
            codes.extend(line.split('`').skip(1).step_by(2));
        }
    }
    codes
}

fn broken_links(page: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for target in links(text) {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = match file {
            "" => PathBuf::from(page),
            file => Path::new(page).with_file_name(file),
        };
        let heading_stands =
            || fs::read_to_string(&path).is_ok_and(|text| anchors(&text).iter().any(|it| it == anchor));
        if !path.exists() || !anchor.is_empty() && !heading_stands() {
            wrong.push(format!("{page}: ({target}) leads nowhere"));
        }
    }
    wrong
}

/// Where links lead within the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// A page's headings, as links to them are written.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let stays = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|line| line.to_lowercase().chars().filter(stays).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn what_a_page_names_and_is_not_there_is_found() {
    let tests = Tests::collect();
    let stands = [
        "papers::every_link_of_a_page_leads_somewhere",
        "--lib server::token::tests::only_the_whole_token_is_it",
        "--ignored judges::interchange::rage_opens_a_vault_with_either_key",
        "cargo test --test it -- papers::",
        "cargo fuzz run console_csv",
        "src/cli/NAME.rs",
        ".ci/run",
        "vault rotate --resume",
    ];
    let wrong = [
        "papers::every_link_of_a_page_leads_nowhere",
        "judges::interchange::rage_opens_a_vault_with_either_key",
        "--ignored papers::every_link_of_a_page_leads_somewhere",
        "--lib server::token::only_the_whole_token_is_it",
        "cargo test --lib papers::",
        "cargo bench --bench none",
        "src/clip/NAME.rs",
        "src/none.rs",
        "NONE.md",
    ];
    assert_eq!(stands.map(|code| tests.wrong(code)), [const { None }; 8]);
    assert!(wrong.iter().all(|code| tests.wrong(code).is_some()));
    let page =
        "[a](#what-it-is) [b](SECURITY.md) [c](https://example.org/x#y) [d](#none) [e](none.md)\n## What `it` is\n";
    assert_eq!(links(page), ["#what-it-is", "SECURITY.md", "#none", "none.md"]);
    assert_eq!(anchors(page), ["what-it-is"]);
    let wrong = broken_links("README.md", "[a](#licence) [b](#none) [c](src) [d](none.md)");
    assert_eq!(wrong, ["README.md: (#none) leads nowhere", "README.md: (none.md) leads nowhere"]);
}
