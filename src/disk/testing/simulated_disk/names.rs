//! The names on the simulated disk: as a process sees them, as they are durable, and the changes between.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What a name stands for, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    File(usize),
    Folder(usize),
}

type Tree = BTreeMap<PathBuf, Node>;

/// All names.
pub struct Names {
    seen: Tree,
    durable: Tree,
    pending: Vec<Change>,
    folders: usize,
}

impl Default for Names {
    fn default() -> Self {
        let tree = Tree::from([("/".into(), Node::Folder(0))]);
        Self {
            seen: tree.clone(),
            durable: tree,
            pending: Vec::new(),
            folders: 1,
        }
    }
}

/// A change that is not durable yet.
struct Change {
    from: Option<PathBuf>,
    to: Option<PathBuf>,
    node: Node,
}

impl Change {
    /// True if an fsync of `dir` vouches for it: for a rename, that of the folder it went to.
    fn belongs_to(&self, dir: &Path) -> bool {
        let path = self.to.as_ref().or(self.from.as_ref());
        path.and_then(|path| path.parent()) == Some(dir)
    }

    fn apply(&self, names: &mut Tree) {
        if let Some(from) = &self.from
            && names.get(from) == Some(&self.node)
        {
            names.remove(from);
        }
        if let Some(to) = &self.to {
            names.insert(to.clone(), self.node);
        }
    }
}

impl Names {
    pub fn find(&self, path: &Path) -> io::Result<Node> {
        let found = self.seen.get(path).copied();
        found.ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub fn find_file(&self, path: &Path) -> io::Result<usize> {
        match self.find(path)? {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    pub fn in_folder<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = (String, Node)> + 'a {
        let here = self
            .seen
            .iter()
            .filter(move |(path, _)| path.parent() == Some(dir));
        here.map(|(path, node)| {
            let name = path.file_name().unwrap_or_default();
            (name.to_string_lossy().into_owned(), *node)
        })
    }

    pub fn make(&mut self, path: &Path, node: Node) -> io::Result<()> {
        self.change(None, Some(path), node)
    }

    pub fn make_folder(&mut self, dir: &Path) -> io::Result<()> {
        let node = Node::Folder(self.folders);
        self.folders += 1;
        self.make(dir, node)
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = Node::File(self.find_file(from)?);
        self.change(Some(from), Some(to), node)
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        let node = Node::File(self.find_file(path)?);
        self.change(Some(path), None, node)
    }

    pub fn remove_folder(&mut self, dir: &Path) -> io::Result<()> {
        match self.find(dir)? {
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
            Node::Folder(_) if self.in_folder(dir).next().is_some() => {
                Err(ErrorKind::DirectoryNotEmpty.into())
            }
            node => self.change(Some(dir), None, node),
        }
    }

    fn change(&mut self, from: Option<&Path>, to: Option<&Path>, node: Node) -> io::Result<()> {
        if let Some(to) = to {
            self.find(to.parent().unwrap_or(to))?;
            if matches!(
                (self.seen.get(to), node),
                (Some(Node::Folder(_)), Node::File(_))
            ) {
                return Err(ErrorKind::IsADirectory.into());
            }
        }
        let change = Change {
            from: from.map(Path::to_owned),
            to: to.map(Path::to_owned),
            node,
        };
        change.apply(&mut self.seen);
        self.pending.push(change);
        Ok(())
    }

    /// Makes the changes in `dir` durable, those that survive.
    pub fn sync(&mut self, dir: &Path, mut survives: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if !change.belongs_to(dir) {
                self.pending.push(change);
            } else if survives() {
                change.apply(&mut self.durable);
            }
        }
    }

    /// A power failure: each pending change survives or not.
    pub fn lose_pending(&mut self, mut survives: impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if survives() {
                change.apply(&mut self.durable);
            }
        }
        let mut left = Tree::new();
        // Folders come before what is in them.
        for (path, node) in std::mem::take(&mut self.durable) {
            let is_reachable = path
                .parent()
                .is_none_or(|dir| matches!(left.get(dir), Some(Node::Folder(_))));
            if is_reachable {
                left.insert(path, node);
            }
        }
        self.seen = left.clone();
        self.durable = left;
    }
}
