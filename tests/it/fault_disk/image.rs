//! What stands on a disk at one moment: names and nodes, and the changes that lead from one image to the next.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub type NodeId = u64;

#[derive(Clone)]
pub struct Image {
    nodes: BTreeMap<NodeId, Node>,
}

#[derive(Clone)]
pub struct Node {
    pub body: Body,
    pub mode: u32,
    pub owner: u32,
    /// Counts operations, not seconds.
    pub modified: u64,
}

#[derive(Clone)]
pub enum Body {
    File(Vec<u8>),
    Folder(BTreeMap<String, NodeId>),
    Symlink(PathBuf),
}

/// The smallest thing that either reached the platter or did not.
#[derive(Clone)]
pub enum Change {
    Enter {
        folder: NodeId,
        name: String,
        node: NodeId,
    },
    Leave {
        folder: NodeId,
        name: String,
    },
    /// One change, since a rename is atomic on every file system that is worth a promise.
    Move {
        folder: NodeId,
        from: String,
        to: String,
        node: NodeId,
    },
    Append {
        node: NodeId,
        bytes: Vec<u8>,
    },
    Mode {
        node: NodeId,
        mode: u32,
    },
}

impl Change {
    /// The node whose fsync makes this change durable.
    pub fn made_durable_by(&self) -> NodeId {
        match self {
            Self::Enter { folder, .. } | Self::Leave { folder, .. } | Self::Move { folder, .. } => *folder,
            Self::Append { node, .. } | Self::Mode { node, .. } => *node,
        }
    }

    pub fn is_of_a_name(&self) -> bool {
        matches!(self, Self::Enter { .. } | Self::Leave { .. } | Self::Move { .. })
    }
}

impl Image {
    pub const ROOT: NodeId = 0;

    pub fn empty(owner: u32) -> Self {
        let root = Node { body: Body::Folder(BTreeMap::new()), mode: 0o755, owner, modified: 0 };
        Self { nodes: BTreeMap::from([(Self::ROOT, root)]) }
    }

    /// The same with one thing more, and with the folders above it.
    pub fn with(mut self, path: &str, mode: u32, body: Body) -> Self {
        let path = Path::new(path);
        let (folder, name) = (path.parent().expect("absolute"), path.file_name().and_then(|name| name.to_str()));
        let folder = match self.find(folder) {
            Some(folder) => folder,
            None => {
                let text = folder.to_str().expect("tests name their files in UTF-8").to_owned();
                self = self.with(&text, 0o700, Body::Folder(BTreeMap::new()));
                self.find(folder).expect("just made")
            }
        };
        let owner = self.node(folder).owner;
        let node = self.add(Node { body, mode, owner, modified: 0 });
        self.apply(&Change::Enter { folder, name: name.expect("a name").to_owned(), node });
        self
    }

    /// The same with one thing less.
    pub fn without(mut self, path: &str) -> Self {
        let path = Path::new(path);
        let folder = path.parent().and_then(|folder| self.find(folder)).expect("its folder is there");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        self.apply(&Change::Leave { folder, name });
        self
    }

    pub fn file(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        match &self.node(self.find(path.as_ref())?).body {
            Body::File(bytes) => Some(bytes),
            Body::Folder(_) | Body::Symlink(_) => None,
        }
    }

    /// Temporary files that are left when no save is under way.
    pub fn leftovers(&self) -> Vec<String> {
        let names = self.tree().0.into_keys().map(|path| path.display().to_string());
        names.filter(|name| name.ends_with(".tmp")).collect()
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[&id]
    }

    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        self.nodes.get_mut(&id).expect("ids are only made by `add`")
    }

    /// A node that no name leads to yet.
    pub fn add(&mut self, node: Node) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.insert(id, node);
        id
    }

    pub fn entry(&self, folder: NodeId, name: &str) -> Option<NodeId> {
        self.entries(folder)?.get(name).copied()
    }

    pub fn entries(&self, folder: NodeId) -> Option<&BTreeMap<String, NodeId>> {
        match &self.node(folder).body {
            Body::Folder(entries) => Some(entries),
            Body::File(_) | Body::Symlink(_) => None,
        }
    }

    /// Where a path without symlinks leads.
    pub fn find(&self, path: &Path) -> Option<NodeId> {
        let names = path.iter().skip(1).map(|name| name.to_str());
        names.into_iter().try_fold(Self::ROOT, |folder, name| self.entry(folder, name?))
    }

    pub fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::Enter { folder, name, node } => drop(self.names_of(folder).insert(name, node)),
            Change::Leave { folder, name } => drop(self.names_of(folder).remove(&name)),
            Change::Move { folder, from, to, node } => {
                let names = self.names_of(folder);
                names.remove(&from);
                names.insert(to, node);
            }
            Change::Append { node, bytes } => self.bytes_of(node).extend(bytes),
            Change::Mode { node, mode } => self.node_mut(node).mode = mode,
        }
    }

    fn names_of(&mut self, folder: NodeId) -> &mut BTreeMap<String, NodeId> {
        match &mut self.node_mut(folder).body {
            Body::Folder(entries) => entries,
            Body::File(_) | Body::Symlink(_) => panic!("a name was changed in what is no folder"),
        }
    }

    pub fn bytes_of(&mut self, file: NodeId) -> &mut Vec<u8> {
        match &mut self.node_mut(file).body {
            Body::File(bytes) => bytes,
            Body::Folder(_) | Body::Symlink(_) => panic!("bytes were changed in what is no file"),
        }
    }

    /// Of everything that a name leads to: what two images are compared by.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        self.digest_node(Self::ROOT, &mut hasher);
        hasher.finalize().into()
    }

    fn digest_node(&self, id: NodeId, hasher: &mut Sha256) {
        let node = self.node(id);
        let mut part = |kind: u8, bytes: &[u8]| {
            hasher.update([kind]);
            hasher.update(node.mode.to_le_bytes());
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        match &node.body {
            Body::File(bytes) => part(0, bytes),
            Body::Symlink(target) => part(1, target.as_os_str().as_encoded_bytes()),
            Body::Folder(entries) => {
                part(2, &(entries.len() as u64).to_le_bytes());
                for (name, child) in entries {
                    hasher.update((name.len() as u64).to_le_bytes());
                    hasher.update(name);
                    self.digest_node(*child, hasher);
                }
            }
        }
    }

    /// The same as a person reads it, and as tests look into it.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        self.walk(Self::ROOT, Path::new("/"), &mut tree);
        tree
    }

    fn walk(&self, id: NodeId, path: &Path, tree: &mut Tree) {
        let node = self.node(id);
        let seen = match &node.body {
            Body::File(bytes) => Seen::File { mode: node.mode, bytes: bytes.clone() },
            Body::Symlink(target) => Seen::Symlink(target.clone()),
            Body::Folder(entries) => {
                entries.iter().for_each(|(name, child)| self.walk(*child, &path.join(name), tree));
                Seen::Folder { mode: node.mode }
            }
        };
        tree.0.insert(path.to_owned(), seen);
    }
}

#[derive(Default)]
pub struct Tree(pub BTreeMap<PathBuf, Seen>);

pub enum Seen {
    File { mode: u32, bytes: Vec<u8> },
    Folder { mode: u32 },
    Symlink(PathBuf),
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, seen) in &self.0 {
            match seen {
                Seen::File { mode, bytes } => writeln!(f, "  {mode:04o} {} ({} bytes)", path.display(), bytes.len())?,
                Seen::Folder { mode } => writeln!(f, "  {mode:04o} {}/", path.display())?,
                Seen::Symlink(target) => writeln!(f, "       {} -> {}", path.display(), target.display())?,
            }
        }
        Ok(())
    }
}
