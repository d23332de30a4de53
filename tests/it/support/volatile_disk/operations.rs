//! What the test disk does when it is asked, unless its power is off or it is told to fail.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use fuser::{Errno, FileAttr, FileType, INodeNo};

use super::State;
use super::node::{Content, Node};
use super::tree::Result;

pub const BLOCK_BYTES: u32 = 4096;

/// The disk behind a mount.
pub struct Serve {
    state: Arc<Mutex<State>>,
}

impl Serve {
    pub fn new(state: Arc<Mutex<State>>) -> Self {
        Self { state }
    }

    /// The disk, if it has power.
    pub fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_off {
            Err(Errno::EIO)
        } else {
            Ok(state)
        }
    }

    fn state_with_room(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state()?;
        if state.is_full {
            Err(Errno::ENOSPC)
        } else {
            Ok(state)
        }
    }

    pub fn attributes(&self, number: INodeNo) -> Result<FileAttr> {
        Ok(attributes(number, self.state()?.tree.node(number.0)?))
    }

    pub fn make(
        &self,
        folder: INodeNo,
        name: &OsStr,
        mode: u32,
        content: Content,
    ) -> Result<FileAttr> {
        let mut state = self.state_with_room()?;
        let number = state
            .tree
            .make(folder.0, name, (mode & 0o7777) as u16, content)?;
        Ok(attributes(INodeNo(number), state.tree.node(number)?))
    }

    pub fn write(&self, number: INodeNo, offset: u64, data: &[u8]) -> Result<u32> {
        let mut state = self.state_with_room()?;
        state.tree.bytes(number.0)?.write(offset as usize, data);
        Ok(data.len() as u32)
    }

    pub fn resize(&self, number: INodeNo, size: u64) -> Result<()> {
        let mut state = self.state()?;
        state.tree.bytes(number.0)?.resize(size as usize);
        Ok(())
    }

    pub fn sync(&self, number: INodeNo) -> Result<()> {
        let mut state = self.state()?;
        let State {
            tree,
            lie,
            failing,
            failed,
            keeps_what_failed,
            ..
        } = &mut *state;
        let is_folder = tree.node(number.0)?.content.is_folder();
        if lie.is_some_and(|is_lie| is_lie(&tree.path(number.0), is_folder)) {
            return Ok(());
        }
        match failing {
            Some((1, dice)) => {
                if !*keeps_what_failed {
                    tree.sync_in_vain(number.0, dice);
                }
                (*failing, *failed) = (None, *failed + 1);
                return Err(Errno::EIO);
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        tree.sync(number.0);
        Ok(())
    }
}

fn attributes(number: INodeNo, node: &Node) -> FileAttr {
    let (kind, size) = match &node.content {
        Content::File(bytes) => (FileType::RegularFile, bytes.seen().len() as u64),
        Content::Folder { .. } => (FileType::Directory, 0),
    };
    FileAttr {
        ino: number,
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: node.mode,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK_BYTES,
        flags: 0,
    }
}
