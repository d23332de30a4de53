//! Where reports are saved.

mod blob;

pub use blob::{Blob, BlobStore, StorageError, StorageErrorKind};
