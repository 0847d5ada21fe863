//! The disk as the program sees it.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use vault::disk::{Disk, Folder, Kind, Lock, LockError, NewFile, ReadError, Status};

use super::{Body, Change, FaultDisk, Image, NodeId, Operation};

const MAX_SYMLINKS: usize = 40;

impl Disk for FaultDisk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut machine = self.machine();
        machine.begin(Operation::Look, format!("resolve {}", path.display()))?;
        resolve(&machine.live, path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        let mut machine = self.machine();
        machine.begin(Operation::Look, format!("open {}/", path.display()))?;
        let id = machine.live.find(&resolve(&machine.live, path)?).ok_or(Errno::NOENT)?;
        match machine.live.node(id).body {
            Body::Folder(_) => Ok(Box::new(OpenFolder { disk: self.clone(), id })),
            Body::File(_) | Body::Symlink(_) => Err(Errno::NOTDIR.into()),
        }
    }

    fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let path = self.resolve(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::Error::from(Errno::ISDIR))?;
        self.open_folder(path.parent().unwrap_or(&path))?.read(name, limit)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let mut parent = Image::ROOT;
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            let name = name.to_str().ok_or(Errno::ILSEQ)?;
            if let Some(found) = machine.live.entry(parent, name) {
                parent = found;
                continue;
            }
            machine.begin(Operation::Create, format!("mkdir {name}"))?;
            let node = machine.born(Body::Folder(Default::default()), 0o700);
            machine.change(Change::Enter { folder: parent, name: name.to_owned(), node });
            machine.sync(parent, format!("fsync the folder of {name}"))?;
            parent = node;
        }
        Ok(())
    }
}

fn resolve(image: &Image, path: &Path) -> io::Result<PathBuf> {
    let mut rest: Vec<_> = path.components().rev().map(|part| part.as_os_str().to_owned()).collect();
    let mut resolved = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            resolved.pop();
            continue;
        }
        resolved.push(&part);
        let Some(Body::Symlink(target)) = image.find(&resolved).map(|id| &image.node(id).body) else { continue };
        links += 1;
        if links > MAX_SYMLINKS {
            return Err(Errno::LOOP.into());
        }
        resolved.pop();
        rest.extend(target.components().rev().map(|part| part.as_os_str().to_owned()));
    }
    Ok(resolved)
}

struct OpenFolder {
    disk: FaultDisk,
    id: NodeId,
}

impl Folder for OpenFolder {
    fn status(&self) -> io::Result<Status> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, "fstat the folder")?;
        Ok(machine.status(self.id))
    }

    fn entry(&self, name: &str) -> io::Result<Option<Status>> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, format!("stat {name}"))?;
        Ok(machine.live.entry(self.id, name).map(|id| machine.status(id)))
    }

    fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, format!("read {name}"))?;
        let id = machine.live.entry(self.id, name).ok_or(io::Error::from(Errno::NOENT))?;
        match &machine.live.node(id).body {
            Body::File(bytes) if bytes.len() as u64 > limit => Err(ReadError::TooLarge { limit }),
            Body::File(bytes) => Ok((bytes.clone(), machine.status(id))),
            Body::Folder(_) | Body::Symlink(_) => Err(ReadError::NotAFile),
        }
    }

    fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let (mut bytes, status) = self.read(name, limit)?;
        // By what was opened: whatever has the name by now.
        self.disk.machine().sync(status.inode, format!("fsync {name}"))?;
        bytes.drain(..bytes.len().min(from as usize));
        Ok((bytes, status))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Create, format!("create {name}"))?;
        if machine.live.entry(self.id, name).is_some() {
            return Err(Errno::EXIST.into());
        }
        let id = machine.enter_new_file(self.id, name);
        Ok(Box::new(OpenFile { disk: self.disk.clone(), id, name: name.to_owned() }))
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Write, format!("append {} bytes to {name}", bytes.len()))?;
        let node = match machine.live.entry(self.id, name) {
            Some(id) if machine.status(id).kind != Kind::File => return Err(Errno::LOOP.into()),
            Some(id) => id,
            None => machine.enter_new_file(self.id, name),
        };
        machine.change(Change::Append { node, bytes: bytes.to_vec() });
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Rename, format!("rename {from} -> {to}"))?;
        let node = machine.live.entry(self.id, from).ok_or(Errno::NOENT)?;
        machine.change(Change::Move { folder: self.id, from: from.to_owned(), to: to.to_owned(), node });
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Link, format!("link {from} -> {to}"))?;
        let node = machine.live.entry(self.id, from).ok_or(Errno::NOENT)?;
        if machine.live.entry(self.id, to).is_some() {
            return Err(Errno::EXIST.into());
        }
        machine.change(Change::Enter { folder: self.id, name: to.to_owned(), node });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Remove, format!("remove {name}"))?;
        machine.live.entry(self.id, name).ok_or(Errno::NOENT)?;
        machine.change(Change::Leave { folder: self.id, name: name.to_owned() });
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, "list the folder")?;
        Ok(machine.live.entries(self.id).into_iter().flat_map(|entries| entries.keys().cloned()).collect())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.machine().sync(self.id, "fsync the folder".to_owned())
    }

    /// Never waits: nobody else runs on this disk, so a lock that is held stays held. The pid in it is for people to read,
    /// and not modelled.
    fn lock(&self, name: &str, _patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Create, format!("lock {name}"))?;
        let id = match machine.live.entry(self.id, name) {
            Some(id) if machine.status(id).kind != Kind::File => return Err(io::Error::from(Errno::LOOP).into()),
            Some(id) => id,
            None => machine.enter_new_file(self.id, name),
        };
        if !machine.locks.insert(id) {
            return Err(LockError::Held { pid: Some(std::process::id()) });
        }
        Ok(Box::new(HeldLock { disk: self.disk.clone(), id }))
    }

    fn await_unlocked(&self, name: &str, _patience: Duration) -> Result<(), LockError> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, format!("look at the lock {name}"))?;
        match machine.live.entry(self.id, name) {
            Some(id) if machine.locks.contains(&id) => Err(LockError::Held { pid: Some(std::process::id()) }),
            _ => Ok(()),
        }
    }

    fn remove_unlocked(&self, name: &str) -> Result<(), LockError> {
        self.await_unlocked(name, Duration::ZERO)?;
        Ok(self.remove(name)?)
    }
}

struct OpenFile {
    disk: FaultDisk,
    id: NodeId,
    name: String,
}

impl OpenFile {
    fn append(&self, bytes: &[u8]) {
        self.disk.machine().change(Change::Append { node: self.id, bytes: bytes.to_vec() });
    }
}

impl NewFile for OpenFile {
    /// Two changes, so that a crash can tear it; a full disk takes the first half.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let begun =
            self.disk.machine().begin(Operation::Write, format!("write {} bytes to {}", bytes.len(), self.name));
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.append(first);
        begun?;
        self.append(second);
        Ok(())
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::SetMode, format!("chmod {mode:o} {}", self.name))?;
        machine.change(Change::Mode { node: self.id, mode });
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.machine().sync(self.id, format!("fsync {}", self.name))
    }

    fn read_back(&mut self) -> io::Result<Vec<u8>> {
        let mut machine = self.disk.machine();
        machine.begin(Operation::Look, format!("read back {}", self.name))?;
        Ok(machine.live.bytes_of(self.id).clone())
    }
}

struct HeldLock {
    disk: FaultDisk,
    id: NodeId,
}

impl Lock for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.disk.machine().locks.remove(&self.id);
    }
}
