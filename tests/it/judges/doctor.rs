//! The parser of the AWS CLI and boto3 refuses the files that `vault doctor` says it refuses, and no others. And disks that are
//! full, or mounted read-only, as the kernel has them.

use std::path::PathBuf;

use super::{PROGRAM, judge};
use crate::program::Case;

const READ: &str = "import botocore.configloader, botocore.exceptions, sys
for path in sys.argv[1:]:
    try:
        botocore.configloader.load_config(path)
        print('read')
    except botocore.exceptions.ConfigParseError:
        print('refused')";

const FILES: [&[u8]; 22] = [
    b"",
    b"# c\n; c\n\n[default]\nregion = x\n[profile a]\nregion: x # c\n",
    b"[a]\nx=1\nstray\n",
    b"[a]\nstray\n",
    b"[a]\n  stray\n",
    b"[a]\n= x\n",
    b"[a]\nx\n",
    b"[a\nx=1\n",
    b"[a]b\nx=1\n",
    b"[]\nx=1\n",
    b"x=1\n[a]\n",
    b"[a]\nx=1\nX=2\n",
    b"[a]\n[b]\n[a]\n",
    b"[a]\n[ a]\n",
    b"[default]\nx=1\n[profile default]\nx=2\n",
    b"[a]\nx=1\n  deeper\n",
    b"[a]\nx=\n  deeper\n",
    b"[a]\nx=\n  y=1\n\n  # c\n  z=1\n",
    b"[a]\nx=1\n  deeper\nstray\n",
    b"[a]\nx=1\r[b]\r",
    b"\xef\xbb\xbf[a]\nx=1\n",
    b"[a]\n# caf\xe9\nx=1\n",
];

#[test]
#[ignore = "needs boto3"]
fn the_files_that_botocore_refuses_are_told_and_no_others() {
    let case = Case::with_vault();
    let given = |(number, file): (usize, &&[u8])| case.give(&format!("config-{number}"), file);
    let files: Vec<PathBuf> = FILES.iter().enumerate().map(given).collect();
    let words = ["-c", READ].into_iter().map(PathBuf::from).chain(files.iter().cloned());
    let read = case.command(judge("python3"), &words.collect::<Vec<_>>()).run();
    let judged: Vec<&str> = read.succeeds().out.lines().collect();
    let told = files.iter().map(|file| {
        let ran = case.vault(&["doctor", "--offline"]).variable("AWS_CONFIG_FILE", file).run();
        if ran.out.contains("the AWS CLI and boto3 refuse the whole file") { "refused" } else { "read" }
    });
    let told: Vec<&str> = told.collect();
    for (number, file) in FILES.iter().enumerate() {
        assert_eq!(told[number], judged[number], "{}", file.escape_ascii());
    }
}

/// `$1` is the vault's folder and `$2` the one of AWS's files.
const MOUNTS: &str =
    "set -eu; cd \"$TMPDIR\"; look() { \"$0\" doctor --offline | grep '^problem' | cut -c 10- || true; }
    cp \"$1\"/vault.age kept; mount -t tmpfs -o size=512k,mode=0700 tmpfs \"$1\"
    cp kept \"$1\"/vault.age; chmod 600 \"$1\"/vault.age; rm kept
    echo roomy; look
    cat /dev/zero > \"$1\"/filler 2> /dev/null || true
    echo full; look; \"$0\" set --vault rotate_every=90d || echo \"exit $?\"
    rm \"$1\"/filler; mount -o remount,nr_inodes=4 \"$1\"; touch \"$1\"/a \"$1\"/b 2> /dev/null || true
    echo files; look
    mount -o remount,ro \"$1\"
    mount --bind \"$2\" \"$2\"; mount -o remount,ro,bind \"$2\"
    echo read-only; look";

#[test]
#[ignore = "needs a mount namespace"]
fn disks_that_are_full_or_read_only_are_told_before_a_save_fails_there() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile x]\nregion = eu-west-1\n");
    let (vault, aws) = (case.vault_file().parent().unwrap().to_owned(), case.home().join(".aws"));
    let arguments =
        ["--map-root-user", "--mount", "sh", "-c", MOUNTS, PROGRAM, vault.to_str().unwrap(), aws.to_str().unwrap()];
    let ran = case.command("unshare", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).run();
    let folder = "~/.local/share/vault";
    let size = std::fs::metadata(case.vault_file()).unwrap().len();
    let told = format!(
        "roomy\nfull\nvault        the disk of {folder} is full: 0 kB are left, and a save may take {} kB\nexit 1\n\
         files\nvault        the disk of {folder} takes no more files\n\
         read-only\nvault        {folder} is on a read-only file system: nothing can be saved there\n\
         aws files    ~/.aws is on a read-only file system: nothing can be saved there\n",
        (2 * size + 16384) / 1000
    );
    ran.succeeds().stdout(&told);
}
