//! Disks in memory in the place of this machine's, which fill up and are cut off from power.

use std::os::unix::fs::PermissionsExt;

use rustix::io::Errno;

use super::{Ran, Stage};
use crate::fault_disk::{Body, Fault, FaultDisk, Image, our_id};
use crate::program::files_below;

impl Stage {
    /// A disk in memory with what is on this machine's.
    pub fn fault_disk(&self) -> FaultDisk {
        let home = files_below(&self.case.home());
        let files = home.into_iter().chain([self.case.given("recovery.txt")]);
        let image = files.fold(Image::empty(our_id()), |image, path| {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            image.with(path.to_str().unwrap(), mode, Body::File(std::fs::read(&path).unwrap()))
        });
        FaultDisk::on(image)
    }

    /// Once AWS was asked for this the disk is full.
    pub fn fills_when(&self, disk: &FaultDisk, action: &'static str) {
        let (onlooker, before) = (self.sim().onlooker(), self.sim().count(action));
        disk.watch(move |at| {
            (onlooker.count(action) > before).then_some(Fault { at, error: Errno::NOSPC, lasting: true })
        });
    }

    /// On another disk, and judged by what is left there.
    pub fn rotate_on(&self, disk: &FaultDisk, flags: &[&str]) -> Ran {
        self.with_code_on(disk, &[&["rotate", "prod"], flags].concat())
    }

    pub fn with_code_on(&self, disk: &FaultDisk, words: &[&str]) -> Ran {
        let code = self.case.phone.code();
        let ran = self.run_on(disk, &[words, &["--mfa-code", &code]].concat());
        self.check(&ran, &self.held_on(&FaultDisk::on(disk.image())));
        ran
    }

    #[track_caller]
    pub fn follow_hint_on(&self, disk: &FaultDisk, ran: &Ran) -> Ran {
        let command = ran.hinted();
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        self.with_code_on(disk, &words)
    }

    #[track_caller]
    pub fn signs_in_on(&self, disk: &FaultDisk) {
        self.with_code_on(disk, &["login", "prod", "--no-export", "--force"]).succeeds();
    }
}
