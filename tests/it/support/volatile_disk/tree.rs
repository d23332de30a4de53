//! What is on the test disk: as processes see it, and as it would be after a power cut this moment.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use fuser::Errno;
use rand::Rng;
use rand::rngs::StdRng;

use super::bytes::FileBytes;
use super::node::{Content, Names, Node};

pub const ROOT: u64 = 1;
pub type Result<T> = std::result::Result<T, Errno>;

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Nothing.
    Strict,
    /// Any of it: each change of names on its own, any blocks of a file and any length.
    Torn,
}

/// A change of names that is not durable yet.
struct Change {
    from: Option<(u64, OsString)>,
    to: Option<(u64, OsString)>,
    node: u64,
}

impl Change {
    /// An fsync of the folder that a name went to vouches for it; of one that went away, of that where it was.
    fn folder(&self) -> Option<u64> {
        let place = self.to.as_ref().or(self.from.as_ref());
        place.map(|(folder, _)| *folder)
    }
}

/// All nodes by their number.
pub struct Tree {
    pub nodes: HashMap<u64, Node>,
    next: u64,
    pending: Vec<Change>,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Node {
            mode: 0o755,
            content: Content::folder(),
            place: (ROOT, OsString::new()),
        };
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            pending: Vec::new(),
        }
    }
}

impl Tree {
    pub fn node(&self, number: u64) -> Result<&Node> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    pub fn names(&self, folder: u64) -> Result<&Names> {
        match &self.node(folder)?.content {
            Content::Folder { seen, .. } => Ok(seen),
            Content::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64> {
        self.names(folder)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    /// The bytes of a file, to be changed.
    pub fn bytes(&mut self, file: u64) -> Result<&mut FileBytes> {
        match self.nodes.get_mut(&file).map(|node| &mut node.content) {
            Some(Content::File(bytes)) => Ok(bytes),
            Some(Content::Folder { .. }) => Err(Errno::EISDIR),
            None => Err(Errno::ENOENT),
        }
    }

    pub fn make(&mut self, folder: u64, name: &OsStr, mode: u16, content: Content) -> Result<u64> {
        if self.find(folder, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        let (node, place) = (self.next, (folder, name.to_owned()));
        self.next += 1;
        self.nodes.insert(
            node,
            Node {
                mode,
                content,
                place: place.clone(),
            },
        );
        self.change(None, Some(place), node);
        Ok(node)
    }

    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<()> {
        let node = self.find(folder, name)?;
        if self.names(node).is_ok_and(|names| !names.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.change(Some((folder, name.to_owned())), None, node);
        Ok(())
    }

    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<()> {
        let node = self.find(from.0, from.1)?;
        if self
            .find(to.0, to.1)
            .is_ok_and(|there| self.names(there).is_ok())
        {
            return Err(Errno::EISDIR);
        }
        let owned = |(folder, name): (u64, &OsStr)| Some((folder, name.to_owned()));
        self.change(owned(from), owned(to), node);
        Ok(())
    }

    fn change(&mut self, from: Option<(u64, OsString)>, to: Option<(u64, OsString)>, node: u64) {
        let change = Change { from, to, node };
        self.apply(&change, false);
        if let (Some(place), Some(node)) = (&change.to, self.nodes.get_mut(&node)) {
            node.place = place.clone();
        }
        self.pending.push(change);
    }

    fn apply(&mut self, change: &Change, durably: bool) {
        if let Some((folder, name)) = &change.from
            && let Some(names) = self.names_of(*folder, durably)
            && names.get(name) == Some(&change.node)
        {
            names.remove(name);
        }
        if let Some((folder, name)) = &change.to
            && let Some(names) = self.names_of(*folder, durably)
        {
            names.insert(name.clone(), change.node);
        }
    }

    fn names_of(&mut self, folder: u64, durably: bool) -> Option<&mut Names> {
        match &mut self.nodes.get_mut(&folder)?.content {
            Content::Folder { durable, .. } if durably => Some(durable),
            Content::Folder { seen, .. } => Some(seen),
            Content::File(_) => None,
        }
    }

    /// Makes a file or folder durable.
    pub fn sync(&mut self, number: u64) {
        match self.bytes(number) {
            Ok(bytes) => bytes.sync(),
            Err(_) => self.sync_names(number, || true),
        }
    }

    /// An fsync that fails: some is durable, and the rest never will be, although it is seen.
    pub fn sync_in_vain(&mut self, number: u64, dice: &mut StdRng) {
        match self.bytes(number) {
            Ok(bytes) => bytes.sync_in_vain(dice),
            Err(_) => self.sync_names(number, || dice.random()),
        }
    }

    fn sync_names(&mut self, folder: u64, mut survives: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if change.folder() != Some(folder) {
                self.pending.push(change);
            } else if survives() {
                self.apply(&change, true);
            }
        }
    }

    /// The power was gone: what is seen now is what was durable, and of the rest what this strength leaves.
    pub fn cut(&mut self, strength: Strength, dice: &mut StdRng) {
        let is_torn = strength == Strength::Torn;
        for change in std::mem::take(&mut self.pending) {
            if is_torn && dice.random() {
                self.apply(&change, true);
            }
        }
        for node in self.nodes.values_mut() {
            match &mut node.content {
                Content::File(bytes) => {
                    if is_torn {
                        bytes.sync_in_vain(dice);
                    }
                    bytes.forget_unsynced();
                }
                Content::Folder { seen, durable } => seen.clone_from(durable),
            }
        }
        self.forget_unreachable();
    }

    /// Also gives the others the places that they have now.
    fn forget_unreachable(&mut self) {
        let mut reachable = HashMap::new();
        let mut to_visit = vec![(ROOT, (ROOT, OsString::new()))];
        while let Some((number, place)) = to_visit.pop() {
            if let Some(mut node) = self.nodes.remove(&number) {
                if let Content::Folder { seen, .. } = &node.content {
                    let children = seen.iter();
                    to_visit.extend(children.map(|(name, it)| (*it, (number, name.clone()))));
                }
                node.place = place;
                reachable.insert(number, node);
            }
        }
        self.nodes = reachable;
    }

    /// The path of a node below the root, parts joined by `/`; of the root the empty text.
    pub fn path(&self, mut number: u64) -> String {
        let mut parts = Vec::new();
        while let (false, Some(node)) = (number == ROOT, self.nodes.get(&number)) {
            parts.push(node.place.1.to_string_lossy().into_owned());
            number = node.place.0;
        }
        parts.reverse();
        parts.join("/")
    }
}
