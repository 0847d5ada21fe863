//! What `vault --version` says of the source, and how the program is linked, so that it starts fast and is small: each library
//! that the loader has to find, map and connect, and each page of pointers that it has to adjust, is paid for at every start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FIRST_WITH_PACKED_RELOCATIONS: (u32, u32) = (2, 36);

/// What the program is made of. A change there makes cargo build it anew anyway.
const MADE_OF: [&str; 4] = ["build.rs", "Cargo.lock", "Cargo.toml", "src"];

fn main() {
    MADE_OF.iter().for_each(|path| watch(path));
    tell_source();
    tell_target();
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|is| is == value);
    let native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        pack_relocations();
        link_unwinder_in();
        if is("PROFILE", "release") {
            leave_unwind_tables_out();
            link_quick_statically();
        }
    }
}

/// Says from which commit this is built and of which day that is, as far as git or SOURCE_DATE_EPOCH tell; else nothing. Never
/// what the clock says: the same source gives the same bytes.
fn tell_source() {
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let (commit, committed) = commit().unzip();
    let given = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    let told: Vec<String> = [commit, given.or(committed).map(day)].into_iter().flatten().collect();
    let source = if told.is_empty() { String::new() } else { format!(" ({})", told.join(" ")) };
    println!("cargo:rustc-env=VAULT_SOURCE={source}");
}

fn tell_target() {
    for (name, variable) in [("VAULT_TARGET", "TARGET"), ("VAULT_PROFILE", "PROFILE")] {
        println!("cargo:rustc-env={name}={}", env::var(variable).unwrap_or_default());
    }
}

/// The commit, whether what the program is made of is another by now, and when it was made. None where git has no say: an
/// archive of the source may have been unpacked in a repository of something else.
fn commit() -> Option<(String, i64)> {
    git(&["rev-parse", "--show-prefix"]).filter(String::is_empty)?;
    watch_head();
    let shown = git(&["show", "--no-patch", "--no-show-signature", "--format=%H %ct", "HEAD"])?;
    let (hash, time) = shown.split_once(' ')?;
    let changed = git(&[&["status", "--porcelain", "--"][..], &MADE_OF].concat())?;
    let mark = if changed.is_empty() { "" } else { "-dirty" };
    // Git's own abbreviation is as long as this copy of the repository needs it.
    Some((format!("{}{mark}", hash.get(..7)?), time.parse().ok()?))
}

/// A commit and a checkout change HEAD, or the branch that it names; where that stands among the packed ones, its own file
/// appears in a folder of branches.
fn watch_head() {
    let path = |name: &str| git(&["rev-parse", "--git-path", name]);
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|branch| path(&branch));
    let folder = branch.as_deref().and_then(|file| Path::new(file).ancestors().find(|at| at.exists()));
    let of_branch = folder.and_then(Path::to_str).map(str::to_owned);
    [path("HEAD"), path("packed-refs"), of_branch].into_iter().flatten().for_each(|path| watch(&path));
}

/// What is not there would have this run at each build.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo:rerun-if-changed={path}");
    }
}

/// What git answers about this very folder, whichever repository it was led to by who started cargo, a hook for one.
fn git(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"].iter().for_each(|name| {
        git.env_remove(name);
    });
    let output = git.arg("--no-optional-locks").args(arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim_end().to_owned())
}

/// In UTC, of seconds since 1970: years of 365 days that begin in March, so that a leap day is the last of its year.
fn day(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year)
}

/// Tens of thousands of relocations are then some kilobytes to read instead of hundreds. glibc can read that from 2.36 on (its
/// release notes, DT_RELR); an older one would start a program whose pointers are wrong, so that only this machine's own is
/// taken to be the one that will run it.
fn pack_relocations() {
    if glibc() >= Some(FIRST_WITH_PACKED_RELOCATIONS) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Has the linker take what unwinds the stack from the compiler's archive and not from its shared library: a linker script
/// stands under that library's name in a folder that is searched first.
fn link_unwinder_in() {
    let Some(archive) = archive_of_compiler("libgcc_eh.a") else { return };
    let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let script = format!("INPUT({})\n", archive.display());
    if fs::write(folder.join("libgcc_s.so"), script).is_ok() {
        // Another version of the compiler has it elsewhere.
        println!("cargo:rerun-if-changed={}", archive.display());
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    }
}

/// Half of what it takes to start a small program is to find and connect the C library. Linker scripts stand under the names of
/// its shared libraries again. Not for `vault`: where hosts and users are looked up, a static C library loads shared ones. And not for
/// tests: the tool that moves their clock is a shared library.
fn link_quick_statically() {
    let libraries = ["c", "m"].map(|name| (name, archive_of_compiler(&format!("lib{name}.a"))));
    let Some(folder) = env::var_os("OUT_DIR").map(|out| PathBuf::from(out).join("static")) else { return };
    let mut written = fs::create_dir_all(&folder);
    for (name, archive) in libraries {
        let Some(archive) = archive else { return };
        println!("cargo:rerun-if-changed={}", archive.display());
        let script = format!("GROUP({} -lgcc_s)\n", archive.display());
        written = written.and_then(|()| fs::write(folder.join(format!("lib{name}.so")), script));
    }
    if written.is_ok() {
        println!("cargo:rustc-link-arg-bin=vault-quick=-static-pie");
        println!("cargo:rustc-link-arg-bin=vault-quick=-L{}", folder.display());
    }
}

/// A tenth of the program would say how to unwind its stack. Nothing does: a panic ends it (`panic = "abort"`), and the hook
/// that tells of it shows where it was, not by whose call.
fn leave_unwind_tables_out() {
    const DISCARD: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.gcc_except_table*) } } INSERT AFTER .text;\n";
    let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let script = folder.join("discard.ld");
    if fs::write(&script, DISCARD).is_ok() {
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", script.display());
        println!("cargo:rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
}

/// Where it has none, it gives the name back.
fn archive_of_compiler(name: &str) -> Option<PathBuf> {
    let printed = Command::new("cc").arg(format!("-print-file-name={name}")).output().ok()?.stdout;
    let path = String::from_utf8(printed).ok()?;
    Some(Path::new(path.trim()).to_owned()).filter(|path| path.is_absolute())
}

/// This machine's, where it has one.
fn glibc() -> Option<(u32, u32)> {
    let printed = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let printed = String::from_utf8(printed).ok()?;
    let (major, minor) = printed.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
