//! The dumps of one report: each has a name of its own, and none is lost for having another's.
//!
//! RFC 7578, 4.3, lets a field have several files, and clients name attachments after their files, of which the same is left
//! once the name is sanitised and cut. Which of them has the plain name does not depend on their order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::crash::{Dump, DumpName};

use super::json::Scale;

/// What a minidump begins with.
const MINIDUMP: &[u8] = b"MDMP";

/// A dump with what is known of the part that it was.
pub struct Sent {
    pub dump: Dump,
    /// The name is what was sent, not only what is left of it.
    pub is_exact: bool,
    /// Of a JSON file: it is the annotations where nothing else is.
    pub json: Option<Scale>,
}

impl Sent {
    /// The greatest has the plain name: a minidump rather than something else, then what was really sent under this name,
    /// then the longer. The checksum decides between equal ones.
    fn rank(&self) -> (bool, bool, u64, [u8; 32]) {
        let dump = &self.dump;
        let beginning = dump.frames.iter().flatten().take(MINIDUMP.len());
        let is_minidump = beginning.eq(MINIDUMP);
        (is_minidump, self.is_exact, dump.length_bytes, dump.sha256)
    }
}

/// The dumps in their order, all with different names. Says which got another.
pub fn distinct(sent: Vec<Sent>, notes: &mut Vec<String>) -> Vec<Dump> {
    let mut taken: BTreeSet<DumpName> = sent.iter().map(|sent| sent.dump.name.clone()).collect();
    let mut by_name: BTreeMap<&DumpName, Vec<usize>> = BTreeMap::new();
    for (at, sent) in sent.iter().enumerate() {
        by_name.entry(&sent.dump.name).or_default().push(at);
    }
    let mut renamed = BTreeMap::new();
    for (name, mut places) in by_name {
        places.sort_by_key(|at| Reverse(sent[*at].rank()));
        let mut numbers = 2..;
        for at in places.into_iter().skip(1) {
            let mut names = numbers.by_ref().map(|number| name.numbered(number));
            if let Some(new) = names.find(|new| !taken.contains(new)) {
                notes.push(format!("another file named {name}: kept as {new}"));
                taken.insert(new.clone());
                renamed.insert(at, new);
            }
        }
    }
    let sent = sent.into_iter().enumerate().map(|(at, sent)| Dump {
        name: renamed.remove(&at).unwrap_or(sent.dump.name),
        ..sent.dump
    });
    sent.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sent(name: &str, bytes: &str) -> Sent {
        let sanitised = DumpName::sanitise(name).unwrap();
        Sent {
            is_exact: sanitised.as_str() == name,
            dump: Dump::whole(sanitised, bytes.to_owned().into()),
            json: None,
        }
    }

    fn named(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        let files = files.iter().map(|(name, bytes)| sent(name, bytes));
        let dumps = distinct(files.collect(), &mut Vec::new());
        let pairs = dumps.into_iter().map(|dump| {
            let bytes = String::from_utf8(dump.frames.concat()).unwrap();
            (dump.name.to_string(), bytes)
        });
        pairs.collect()
    }

    #[test]
    fn the_minidump_has_the_plain_name_then_the_exact_one_then_the_longer() {
        for (files, plain) in [
            (&[("d", "a long log"), ("d", "MDMP")][..], "MDMP"),
            (&[("d", "MDMP"), ("d", "MDMP and more")], "MDMP and more"),
            (&[("d", "exact"), ("d.", "longer than it")], "exact"),
            (&[("d", "1"), ("d", "22")], "22"),
        ] {
            let mut backwards = files.to_vec();
            backwards.reverse();
            let names = named(files);
            assert_eq!(names["d"], plain);
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(named(&backwards), names);
        }
    }

    #[test]
    fn a_new_name_is_nobodys() {
        let names = named(&[
            ("d_2", "1"),
            ("d", "2"),
            ("d", "33"),
            ("d_3", "4"),
            ("d", "555"),
        ]);
        let expected = [
            ("d", "555"),
            ("d_2", "1"),
            ("d_3", "4"),
            ("d_4", "33"),
            ("d_5", "2"),
        ];
        let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_owned()));
        assert_eq!(names, BTreeMap::from(expected));
    }

    #[test]
    fn what_is_renamed_is_noted() {
        let (long, mut notes) = ("x".repeat(40), Vec::new());
        let files = vec![sent(&long, "1"), sent(&long, "22"), sent("other", "")];
        let dumps = distinct(files, &mut notes);
        assert_eq!(dumps[0].name.as_str(), format!("{}_2", "x".repeat(28)));
        assert_eq!(
            notes,
            [format!(
                "another file named {}: kept as {}",
                "x".repeat(30),
                dumps[0].name
            )]
        );
    }

    proptest! {
        #[test]
        fn every_file_is_kept_whatever_the_order(
            files in proptest::collection::vec(("[ab.]{0,2}", "(MDMP)?[a-c]{0,2}"), 0..12),
            order in any::<prop::sample::Index>(),
        ) {
            let mut files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let names = named(&files);
            prop_assert_eq!(names.len(), files.len());
            let middle = order.index(files.len() + 1);
            files.rotate_left(middle);
            prop_assert_eq!(named(&files), names);
        }
    }
}
