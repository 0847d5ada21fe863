//! Programs that are looked for by name: only where nobody but their user and the administrator can put another one.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::paths::Environment;

/// Why a program is not started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramError {
    #[error("no such program")]
    NotFound,
    /// Somebody else can put another program in its place: by the file itself or by a folder above it.
    #[error("`{}` can be changed by others", path.display())]
    Untrusted { path: PathBuf },
}

/// The first program of this name on PATH that is to be trusted.
pub fn find_program(name: &str, environment: &Environment) -> Result<PathBuf, ProgramError> {
    let mut refused = None;
    for folder in path_folders(environment).into_iter().filter(|folder| folder.is_absolute()) {
        let program = folder.join(name);
        match check_program(&program) {
            Ok(()) if only_ours(&folder) => return Ok(program),
            Ok(()) => refused = refused.or(Some(ProgramError::Untrusted { path: folder })),
            Err(ProgramError::NotFound) => {}
            Err(untrusted) => refused = refused.or(Some(untrusted)),
        }
    }
    Err(refused.unwrap_or(ProgramError::NotFound))
}

/// The absolute path of a program by the name it was started by, as a shell looks for it. Links on the way stay in it: package
/// managers point them elsewhere at an upgrade. Refused where another program could be put there, also if a later folder of
/// PATH has one that could not.
pub fn started_program(name: &OsStr, environment: &Environment) -> Result<PathBuf, ProgramError> {
    let name = Path::new(name);
    let program = if name.is_absolute() {
        name.to_owned()
    } else if name.components().count() > 1 {
        let folder = name.parent().and_then(|folder| folder.canonicalize().ok()).ok_or(ProgramError::NotFound)?;
        folder.join(name.file_name().ok_or(ProgramError::NotFound)?)
    } else {
        first_on_path(name, environment).ok_or(ProgramError::NotFound)?
    };
    if program.is_relative() {
        return Err(ProgramError::Untrusted { path: program });
    }
    check_program(&program).map(|()| program)
}

/// What a shell starts by this name, whoever can change it.
pub fn first_on_path(name: impl AsRef<Path>, environment: &Environment) -> Option<PathBuf> {
    path_folders(environment).into_iter().map(|folder| folder.join(&name)).find(|program| is_program(program))
}

pub(super) fn path_folders(environment: &Environment) -> Vec<PathBuf> {
    let path = environment.get("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(path).collect()
}

/// Whether another program reads it, as those that start the one that was meant after they have set something up.
pub fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whether what stands at an absolute path is a program that only its user and the administrator can replace. Symlinks are
/// looked at from both sides: package managers install through them.
pub fn check_program(path: &Path) -> Result<(), ProgramError> {
    let resolved = path.canonicalize().map_err(|_| ProgramError::NotFound)?;
    if !path.is_absolute() || !is_program(&resolved) {
        return Err(ProgramError::NotFound);
    }
    match resolved.ancestors().chain(path.ancestors()).find(|part| !nobody_elses(part)) {
        Some(part) => Err(ProgramError::Untrusted { path: part.to_owned() }),
        None => Ok(()),
    }
}

/// Whether only its user and the administrator can put something into a folder, or change a file.
pub(super) fn only_ours(path: &Path) -> bool {
    trusted(path).is_some_and(|found| found.mode() & 0o022 == 0)
}

/// In a sticky folder (`/tmp`) everybody may add, but nobody may replace what is another's.
fn nobody_elses(part: &Path) -> bool {
    trusted(part).is_some_and(|found| found.mode() & 0o022 == 0 || found.is_dir() && found.mode() & 0o1000 != 0)
}

/// What is there, if its owner is we or the administrator.
fn trusted(path: &Path) -> Option<Metadata> {
    let ours = |owner| owner == 0 || owner == rustix::process::geteuid().as_raw();
    std::fs::metadata(path).ok().filter(|found| ours(found.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::symlink;

    fn chmod(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Two folders on PATH, with a program in the second.
    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf, Environment) {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        for folder in [&first, &second] {
            create_dir(folder).unwrap();
            chmod(folder, 0o755);
        }
        let program = second.join("tool");
        write(&program, "").unwrap();
        chmod(&program, 0o755);
        let path = format!("relative:{}:{}", first.display(), second.display());
        (root, first, program, [("PATH", path)].into_iter().collect())
    }

    #[test]
    fn the_first_program_that_nobody_else_can_change_is_found() {
        let (_root, first, program, environment) = folders();
        assert_eq!(find_program("tool", &environment).as_deref(), Ok(&*program));
        symlink(&program, first.join("tool")).unwrap();
        assert_eq!(find_program("tool", &environment), Ok(first.join("tool")));
        chmod(&first, 0o777);
        assert_eq!(find_program("tool", &environment).as_deref(), Ok(&*program));
        assert_eq!(find_program("other", &environment), Err(ProgramError::NotFound));
    }

    #[test]
    fn a_program_that_others_can_replace_is_refused_by_what_they_can_write() {
        let (root, first, program, environment) = folders();
        let refused = |path: &Path| Err(ProgramError::Untrusted { path: path.canonicalize().unwrap() });
        chmod(&program, 0o775);
        assert_eq!(check_program(&program), refused(&program));
        assert_eq!(find_program("tool", &environment).map(drop), refused(&program));
        chmod(&program, 0o755);
        symlink(&program, first.join("tool")).unwrap();
        chmod(program.parent().unwrap(), 0o757);
        assert_eq!(check_program(&first.join("tool")), refused(program.parent().unwrap()));
        chmod(program.parent().unwrap(), 0o755);
        chmod(root.path(), 0o777);
        assert_eq!(check_program(&program), refused(root.path()));
    }

    #[test]
    fn the_path_of_a_started_program_is_what_a_shell_would_find_and_keeps_its_links() {
        let (_root, first, program, environment) = folders();
        let started = |name: &Path| started_program(name.as_os_str(), &environment);
        assert_eq!(started(Path::new("tool")).as_deref(), Ok(&*program));
        assert_eq!(started(&program).as_deref(), Ok(&*program));
        symlink(&program, first.join("tool")).unwrap();
        assert_eq!(started(Path::new("tool")), Ok(first.join("tool")));
        assert_eq!(started(Path::new("other")), Err(ProgramError::NotFound));
        // The shell started that one, so one further on is another program.
        chmod(&first, 0o777);
        assert_eq!(started(Path::new("tool")), Err(ProgramError::Untrusted { path: first }));
    }

    #[test]
    fn a_program_started_by_a_relative_name_is_found_from_here_and_never_by_a_relative_path() {
        let here = std::env::current_dir().unwrap();
        let started =
            |name: &str, path: &str| started_program(OsStr::new(name), &[("PATH", path)].into_iter().collect());
        assert_eq!(started("./no/such/tool", ""), Err(ProgramError::NotFound));
        let up = "../".repeat(here.components().count() - 1);
        assert_eq!(started(&format!("{up}bin/sh"), ""), Ok(Path::new("/bin").canonicalize().unwrap().join("sh")));
        let relative = format!("{up}bin");
        assert!(
            matches!(started("sh", &relative), Err(ProgramError::Untrusted { path }) if path.starts_with(&relative))
        );
    }

    #[test]
    fn what_can_not_be_run_is_no_program() {
        let (_root, first, program, _) = folders();
        chmod(&program, 0o644);
        for path in [&program, &first, Path::new("/no/such/tool"), Path::new("tool")] {
            assert_eq!(check_program(path), Err(ProgramError::NotFound), "{}", path.display());
        }
    }
}
