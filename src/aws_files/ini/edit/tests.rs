use super::*;
use proptest::prelude::*;

/// Bytes that hit every rule of the format often.
pub fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "[a]",
        "[b]",
        "[a",
        "[ a ]",
        " [b]",
        "[profile c]",
        "x",
        "y = 1",
        "Y:2",
        "x=3",
        "  x = 4",
        " y=",
        "= 5",
        "#",
        ";",
        "# mark",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\u{feff}",
        "\u{a0}",
        "]",
        "\u{1c}",
    ];
    let text = prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let other = prop_oneof![12 => text, 1 => prop::collection::vec(any::<u8>(), 1..3)];
    prop::collection::vec(other, 0..40).prop_map(|pieces| pieces.concat())
}

fn edit() -> Edit<'static> {
    Edit {
        set: vec![("x", "new"), ("z", "more")],
        remove: vec!["y"],
        unmark: Some("# mark"),
        mark: Some("# mark new".into()),
        ..Edit::default()
    }
}

fn is_a(header: &[u8]) -> bool {
    header == b"a"
}

fn text(bytes: &SecretBytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn edited(file: &str) -> Result<String, EditError> {
    let ini = Ini::parse(file.as_bytes());
    match ini.only(is_a)? {
        Some(section) => ini.rewritten(section, &edit()),
        None => ini.appended("a", &edit()),
    }
    .map(|bytes| text(&bytes))
}

#[test]
fn a_key_is_replaced_in_its_place_and_a_new_one_follows_the_last() {
    assert_eq!(
        edited("[a]\r\n# mark old\r\n# own\r\nX\t: 1\r\n  2\r\ny = 1\r\nw=0\r\n\r\n# of b\r\n[b]\r\n").unwrap(),
        "[a]\r\n# mark new\r\n# own\r\nx = new\r\nw=0\r\nz = more\r\n\r\n# of b\r\n[b]\r\n"
    );
}

#[test]
fn an_open_last_line_is_ended_only_where_something_follows() {
    assert_eq!(edited("[b]\ny=1").unwrap(), "[b]\ny=1\n[a]\n# mark new\nx = new\nz = more\n");
    assert_eq!(edited("[a]\nz=1\nx=1").unwrap(), "[a]\n# mark new\nz = more\nx = new");
    assert_eq!(edited("").unwrap(), "[a]\n# mark new\nx = new\nz = more\n");
    assert_eq!(edited("\u{feff}").unwrap(), "\u{feff}[a]\n# mark new\nx = new\nz = more\n");
}

#[test]
fn a_section_where_tools_would_misread_our_keys_is_refused() {
    let cases = [("[a]\n  x = 1\n", 2), ("[a]\nw = 1\n  # note\n", 3), ("[a]\rw = 1\r", 1), ("# note\r[a]", 2)];
    for (file, line) in cases {
        assert_eq!(edited(file), Err(EditError::ReadDifferently { line }), "{file:?}");
    }
    assert_eq!(edited("[a]\n[b\nx = 1\n"), Err(EditError::ReadDifferently { line: 2 }));
    assert!(edited("[a]\ns3 =\n  w = 1\n").is_ok(), "a nested block is read alike");
}

#[test]
fn a_double_is_refused_by_its_line() {
    assert_eq!(edited("[a]\n[b]\n[a]\n"), Err(EditError::DuplicateSection { line: 3 }));
    assert_eq!(edited("[a]\nw=1\nW=2\n"), Err(EditError::DuplicateKey { line: 3, key: "w".into() }));
    assert_eq!(edited("[a]\n[ a]\n"), Err(EditError::DuplicateSection { line: 2 }));
}

#[test]
fn an_edit_that_would_swallow_the_next_header_is_refused() {
    assert_eq!(edited("[a]\n [b]\nk = 1\n"), Err(EditError::ReadDifferently { line: 2 }));
}

#[test]
fn a_value_that_would_not_stay_one_is_refused() {
    for value in ["", "a  b", "a ", "a\nb = c", "#a", "a #b", "a ;", "\u{e9}", "a\u{b}", "a\tb"] {
        let edit = Edit { set: vec![("x", value)], ..Edit::default() };
        let refused = Ini::parse(b"").appended("a", &edit);
        assert!(matches!(refused, Err(EditError::Unwritable { key }) if key == "x"), "{value:?}");
    }
}

/// Puts `x = new` where `y` or `z` stand first, and takes both of these out.
fn taken(file: &[u8]) -> Option<(Vec<TakenLine>, SecretBytes)> {
    let ini = Ini::parse(file);
    let section = ini.only(is_a).ok()??;
    let lines = ini.lines_of(section, &["y", "z"]).ok()?;
    let first = section.entries().find(|entry| ["y", "z"].contains(&entry.key()))?;
    let edit = Edit {
        set: vec![("x", "new words")],
        remove: vec!["y", "z"],
        in_place_of: Some(("x", first.key())),
        ..Edit::default()
    };
    Some((lines, ini.rewritten(section, &edit).ok()?))
}

fn put_back(file: &[u8], lines: &[TakenLine]) -> SecretBytes {
    let ini = Ini::parse(file);
    let edit = Edit { remove: vec!["x"], put_back: lines, ..Edit::default() };
    ini.rewritten(ini.only(is_a).unwrap().unwrap(), &edit).unwrap()
}

#[test]
fn lines_that_were_taken_out_come_back_where_they_stood() {
    let file = "[a]\r\nw=0\r\n# one\r\nY=1 ; two\r\n# three\r\n\tdeep\r\nz : 2\r\n\r\n# of b\r\n[b]\r\n";
    assert!(taken(file.as_bytes()).is_none(), "the value that goes on below is not one line");
    let file = file.replace("\tdeep\r\n", "");
    let (lines, without) = taken(file.as_bytes()).unwrap();
    assert_eq!(text(&without), "[a]\r\nw=0\r\n# one\r\nx = new words\r\n# three\r\n\r\n# of b\r\n[b]\r\n");
    assert_eq!(text(&put_back(&without, &lines)), file);
}

#[test]
fn a_line_without_an_end_comes_back_without_or_with_one_as_its_place_needs() {
    let (lines, without) = taken(b"[a]\nw=0\nz=1\ny=2").unwrap();
    assert_eq!(text(&without), "[a]\nw=0\nx = new words\n");
    assert_eq!(text(&put_back(&without, &lines)), "[a]\nw=0\nz=1\ny=2");
    for (changed, after) in [
        ("[a]\nw=0\nx = new words\n[b]\n", "[a]\nw=0\nz=1\ny=2\n[b]\n"),
        ("[a]\nx = new words\nv=1\nu=1\nt=1", "[a]\nv=1\nz=1\ny=2\nu=1\nt=1"),
        ("[a]\nx = new words\n", "[a]\nz=1\ny=2"),
    ] {
        assert_eq!(text(&put_back(changed.as_bytes(), &lines)), after);
    }
}

#[test]
fn removing_a_section_leaves_the_comments_above_the_next_one() {
    let file = b"[b]\nk = 1\n[a]\n# mark\nx = 1\n\n# of c\n[c]\n";
    let ini = Ini::parse(file);
    let section = ini.only(is_a).unwrap().unwrap();
    assert_eq!(text(&ini.changed(&[(section, Change::Remove)]).unwrap()), "[b]\nk = 1\n\n# of c\n[c]\n");
}

/// Header, keys and values of every section, those of `[a]` apart.
fn meaning(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let ini = Ini::parse(bytes);
    let of = |section: &Section<'_>| {
        let entry = |e: &Entry<'_>| format!("{}={:?}+{}", e.key, e.value, e.continuation.len());
        section.entries.iter().map(entry).collect::<Vec<_>>()
    };
    let (a, others): (Vec<_>, Vec<_>) = ini.sections().partition(|section| is_a(section.header()));
    let others = others.into_iter().flat_map(|s| std::iter::once(format!("{:?}", s.header())).chain(of(s)));
    (a.into_iter().flat_map(of).collect(), others.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_edit_changes_only_its_section(bytes in soup()) {
        let ini = Ini::parse(&bytes);
        let Ok(section) = ini.only(is_a) else { return Ok(()) };
        let (own_before, others_before) = meaning(&bytes);
        let edited = match section {
            Some(section) => ini.rewritten(section, &edit()),
            None => ini.appended("a", &edit()),
        };
        if let Ok(edited) = edited {
            let (before, after) = match section {
                Some(section) => (ini.lines[section.lines.start].start, bytes.len() - ini.end_of(section)),
                None => (bytes.len(), 0),
            };
            prop_assert_eq!(&edited[..before], &bytes[..before]);
            prop_assert_eq!(&edited[edited.len() - after..], &bytes[bytes.len() - after..]);
            let (mut own, others) = meaning(&edited);
            prop_assert_eq!(others, others_before);
            let reparsed = Ini::parse(&edited);
            let section = reparsed.only(is_a).unwrap().unwrap();
            prop_assert_eq!(section.entry("x").and_then(Entry::text), Some("new"));
            prop_assert_eq!(section.entry("z").and_then(Entry::text), Some("more"));
            let touched = |entry: &String| "xyz".chars().any(|key| entry.starts_with(&format!("{key}=")));
            own.retain(|entry| !touched(entry));
            prop_assert_eq!(own, own_before.into_iter().filter(|entry| !touched(entry)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn taking_lines_out_and_putting_them_back_changes_no_byte(bytes in soup()) {
        if let Some((lines, without)) = taken(&bytes) {
            // An `x` of its own was overwritten.
            if Ini::parse(&bytes).only(is_a).unwrap().unwrap().entry("x").is_none() {
                prop_assert_eq!(text(&put_back(&without, &lines)), text(&SecretBytes::new(bytes)));
            }
        }
    }

    #[test]
    fn what_was_appended_can_be_removed_again(bytes in soup()) {
        let ini = Ini::parse(&bytes);
        let Ok(None) = ini.only(is_a) else { return Ok(()) };
        let Ok(appended) = ini.appended("a", &edit()) else { return Ok(()) };
        let with = Ini::parse(&appended);
        let removed = with.changed(&[(with.only(is_a).unwrap().unwrap(), Change::Remove)]).unwrap();
        prop_assert!(removed.starts_with(&bytes) && removed.len() <= bytes.len() + 2);
    }

    #[test]
    fn sections_changed_at_once_are_changed_as_if_one_after_the_other(bytes in soup()) {
        let clear = Edit { remove: vec!["x"], unmark: Some("# mark"), ..Edit::default() };
        let change = |section: &Section<'_>| match section.header() {
            b"a" => Some(Change::Edit(&clear)),
            b"b" => Some(Change::Remove),
            _ => None,
        };
        let ini = Ini::parse(&bytes);
        let at_once: Vec<_> = ini.sections().filter_map(|section| Some((section, change(section)?))).collect();
        let Ok(at_once) = ini.changed(&at_once) else { return Ok(()) };
        let mut bytes = SecretBytes::new(bytes.clone());
        let mut index = 0;
        // From the first to the last: comments that a removed section leaves belong to the one before, which is done.
        loop {
            let ini = Ini::parse(&bytes);
            let Some(section) = ini.sections().nth(index) else { break };
            let change = change(section);
            index += usize::from(!matches!(change, Some(Change::Remove)));
            let Some(change) = change else { continue };
            let Ok(changed) = ini.changed(&[(section, change)]) else { return Ok(()) };
            bytes = changed;
        }
        prop_assert_eq!(text(&at_once), text(&bytes));
    }
}
