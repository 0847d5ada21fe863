//! The order of the house, read from the sources: which room may use which, and what may be done in one place only.
//!
//! The rooms and their levels are the lines of the module map in `src/lib.rs`: `pub mod disk; // 1: ...`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

#[test]
fn a_room_uses_only_rooms_of_lower_levels() {
    let levels = levels(&std::fs::read_to_string("src/lib.rs").unwrap());
    let mut wrong = Vec::new();
    let mut first_level: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let level = *levels.get(&room).unwrap_or_else(|| panic!("`{room}` stands without a level in src/lib.rs"));
        for (line, used) in rooms_used(&source.code, &levels) {
            if used == room || levels[&used] < level {
                continue;
            }
            // The first level has nothing below it: its rooms may use each other, as long as they don't go in circles.
            if level == 1 && levels[&used] == 1 {
                first_level.entry(room.clone()).or_default().push(used);
            } else {
                wrong.push(format!("{}:{line}: {room} [{level}] uses {used} [{}]", source, levels[&used]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if let Some(circle) = circle(&first_level) {
        panic!("rooms of the first level use each other in a circle: {}", circle.join(" -> "));
    }
}

/// `README.md`, "How it is built": a row names rooms and their level.
#[test]
fn the_readme_has_every_room_on_its_level() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let table = readme.split_once("\n| room | level |").unwrap().1.split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?, cells.next()?.parse::<u32>().ok()?))
    });
    let names = |cell: &str| cell.split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>();
    let told: Vec<(String, u32)> =
        rows.flat_map(|(cell, level)| names(cell).into_iter().map(move |name| (name, level))).collect();
    let mut sorted = told.clone();
    sorted.sort();
    let rooms: Vec<(String, u32)> = levels(&std::fs::read_to_string("src/lib.rs").unwrap()).into_iter().collect();
    assert_eq!(sorted, rooms);
    assert!(told.is_sorted_by_key(|(_, level)| *level), "not the lowest first: {told:?}");
}

/// A piece of text that belongs in one place, with the places where it is and why.
struct Rule {
    what: &'static [&'static str],
    places: &'static [(&'static str, &'static str)],
}

const RULES: &[Rule] = &[
    Rule { what: &["unsafe"], places: &[("src/process", "calls that rustix has no safe wrapper for")] },
    Rule {
        what: &["std::fs"],
        places: &[
            ("src/disk/", "the disk itself"),
            ("src/process", "descriptors, and what the system tells of programs"),
            ("src/memory.rs", "what the kernel tells of memory"),
            ("src/cli/terminal.rs", "the terminal device"),
        ],
    },
    Rule {
        what: &["println!", "eprintln!", "print!", "eprint!", "dbg!", "anstream::"],
        places: &[("src/cli/report.rs", "the one voice"), ("src/cli.rs", "hands the streams to the commands")],
    },
    Rule {
        what: &["stdout()", "stderr()"],
        places: &[
            ("src/cli/report.rs", "the one voice"),
            ("src/cli.rs", "hands the streams to the commands"),
            ("src/cli/world.rs", "what the commands print on"),
            ("src/cli/rotate/progress.rs", "how wide the terminal is"),
            ("src/quick.rs", "a session, and that `vault` is not beside it"),
            ("src/agent/daemon.rs", "one line for the program that started it"),
        ],
    },
    Rule { what: &[".unwrap()", "todo!", "unimplemented!", "super::super"], places: &[] },
];

#[test]
fn what_belongs_in_one_place_is_in_no_other() {
    let sources = sources();
    let wrong: Vec<String> = RULES.iter().flat_map(|rule| broken(rule, &sources)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn broken(rule: &Rule, sources: &[Source]) -> Vec<String> {
    let allowed = |source: &Source| rule.places.iter().any(|(place, _)| source.to_string().starts_with(place));
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| !allowed(source)) {
        for (number, line) in (1..).zip(source.code.lines()) {
            for what in rule.what.iter().filter(|what| has_word(line, what)) {
                wrong.push(format!("{source}:{number}: `{what}` does not belong here: {}", line.trim()));
            }
        }
    }
    wrong
}

/// `text` not as the middle of a longer word: `unsafe` is not in `unsafe_code`.
fn has_word(line: &str, text: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(text).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(|c| in_word(c) && text.starts_with(in_word));
        let after = line[at + text.len()..].chars().next().is_some_and(|c| in_word(c) && text.ends_with(in_word));
        !before && !after
    })
}

struct Source {
    path: PathBuf,
    /// Without comments and without its tests, line numbers as they were.
    code: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

impl Source {
    /// The top-level module it belongs to; none for lib.rs and the programs' own files, which stand above all.
    fn room(&self) -> Option<String> {
        let first = self.path.strip_prefix("src").ok()?.iter().next()?;
        let room = Path::new(first).file_stem()?.to_str()?.to_owned();
        (!["lib", "main", "bin"].contains(&&*room)).then_some(room)
    }
}

fn sources() -> Vec<Source> {
    let mut texts = BTreeMap::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.insert(path.clone(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let only_tests: Vec<PathBuf> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    texts.retain(|path, _| !only_tests.iter().any(|module| belongs_to(path, module)));
    assert!(texts.len() > 10, "the sources were not found");
    texts.into_iter().map(|(path, text)| Source { path, code: code_of(&text) }).collect()
}

/// The files that `#[cfg(test)] mod NAME;` brings in.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = if path.ends_with("lib.rs") { PathBuf::from("src") } else { path.with_extension("") };
    let lines: Vec<&str> = text.lines().collect();
    let names = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]").filter_map(|pair| {
        let (_, name) = pair[1].split_once("mod ")?;
        name.split_once(';').map(|(name, _)| name.to_owned())
    });
    names.map(|name| folder.join(name).with_extension("rs")).collect()
}

/// The module's own file, and those of its folder.
fn belongs_to(path: &Path, module: &Path) -> bool {
    path == module || path.starts_with(module.with_extension(""))
}

/// Blanks comments, and everything from a test module on: tests stand last.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{')) {
            break;
        }
        let comment = line.trim_start().starts_with("//").then_some(0).or_else(|| line.find(" // "));
        code.push_str(&line[..comment.unwrap_or(line.len())]);
        code.push('\n');
    }
    code
}

fn levels(map: &str) -> BTreeMap<String, u32> {
    let mut levels = BTreeMap::new();
    for line in map.lines().filter(|line| line.starts_with("mod ") || line.starts_with("pub mod ")) {
        let parsed = line.split_once("mod ").and_then(|(_, rest)| {
            let (room, comment) = rest.split_once("; // ")?;
            Some((room.to_owned(), comment.split_once(':')?.0.parse().ok()?))
        });
        let (room, level) = parsed.unwrap_or_else(|| panic!("a room without its level: {line}"));
        levels.insert(room, level);
    }
    levels
}

/// The rooms that `crate::` paths lead to, also those grouped in braces.
fn rooms_used(code: &str, levels: &BTreeMap<String, u32>) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (at, marker) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + marker.len()..];
        let heads = match rest.strip_prefix('{') {
            Some(group) => heads_of_group(group),
            None => vec![head(rest)],
        };
        used.extend(heads.into_iter().filter(|name| levels.contains_key(*name)).map(|name| (line, name.to_owned())));
    }
    used
}

fn heads_of_group(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut heads = vec![head(group)];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(head(&group[at + 1..])),
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> &str {
    let path = path.trim_start();
    &path[..path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len())]
}

fn circle(uses: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    fn follow(room: &str, uses: &BTreeMap<String, Vec<String>>, path: &mut Vec<String>) -> bool {
        let closed = path.iter().any(|earlier| earlier == room);
        path.push(room.to_owned());
        if closed || uses.get(room).is_some_and(|next| next.iter().any(|next| follow(next, uses, path))) {
            return true;
        }
        path.pop();
        false
    }
    uses.keys().find_map(|room| {
        let mut path = Vec::new();
        follow(room, uses, &mut path).then_some(path)
    })
}

#[test]
fn a_module_for_tests_only_is_known_by_its_declaration() {
    let text = "mod cache;\n#[cfg(test)]\npub(crate) mod fixture; // for tests\n#[cfg(test)]\nmod tests {\n}\n";
    let module = PathBuf::from("src/session/fixture.rs");
    assert_eq!(test_modules(Path::new("src/session.rs"), text), [&*module]);
    assert!(belongs_to(Path::new("src/session/fixture/keys.rs"), &module));
    assert!(!belongs_to(Path::new("src/session/fixtures.rs"), &module));
}

#[test]
fn a_use_of_another_room_is_seen_however_it_is_written() {
    let levels = levels("pub mod disk; // 1: x\npub mod names; // 1: y\nmod cli; // 6: z\n");
    let code = code_of(
        "use crate::{\n    disk::{Disk, Folder},\n    names,\n};\n// crate::cli in words\nfn f() { crate::cli::run() }\n\
         #[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n",
    );
    let used = rooms_used(&code, &levels);
    assert_eq!(used, [(1, "disk".to_owned()), (1, "names".to_owned()), (6, "cli".to_owned())]);
}

#[test]
fn a_rule_that_is_broken_names_the_line() {
    let source = |text| Source { path: "src/x.rs".into(), code: code_of(text) };
    let rule = Rule { what: &["unsafe", ".unwrap()"], places: &[("src/process.rs", "")] };
    let wrong = broken(&rule, &[source("#![deny(unsafe_code)]\n// unsafe in words\nlet x = unsafe { y }.unwrap();\n")]);
    assert_eq!(wrong.len(), 2);
    assert!(wrong[0].starts_with("src/x.rs:3: `unsafe`"), "{}", wrong[0]);
    let allowed = Source { path: "src/process.rs".into(), code: "unsafe {}".to_owned() };
    assert!(broken(&rule, &[allowed]).is_empty());
}

#[test]
fn rooms_in_a_circle_are_seen() {
    let uses = |pairs: &[(&str, &str)]| {
        let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        pairs.iter().for_each(|(room, used)| uses.entry((*room).to_owned()).or_default().push((*used).to_owned()));
        uses
    };
    assert_eq!(circle(&uses(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    assert!(circle(&uses(&[("a", "b"), ("b", "c"), ("c", "a")])).is_some());
}
