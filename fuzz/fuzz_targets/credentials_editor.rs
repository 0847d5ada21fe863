//! A credentials file of any kind: an edit changes its own section and is read back, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::aws_files::credentials::{
    ACCESS_KEY_ID, CredentialsFile, EXPIRATION, MARK, SECRET_ACCESS_KEY, SECURITY_TOKEN, SESSION_TOKEN, mark,
};
use vault::aws_files::ini::edit::{Change, Edit};
use vault::aws_files::ini::{Entry, Ini, Section};
use vault_fuzz::lines::{around, dropped, lines};

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
    if let Some(section) = ini.sections().find(|section| is_ours(section.header()))
        && let Ok(removed) = ini.changed(&[(section, Change::Remove)])
    {
        check_removed(&ini, section, bytes, &removed);
    }
    let Ok(section) = ini.only(is_ours) else { return };
    let written = match section {
        Some(section) => ini.rewritten(section, &session()),
        None => ini.appended(NAME, &session()),
    };
    if let Ok(written) = written {
        check_written(&ini, section, bytes, &written);
    }
});

fn check_written(ini: &Ini<'_>, section: Option<&Section<'_>>, old: &[u8], new: &[u8]) {
    let values = OURS.map(|(key, value)| format!("{key} = {value}"));
    let (header, mark) = (format!("[{NAME}]"), session().mark.expect("a mark"));
    let ours = values.iter().chain([&header, &mark]).map(String::as_bytes).collect::<Vec<_>>();
    match section {
        None => assert!(dropped(old, new, &ours).is_empty()),
        Some(section) => {
            let (before, after) = within(ini, section, old, new);
            for (number, text) in dropped(before, after, &ours) {
                let key = owner(section, number + section.line_number() - 1).map(Entry::key);
                let is_mark = text.trim_ascii().starts_with(MARK.as_bytes());
                assert!(is_mark || key.is_some_and(is_session_key), "line {number} is none of a session's");
            }
        }
    }
    let file = Ini::parse(new);
    let section = file.only(is_ours).expect("one section").expect("the section");
    assert!(OURS.iter().all(|(key, value)| section.entry(key).and_then(Entry::text) == Some(value)));
    assert!(CredentialsFile::parse(new).section(NAME).expect("the section").written_by_us);
    assert_eq!(others(&file), others(ini));
    assert_eq!(*file.rewritten(section, &session()).expect("written again"), new);
}

fn check_removed(ini: &Ini<'_>, section: &Section<'_>, old: &[u8], new: &[u8]) {
    let (before, after) = within(ini, section, old, new);
    let gone = before.strip_suffix(after.strip_prefix(b"\xef\xbb\xbf").unwrap_or(after)).expect("its end is kept");
    let last = lines(gone).last().expect("its header is gone").trim_ascii();
    assert!(!matches!(last.first(), None | Some(b'#' | b';')), "a remark at the end is about what follows");
    let number = |ini: &Ini<'_>| ini.sections().filter(|section| is_ours(section.header())).count();
    assert_eq!(number(&Ini::parse(new)), number(ini) - 1);
    assert_eq!(others(&Ini::parse(new)), others(ini));
}

/// The bytes of a section, before and after; around them, none may have changed.
fn within<'b>(ini: &Ini<'_>, section: &Section<'_>, old: &'b [u8], new: &'b [u8]) -> (&'b [u8], &'b [u8]) {
    let start = section.line_number();
    let next = ini.sections().map(Section::line_number).find(|line| *line > start);
    let [above, own, below] = around(old, start..next.unwrap_or(usize::MAX));
    let rest = new.strip_prefix(above).expect("what stands above stays");
    (own, rest.strip_suffix(below).expect("what stands below stays"))
}

fn session() -> Edit<'static> {
    let mark = Some(mark(&ID.parse().expect("an access key id")));
    Edit { set: OURS.to_vec(), remove: vec![SECURITY_TOKEN], unmark: Some(MARK), mark, ..Edit::default() }
}

fn is_ours(header: &[u8]) -> bool {
    header == NAME.as_bytes()
}

fn is_session_key(key: &str) -> bool {
    key == SECURITY_TOKEN || OURS.iter().any(|(ours, _)| *ours == key)
}

/// The key at or above a line.
fn owner<'s, 'a>(section: &'s Section<'a>, line: usize) -> Option<&'s Entry<'a>> {
    section.entries().take_while(|entry| entry.line_number() <= line).last()
}

/// What the other sections say: each header, then its keys with their values.
fn others<'a>(ini: &Ini<'a>) -> Vec<(String, Option<&'a str>)> {
    let header = |section: &Section<'a>| (section.header().escape_ascii().to_string(), None);
    let entry = |entry: &Entry<'a>| (entry.key().to_owned(), entry.text());
    let sections = ini.sections().filter(|section| !is_ours(section.header()));
    sections.flat_map(|section| std::iter::once(header(section)).chain(section.entries().map(entry))).collect()
}
