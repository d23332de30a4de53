//! What is behind an error of a body: axum and hyper wrap each other's.

use std::error::Error;

/// The first cause of this type, the error itself included.
pub fn find<T: Error + 'static>(error: &axum::Error) -> Option<&T> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
