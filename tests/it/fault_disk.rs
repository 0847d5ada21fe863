//! A disk in memory that forgets what was not synced and fails when told to.
//!
//! Stricter than any one file system: file content is volatile until the file's fsync, names until the folder's, and what
//! is volatile may survive in part and in any order.

mod image;
mod journal;
mod operations;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::io::Errno;
use vault::disk::{Kind, Status};

pub use image::{Body, Image, Seen};
use image::{Change, Node, NodeId};
use journal::{Crash, Crashes, Journal};

#[derive(Clone)]
pub struct FaultDisk {
    machine: Arc<Mutex<Machine>>,
}

struct Machine {
    live: Image,
    journal: Journal,
    fault: Option<Fault>,
    locks: HashSet<NodeId>,
    kinds: Vec<Operation>,
    witness: Option<Witness>,
}

/// Looks on before each operation, by its number, and may say what is to fail from there on.
pub type Witness = Box<dyn FnMut(usize) -> Option<Fault> + Send>;

/// An error that the disk answers with.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The number of the operation it starts at.
    pub at: usize,
    pub error: Errno,
    /// Every later operation of the kinds that this error befalls fails too.
    pub lasting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Look,
    Create,
    Write,
    SetMode,
    Sync,
    Link,
    Rename,
    Remove,
}

impl Fault {
    /// The errors worth trying, and what each of them befalls.
    pub const ERRORS: [Errno; 4] = [Errno::NOSPC, Errno::IO, Errno::ROFS, Errno::PERM];

    pub fn is_once(&self, error: Errno) -> bool {
        self.error == error && !self.lasting
    }

    pub fn befalls(error: Errno, operation: Operation) -> bool {
        use Operation::{Create, Link, Look, Rename, Sync, Write};
        match error {
            // Delayed allocation reports a full disk at fsync; a rename may have to grow the folder.
            Errno::NOSPC => matches!(operation, Create | Write | Sync | Link | Rename),
            Errno::ROFS => !matches!(operation, Look | Sync),
            // File systems without hard links.
            Errno::PERM => operation == Link,
            _ => true,
        }
    }
}

impl FaultDisk {
    pub fn on(image: Image) -> Self {
        let journal = Journal::new(image.clone());
        let machine =
            Machine { live: image, journal, fault: None, locks: HashSet::new(), kinds: Vec::new(), witness: None };
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    pub fn failing(image: Image, fault: Fault) -> Self {
        let disk = Self::on(image);
        disk.machine().fault = Some(fault);
        disk
    }

    /// From here on another fault than the one before.
    pub fn fail(&self, fault: Fault) {
        self.machine().fault = Some(fault);
    }

    /// Nothing fails any more, and nobody looks on.
    pub fn mend(&self) {
        let mut machine = self.machine();
        (machine.fault, machine.witness) = (None, None);
    }

    pub fn watch(&self, witness: impl FnMut(usize) -> Option<Fault> + Send + 'static) {
        self.machine().witness = Some(Box::new(witness));
    }

    /// The state that the next process finds, as long as the power stays on.
    pub fn image(&self) -> Image {
        self.machine().live.clone()
    }

    /// Every crash from this operation on.
    pub fn crashes_from(&self, operation: usize) -> Crashes {
        self.machine().journal.crashes(operation)
    }

    pub fn crashes_at_the_end(&self) -> Vec<Crash> {
        self.machine().journal.crashes_at_the_end()
    }

    pub fn crashes_at(&self, operation: usize) -> Vec<Crash> {
        self.machine().journal.crashes_at(operation)
    }

    /// Each fault that a run of these same operations can meet.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (at, operation) in self.machine().kinds.iter().enumerate() {
            for error in Fault::ERRORS.into_iter().filter(|error| Fault::befalls(*error, *operation)) {
                faults.extend([false, true].map(|lasting| Fault { at, error, lasting }));
            }
        }
        faults
    }

    pub fn operation_count(&self) -> usize {
        self.machine().journal.operations().len()
    }

    pub fn told(&self) -> String {
        self.told_up_to(usize::MAX)
    }

    pub fn told_up_to(&self, before: usize) -> String {
        self.machine().journal.told_up_to(before)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("no operation panics half-way")
    }
}

impl Machine {
    /// Counts the operation, and fails it where that was asked for.
    fn begin(&mut self, operation: Operation, text: impl Into<String>) -> io::Result<()> {
        let number = self.journal.begin_operation(text.into());
        self.kinds.push(operation);
        let said = self.witness.as_mut().and_then(|witness| witness(number));
        self.fault = said.or(self.fault);
        match self.fault {
            Some(Fault { at, error, lasting })
                if (number == at || lasting && number > at) && Fault::befalls(error, operation) =>
            {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        self.live.apply(&change);
        self.live.node_mut(change.made_durable_by()).modified = self.journal.operations().len() as u64;
        self.journal.record(change);
    }

    fn born(&mut self, body: Body, mode: u32) -> NodeId {
        let node = Node { body, mode, owner: our_id(), modified: self.journal.operations().len() as u64 };
        self.journal.start_mut().add(node.clone());
        self.live.add(node)
    }

    fn enter_new_file(&mut self, folder: NodeId, name: &str) -> NodeId {
        let node = self.born(Body::File(Vec::new()), 0o600);
        self.change(Change::Enter { folder, name: name.to_owned(), node });
        node
    }

    fn status(&self, id: NodeId) -> Status {
        let node = self.live.node(id);
        let (kind, size) = match &node.body {
            Body::File(bytes) => (Kind::File, bytes.len() as u64),
            Body::Folder(_) => (Kind::Folder, 0),
            Body::Symlink(_) => (Kind::Symlink, 0),
        };
        let modified = i128::from(node.modified);
        Status { kind, device: 1, inode: id, size, mode: node.mode, owner: node.owner, modified, changed: modified }
    }

    fn sync(&mut self, node: NodeId, text: String) -> io::Result<()> {
        let answer = self.begin(Operation::Sync, text);
        match answer {
            Ok(()) => self.journal.synced(node),
            Err(_) => self.journal.sync_failed(node),
        }
        answer
    }
}

pub fn our_id() -> u32 {
    rustix::process::geteuid().as_raw()
}
