//! A credentials file of any kind: an edit changes its own section and is read back, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::aws_files::credentials::{
    ACCESS_KEY_ID, CredentialsFile, EXPIRATION, MARK, SECRET_ACCESS_KEY, SECURITY_TOKEN, SESSION_TOKEN, mark,
};
use vault::aws_files::ini::{Entry, Ini, Section, edit::Edit};
use vault_fuzz::lines::dropped;

const NAME: &str = "p";
const ID: &str = "ASIAIOSFODNN7EXAMPLE";
const OURS: [(&str, &str); 4] = [
    (ACCESS_KEY_ID, ID),
    (SECRET_ACCESS_KEY, "wJalrXUtnFEMI/K7MDENG"),
    (SESSION_TOKEN, "FwoGZXIvYXdzE=="),
    (EXPIRATION, "2026-01-02T03:04:05Z"),
];

fuzz_target!(|bytes: &[u8]| {
    let ini = Ini::parse(bytes);
    let Ok(section) = ini.only(is_ours) else { return };
    let written = match section {
        Some(section) => ini.rewritten(section, &session()),
        None => ini.appended(NAME, &session()),
    };
    if let Ok(written) = written {
        check_written(&ini, section, bytes, &written);
    }
    if let Some(section) = section
        && let Ok(removed) = ini.without(section)
    {
        check_removed(&ini, section, bytes, &removed);
    }
});

fn check_written(ini: &Ini<'_>, section: Option<&Section<'_>>, old: &[u8], new: &[u8]) {
    let values = OURS.map(|(key, value)| format!("{key} = {value}"));
    let (header, mark) = (format!("[{NAME}]"), session().mark.expect("a mark"));
    let ours = values.iter().chain([&header, &mark]).map(String::as_bytes).collect::<Vec<_>>();
    for (number, text) in dropped(old, new, &ours) {
        let section = section.expect("a file that is only added to loses nothing");
        let in_key = owner(section, number).is_some_and(|entry| is_session_key(entry.key()));
        assert!(span(ini, section).contains(&number), "line {number} is somebody else's");
        assert!(in_key || text.trim_ascii().starts_with(MARK.as_bytes()), "line {number} is none of a session's");
    }
    let file = Ini::parse(new);
    let section = file.only(is_ours).expect("one section").expect("the section");
    assert!(OURS.iter().all(|(key, value)| section.entry(key).and_then(Entry::text) == Some(value)));
    assert!(CredentialsFile::parse(new).section(NAME).expect("the section").written_by_us);
    assert_eq!(others(&file), others(ini));
    assert_eq!(*file.rewritten(section, &session()).expect("written again"), new);
}

fn check_removed(ini: &Ini<'_>, section: &Section<'_>, old: &[u8], new: &[u8]) {
    assert!(dropped(old, new, &[]).iter().all(|(number, _)| span(ini, section).contains(number)));
    let file = Ini::parse(new);
    assert!(matches!(file.only(is_ours), Ok(None)));
    assert_eq!(others(&file), others(ini));
}

fn session() -> Edit<'static> {
    let mark = Some(mark(&ID.parse().expect("an access key id")));
    Edit { set: OURS.to_vec(), remove: vec![SECURITY_TOKEN], unmark: Some(MARK), mark }
}

fn is_ours(header: &[u8]) -> bool {
    header == NAME.as_bytes()
}

fn is_session_key(key: &str) -> bool {
    key == SECURITY_TOKEN || OURS.iter().any(|(ours, _)| *ours == key)
}

/// The lines from its header to the next.
fn span(ini: &Ini<'_>, section: &Section<'_>) -> std::ops::Range<usize> {
    let start = section.line_number();
    let next = ini.sections().map(Section::line_number).find(|line| *line > start);
    start..next.unwrap_or(usize::MAX)
}

/// The key at or above a line.
fn owner<'s, 'a>(section: &'s Section<'a>, line: usize) -> Option<&'s Entry<'a>> {
    section.entries().take_while(|entry| entry.line_number() <= line).last()
}

/// What the file says apart from our section.
fn others<'a>(ini: &Ini<'a>) -> Vec<(&'a [u8], Vec<(String, Option<&'a str>)>)> {
    let entries =
        |section: &Section<'a>| section.entries().map(|entry| (entry.key().to_owned(), entry.text())).collect();
    let sections = ini.sections().filter(|section| !is_ours(section.header()));
    sections.map(|section| (section.header(), entries(section))).collect()
}
