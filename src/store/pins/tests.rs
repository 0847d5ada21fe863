use super::*;
use crate::disk::RealDisk;
use crate::store::document::Document;
use crate::store::identity;
use jiff::Timestamp;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn state() -> (tempfile::TempDir, PinFile<'static>) {
    let temporary = tempfile::tempdir().unwrap();
    let file = PinFile::new(&RealDisk, &temporary.path().join("made/state"));
    (temporary, file)
}

fn pin(generation: u64, place: &str) -> Pin {
    let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".into(), identity::generate()).unwrap();
    document.meta.generation = generation;
    Pin::of(&document, &[generation as u8; 32], vec![place.into()]).unwrap()
}

fn later(pin: &Pin) -> Pin {
    Pin { generation: pin.generation + 1, ..pin.clone() }
}

#[test]
fn what_is_remembered_is_there_again_and_nothing_is_before() {
    let (_temporary, file) = state();
    assert_eq!(file.load().unwrap(), []);
    let (one, other) = (pin(1, "/a"), pin(7, "/b"));
    file.record(one.clone()).unwrap();
    file.record(other.clone()).unwrap();
    assert_eq!(file.load().unwrap(), [one, other]);
    assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_pin_moves_only_upward() {
    let (_temporary, file) = state();
    let old = pin(5, "/a");
    file.record(later(&old)).unwrap();
    let before = fs::read(file.path()).unwrap();
    file.record(old.clone()).unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), before);
    assert_eq!(file.load().unwrap(), [later(&old)]);
}

#[test]
fn a_vault_may_be_known_by_several_places_and_a_place_stands_for_one_vault() {
    let (_temporary, file) = state();
    let one = pin(5, "/a");
    file.record(one.clone()).unwrap();
    file.record(Pin { places: vec!["/usb".into()], ..one.clone() }).unwrap();
    assert_eq!(file.load().unwrap()[0].places, [PathBuf::from("/a"), "/usb".into()]);
    file.record(pin(1, "/usb")).unwrap();
    let pins = file.load().unwrap();
    assert_eq!(pins[0].places, [PathBuf::from("/a")]);
    assert_eq!(pins[1].places, [PathBuf::from("/usb")]);
}

#[test]
fn a_signing_key_that_was_replaced_is_remembered_for_ever() {
    let (_temporary, file) = state();
    let first = pin(5, "/a");
    let second = Pin { signing_key: "second".into(), ..later(&first) };
    let third = Pin { signing_key: "third".into(), ..later(&second) };
    for pin in [&first, &second, &third, &later(&third)] {
        file.record(pin.clone()).unwrap();
    }
    assert_eq!(file.load().unwrap()[0].replaced_keys, [first.signing_key, second.signing_key]);
}

#[test]
fn pins_that_are_damaged_newer_or_in_reach_of_others_are_refused_and_never_written_over() {
    let (_temporary, file) = state();
    file.record(pin(1, "/a")).unwrap();
    let good = fs::read_to_string(file.path()).unwrap();
    for (bad, newer) in [
        ("not toml at all [", false),
        (&good[..good.len() - 20], false),
        (&good.replace("version = 1", "version = 2"), true),
    ] {
        fs::write(file.path(), bad).unwrap();
        for refused in [file.load().map(drop), file.record(pin(2, "/b"))] {
            let error = refused.unwrap_err();
            let expected =
                if newer { matches!(error, PinError::Newer { .. }) } else { matches!(error, PinError::Damaged { .. }) };
            assert!(expected, "{error:?}");
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), bad);
    }
    fs::write(file.path(), &good).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(file.load(), Err(PinError::Untrusted(_))));
}

#[test]
fn many_who_remember_at_once_lose_nothing() {
    let (_temporary, file) = state();
    let pins: Vec<Pin> = (0..4).map(|vault| pin(1, &format!("/{vault}"))).collect();
    std::thread::scope(|scope| {
        for pin in &pins {
            let file = file.clone();
            scope.spawn(move || {
                (0..5).for_each(|step| file.record(Pin { generation: 1 + step, ..pin.clone() }).unwrap())
            });
        }
    });
    let mut remembered: Vec<_> = file.load().unwrap().into_iter().map(|pin| (pin.places, pin.generation)).collect();
    remembered.sort();
    let expected: Vec<_> = (0..4).map(|vault| (vec![PathBuf::from(format!("/{vault}"))], 5)).collect();
    assert_eq!(remembered, expected);
}
