//! How the program is linked, so that it starts fast and is small. Each library that the loader has to find, map and connect,
//! and each page of pointers that it has to adjust, is paid for at every start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FIRST_WITH_PACKED_RELOCATIONS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
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
