//! The record of one run on a disk, and every state that a power cut at any moment of it could have left.
//!
//! One run is enough for all its crashes: after a power cut the program does nothing more, so the states follow from the
//! operations before it and from which of them were made durable. What an *error* leads to has to be run, see `Fault`.

use std::collections::HashSet;
use std::fmt;

use super::image::{Change, Image, NodeId};

/// Up to this many changes, every subset of them is tried as what reached the platter.
const ALL_SUBSETS_UP_TO: usize = 6;

/// What a drive writes whole or not at all.
const BLOCK: usize = 512;

/// What became of the changes that no fsync had made durable when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    Nothing,
    Everything,
    /// The first so many of them.
    Prefix(usize),
    /// Those whose bit is set, oldest lowest: drives and file systems reorder.
    Subset(u32),
    /// Every name and no content: a rename overtook the data, and the file stands empty.
    NamesWithoutData,
    /// Every name, and content of the right length that is all zeros.
    NamesWithZeros,
    /// Everything, but the last block of each unsynced file is garbage.
    LastBlockTrashed,
}

pub struct Journal {
    /// The state at the start, with the nodes that were born since standing by, empty and nameless.
    start: Image,
    entries: Vec<Entry>,
    operations: Vec<String>,
}

struct Entry {
    operation: usize,
    change: Change,
    /// The operation that made it durable.
    durable_at: Option<usize>,
    /// An fsync of it failed: Linux marks such pages clean, so that no later fsync writes them.
    lost: bool,
}

/// A moment and a fate.
pub struct Crash {
    /// The power went before this operation.
    pub before: usize,
    pub survival: Survival,
    pub image: Image,
}

/// Every distinct state that crashes of one run can leave, and how many crashes lead there.
pub struct Crashes {
    pub distinct: Vec<Crash>,
    pub tried: usize,
}

impl Journal {
    pub fn new(start: Image) -> Self {
        Self { start, entries: Vec::new(), operations: Vec::new() }
    }

    pub fn begin_operation(&mut self, text: String) -> usize {
        self.operations.push(text);
        self.operations.len() - 1
    }

    pub fn start_mut(&mut self) -> &mut Image {
        &mut self.start
    }

    pub fn operations(&self) -> &[String] {
        &self.operations
    }

    pub fn record(&mut self, change: Change) {
        let operation = self.operations.len() - 1;
        self.entries.push(Entry { operation, change, durable_at: None, lost: false });
    }

    pub fn synced(&mut self, node: NodeId) {
        let now = self.operations.len() - 1;
        for entry in self.unsynced_of(node) {
            entry.durable_at = Some(now);
        }
    }

    /// A folder's changes stay in the file system's own journal and can be synced again; a file's pages are gone.
    pub fn sync_failed(&mut self, node: NodeId) {
        for entry in self.unsynced_of(node) {
            entry.lost = !entry.change.is_of_a_name();
        }
    }

    fn unsynced_of(&mut self, node: NodeId) -> impl Iterator<Item = &mut Entry> {
        let of_node = move |entry: &&mut Entry| entry.change.made_durable_by() == node;
        self.entries.iter_mut().filter(of_node).filter(|entry| entry.durable_at.is_none() && !entry.lost)
    }

    /// From this operation on.
    pub fn crashes(&self, from: usize) -> Crashes {
        let mut crashes = Crashes { distinct: Vec::new(), tried: 0 };
        let mut seen = HashSet::new();
        for before in from..=self.operations.len() {
            for survival in survivals(self.unsynced_at(before)) {
                let image = self.image(before, survival);
                crashes.tried += 1;
                if seen.insert(image.digest()) {
                    crashes.distinct.push(Crash { before, survival, image });
                }
            }
        }
        crashes
    }

    /// The states that a power cut right after the run can leave.
    pub fn crashes_at_the_end(&self) -> Vec<Crash> {
        self.crashes_at(self.operations.len())
    }

    /// The states that a power cut before this operation can leave.
    pub fn crashes_at(&self, before: usize) -> Vec<Crash> {
        let crash = |survival| Crash { before, survival, image: self.image(before, survival) };
        survivals(self.unsynced_at(before)).into_iter().map(crash).collect()
    }

    fn unsynced_at(&self, before: usize) -> usize {
        self.entries.iter().filter(|entry| entry.operation < before && !entry.is_durable(before)).count()
    }

    pub fn image(&self, before: usize, survival: Survival) -> Image {
        let mut image = self.start.clone();
        let mut unsynced = 0;
        let mut torn = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.operation < before) {
            if entry.is_durable(before) {
                image.apply(&entry.change);
                continue;
            }
            match fate(survival, unsynced, &entry.change) {
                Fate::Kept => image.apply(&entry.change),
                Fate::Gone => {}
                Fate::Zeroed => image.apply(&zeroed(&entry.change)),
                Fate::Torn => {
                    image.apply(&entry.change);
                    torn.push(entry.change.made_durable_by());
                }
            }
            unsynced += 1;
        }
        torn.into_iter().for_each(|file| trash_last_block(image.bytes_of(file)));
        image
    }

    /// The operations up to a crash, for the message of a failed test.
    pub fn told_up_to(&self, before: usize) -> String {
        let told = self.operations.iter().take(before).enumerate();
        told.map(|(number, text)| format!("  {number:3} {text}\n")).collect()
    }
}

impl Entry {
    fn is_durable(&self, before: usize) -> bool {
        self.durable_at.is_some_and(|synced| synced < before)
    }
}

fn survivals(unsynced: usize) -> Vec<Survival> {
    if unsynced == 0 {
        return vec![Survival::Everything];
    }
    let mut all = vec![Survival::Nothing, Survival::Everything, Survival::NamesWithoutData, Survival::NamesWithZeros];
    all.push(Survival::LastBlockTrashed);
    if unsynced <= ALL_SUBSETS_UP_TO {
        all.extend((1..(1 << unsynced) - 1).map(Survival::Subset));
    } else {
        all.extend((1..unsynced).map(Survival::Prefix));
    }
    all
}

enum Fate {
    Kept,
    Gone,
    Zeroed,
    Torn,
}

fn fate(survival: Survival, unsynced: usize, change: &Change) -> Fate {
    let kept_if = |kept| if kept { Fate::Kept } else { Fate::Gone };
    let is_data = matches!(change, Change::Append { .. });
    match survival {
        Survival::Nothing => Fate::Gone,
        Survival::Everything => Fate::Kept,
        Survival::Prefix(length) => kept_if(unsynced < length),
        Survival::Subset(bits) => kept_if(bits >> unsynced & 1 == 1),
        Survival::NamesWithoutData => kept_if(!is_data),
        Survival::NamesWithZeros if is_data => Fate::Zeroed,
        Survival::LastBlockTrashed if is_data => Fate::Torn,
        Survival::NamesWithZeros | Survival::LastBlockTrashed => Fate::Kept,
    }
}

fn zeroed(change: &Change) -> Change {
    match change.clone() {
        Change::Append { node, bytes } => Change::Append { node, bytes: vec![0; bytes.len()] },
        other => other,
    }
}

fn trash_last_block(bytes: &mut [u8]) {
    let from = bytes.len().saturating_sub(BLOCK);
    bytes[from..].fill(0xA5);
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "power cut before operation {}, of what was unsynced: {:?}", self.before, self.survival)
    }
}
