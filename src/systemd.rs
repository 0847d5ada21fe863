//! How a path stands in what systemd reads (systemd.syntax(7), systemd.unit(5)).

use std::path::Path;

use thiserror::Error;

/// It would end a line of the unit, or say something else there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no unit can hold it")]
pub struct Unwritable;

/// As the whole of a setting: `%` begins a specifier everywhere.
pub fn plain(path: &Path) -> Result<String, Unwritable> {
    crate::paths::on_one_line(path).map(|text| text.replace('%', "%%")).ok_or(Unwritable)
}

/// What goes within double quotes.
pub fn quoted(path: &Path) -> Result<String, Unwritable> {
    Ok(plain(path)?.replace('\\', "\\\\").replace('"', "\\\""))
}

/// As the first word of a command: within double quotes, behind the colon that keeps variables out of what follows. systemd starts
/// no program with quotes or backslashes in its path, however they are written.
pub fn program(path: &Path) -> Result<String, Unwritable> {
    match plain(path)? {
        path if path.contains(['"', '\'', '\\']) => Err(Unwritable),
        path => Ok(format!("\":{path}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_path_holds_is_read_as_it_is() {
        let path = Path::new("/my $tools/100%/it's \"v\"\\");
        assert_eq!(plain(path).unwrap(), "/my $tools/100%%/it's \"v\"\\");
        assert_eq!(quoted(path).unwrap(), "/my $tools/100%%/it's \\\"v\\\"\\\\");
        assert_eq!(program(Path::new("/my $tools/100%/vault")).unwrap(), "\":/my $tools/100%%/vault\"");
    }

    #[test]
    fn what_would_end_a_line_is_refused_and_a_program_that_systemd_does_not_start() {
        for path in ["/x\nExecStartPre=/evil", "/x\r", "/x\u{85}y", "/x\u{2028}y", "/x\0"].map(Path::new) {
            assert_eq!((plain(path), quoted(path), program(path)), (Err(Unwritable), Err(Unwritable), Err(Unwritable)));
        }
        for path in ["/it's/vault", "/\"x\"/vault", "/back\\slash/vault"] {
            assert_eq!(program(Path::new(path)), Err(Unwritable));
        }
    }
}
