//! Takes an entry's header apart; never reads beyond it.

use super::Part;
use crate::crash::DumpName;

/// Takes values off the front of a slice; `None` where it ends too early.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub fn over(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn part(&mut self) -> Option<Part> {
        Some(Part {
            length_bytes: self.u64()?,
            sha256: self.array()?,
        })
    }

    /// Only a name that the sanitiser leaves as it is: it becomes part of a path again.
    pub fn dump_name(&mut self) -> Option<DumpName> {
        let length = self.array::<1>()?[0];
        let text = std::str::from_utf8(self.take(length.into())?).ok()?;
        DumpName::sanitise(text)
            .ok()
            .filter(|name| name.as_str() == text)
    }
}
