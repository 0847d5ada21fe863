//! The parser of the AWS CLI and boto3 refuses the files that `vault doctor` says it refuses, and no others.

use std::path::PathBuf;

use super::judge;
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
