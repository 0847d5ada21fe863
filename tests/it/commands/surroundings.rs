//! A vault's folder full of other people's files, and a vault that is not where it seems: what is told, and that nothing of
//! theirs is touched.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::machines::Machine;
use super::{error, error_and_hint, warning};
use crate::fault_disk::our_id;
use crate::program::Case;

const SET: [&str; 3] = ["set", "prod", "region=eu-west-1"];

fn folder(case: &Case) -> PathBuf {
    case.vault_file().parent().unwrap().to_owned()
}

fn lock(case: &Case) -> PathBuf {
    folder(case).join(".vault.age.lock")
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_vault_or_folder_of_another_user_is_not_trusted() {
    if our_id() != 0 {
        return; // only root can give files away
    }
    let case = Case::with_prod();
    for path in [case.vault_file(), folder(&case)] {
        chown(&path, Some(12345), None).unwrap();
        for command in [&["list"][..], &SET] {
            let told = format!("{} belongs to another user (uid 12345)", path.display());
            case.run(command).exits(6).stdout("").stderr(&error(&told));
        }
        chown(&path, Some(0), None).unwrap();
    }
    case.run(&["list"]).succeeds();
}

#[test]
fn a_lock_that_is_no_file_of_ours_is_not_taken_and_not_touched() {
    let case = Case::with_prod();
    let target = case.home().join("precious");
    fs::write(&target, "precious").unwrap();
    let before = fs::read(case.vault_file()).unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let link: Make = &|path| symlink(&target, path).unwrap();
    let folder: Make = &|path| fs::create_dir(path).unwrap();
    for (what, make) in [("a link", link), ("a folder", folder), ("a pipe", &fifo)] {
        fs::remove_file(lock(&case)).unwrap();
        make(&lock(&case));
        let path = lock(&case).display().to_string();
        let told = error_and_hint(
            &format!("the vault was not saved: {path}, which locks it, is not a regular file"),
            &format!("look at what it is, then `rm -r {path}`"),
        );
        case.run(&SET).exits(6).stdout("").stderr(&told);
        assert_eq!(fs::read(case.vault_file()).unwrap(), before, "{what}");
        case.run(&["list"]).succeeds();
        if what == "a folder" {
            fs::remove_dir(lock(&case)).unwrap()
        } else {
            fs::remove_file(lock(&case)).unwrap()
        }
        fs::write(lock(&case), "").unwrap();
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    case.run(&SET).succeeds();
}

#[test]
fn what_is_no_file_is_no_vault_and_is_not_waited_for() {
    let case = Case::with_prod();
    let pipe = case.home().join("pipe");
    fifo(&pipe);
    for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
        for command in [&["list"][..], &SET] {
            let output = case.vault(command).variable("VAULT_FILE", path).run();
            output.exits(6).stdout("").stderr(&error("the vault is not a regular file"));
        }
        let init = case.vault(&["init", "--no-recovery"]).variable("VAULT_FILE", path).run();
        init.refuses(1, "there is a vault already");
    }
}

#[test]
fn a_save_through_a_link_keeps_the_link_and_its_generations_beside_the_file_itself() {
    let case = Case::with_prod();
    let synced = case.home().join("synced");
    fs::create_dir(&synced).unwrap();
    fs::rename(case.vault_file(), synced.join("keys.age")).unwrap();
    symlink("../../../synced/keys.age", case.vault_file()).unwrap();
    let beside = names(&folder(&case));
    case.run(&SET).succeeds();
    case.run(&["show", "prod"]).succeeds().stdout_has("region = eu-west-1\n");
    assert!(fs::symlink_metadata(case.vault_file()).unwrap().is_symlink());
    assert_eq!(names(&folder(&case)), beside, "nothing was made beside the link");
    let made = names(&synced);
    assert!(
        matches!(&made[..], [lock, vault, kept]
        if lock == ".keys.age.lock" && vault == "keys.age" && kept.starts_with("keys.age.g")),
        "{made:?}"
    );
}

#[test]
fn a_link_that_leads_nowhere_or_to_itself_is_told() {
    let case = Case::with_prod();
    let state = Machine::first(&case).state();
    fs::remove_file(case.vault_file()).unwrap();
    let none = error_and_hint(
        &format!("the vault that was at {} is missing: {state}", case.vault_file().display()),
        "bring it back: is its disk mounted, its folder synced? no earlier generation is kept beside it, so else from a backup",
    );
    let circle = error("can't read the vault: Too many levels of symbolic links (os error 40)");
    for (target, told) in [("nowhere.age", none), ("vault.age", circle)] {
        symlink(target, case.vault_file()).unwrap();
        for command in [&["list"][..], &SET] {
            case.run(command).exits(1).stdout("").stderr(&told);
        }
        fs::remove_file(case.vault_file()).unwrap();
    }
}

#[test]
fn conflicted_copies_beside_the_vault_are_named() {
    let case = Case::with_prod();
    let copy = "vault (alice's conflicted copy 2026-01-01).age";
    fs::write(folder(&case).join(copy), "x").unwrap();
    let hint =
        "vault: hint: `vault import --vault FILE` brings the profiles that only one of them has; then remove it\n";
    let told = warning(&format!("a sync program left other versions beside the vault: {copy}")) + hint;
    case.run(&["list"]).succeeds().stderr(&told);
    case.run(&SET).succeeds();
    assert_eq!(fs::read_to_string(folder(&case).join(copy)).unwrap(), "x");
}

#[test]
fn who_occupies_a_kept_generations_name_with_a_folder_stops_the_save_and_with_a_link_gives_way() {
    let case = Case::with_prod();
    let before = fs::read(case.vault_file()).unwrap();
    let pins = case.home().join(".local/state/vault/pins.toml");
    let remembered = fs::read(&pins).unwrap();
    case.run(&SET).succeeds();
    let name = names(&folder(&case)).into_iter().find(|name| name.starts_with("vault.age.g2-")).unwrap();
    let kept = folder(&case).join(name);
    assert_eq!(fs::read(&kept).unwrap(), before);
    let again = |occupy: &dyn Fn()| {
        fs::remove_file(&kept).unwrap();
        // This machine forgets what it saw, or it would say that an older state was put back.
        fs::write(&pins, &remembered).unwrap();
        fs::write(case.vault_file(), &before).unwrap();
        occupy();
        case.run(&SET)
    };
    let target = case.home().join("precious");
    fs::write(&target, "precious").unwrap();
    again(&|| symlink(&target, &kept).unwrap()).succeeds();
    assert_eq!(
        (fs::read(&kept).unwrap(), fs::read_to_string(&target).unwrap()),
        (before.clone(), "precious".to_owned())
    );
    again(&|| fs::create_dir(&kept).unwrap()).refuses(1, "the vault was not saved: Is a directory");
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    assert!(!names(&folder(&case)).iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn a_vault_that_may_not_grow_any_further_is_left_as_it_was_with_words() {
    let case = Case::with_prod();
    let before = std::fs::read(case.vault_file()).unwrap();
    let passphrase = case.given("passphrase");
    let set = ["--fsize=512", super::VAULT, "set", "prod", "region=eu-west-1", "--passphrase-file"];
    let output = case.command("prlimit", &[&set[..], &[passphrase.to_str().unwrap()]].concat()).run();
    output.exits(1);
    assert!(output.err.contains("File too large"), "{}", output.err);
    assert!(std::fs::read(case.vault_file()).unwrap() == before, "it was saved");
}

#[test]
fn where_the_system_lets_too_few_files_be_open_nothing_is_begun() {
    let case = Case::with_prod();
    let before = std::fs::read(case.vault_file()).unwrap();
    let passphrase = case.given("passphrase");
    let told = "vault may have only 8 files open at a time, and needs 32";
    let told = error_and_hint(told, "`ulimit -n 256` allows more in this shell; then the same again");
    for words in
        [&["rotate", "prod", "--mfa-code", "123456"][..], &["login", "prod", "--mfa-code", "123456"], &["list"]]
    {
        let limited = [&["--nofile=8", super::VAULT], words, &["--passphrase-file", passphrase.to_str().unwrap()]];
        case.command("prlimit", &limited.concat()).run().exits(1).stdout("").stderr(&told);
    }
    case.command("prlimit", &["--nofile=8", super::VAULT, "help"]).run().succeeds();
    assert_eq!(case.sim.requests(), []);
    assert!(std::fs::read(case.vault_file()).unwrap() == before, "it was saved");
}

#[test]
fn as_many_files_as_vault_needs_are_enough_for_a_login() {
    let case = Case::with_prod();
    let (passphrase, code) = (case.given("passphrase"), case.phone.code());
    let login = ["--nofile=32", super::VAULT, "login", "prod", "--mfa-code", &code, "--passphrase-file"];
    let login = [&login[..], &[passphrase.to_str().unwrap()]].concat();
    case.command("prlimit", &login).run().succeeds().stderr_has("prod: signed in as alice");
}

/// Of a thousand keys that wait until they work each holds a lock.
#[test]
fn a_rotation_takes_as_many_files_as_the_system_gives_for_the_asking() {
    let case = Case::with_prod();
    let (passphrase, code) = (case.given("passphrase"), case.phone.code());
    let rotate = ["--nofile=64:4096", super::VAULT, "rotate", "prod", "--mfa-code", &code, "--passphrase-file"];
    let rotate = [&rotate[..], &[passphrase.to_str().unwrap()]].concat();
    let mut terminal = case.command("prlimit", &rotate).on_terminal();
    terminal.expect("until it works everywhere");
    let limits = fs::read_to_string(format!("/proc/{}/limits", terminal.id())).unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(limit.split_whitespace().collect::<Vec<_>>()[3..], ["4096", "4096", "files"]);
    terminal.signal(rustix::process::Signal::TERM);
    terminal.finish().0.exits(7);
}

/// Page by page, to get them from the system takes longer than to fill them.
#[test]
#[cfg(target_env = "gnu")]
fn a_large_vault_is_read_into_large_pages_and_a_small_one_is_not() {
    if !Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        return;
    }
    let case = Case::with_prod();
    let heap_is_of_large_pages = || {
        let mut terminal = case.vault(&["remove", "prod"]).on_terminal();
        terminal.expect("Remove `prod`");
        let maps = fs::read_to_string(format!("/proc/{}/smaps", terminal.id())).unwrap();
        let heap = maps.lines().skip_while(|line| !line.ends_with("[heap]"));
        // Where only a part of it is of large pages, each part stands alone.
        let flags: Vec<&str> = heap.filter(|line| line.starts_with("VmFlags:")).take(2).collect();
        terminal.type_line("n");
        terminal.finish();
        flags.iter().any(|flags| flags.split(' ').any(|flag| flag == "hg"))
    };
    assert!(!heap_is_of_large_pages());
    let section =
        |n: usize| format!("[user-{n}]\naws_access_key_id = AKIA{n:0>16}\naws_secret_access_key = {n:0>40}\n");
    case.write(&case.credentials(), 0o600, (0..800).map(section).collect::<String>());
    case.run(&["import", "--yes", "--no-verify", "--remove"]).succeeds();
    assert!(heap_is_of_large_pages());
}
