//! Where each part of a report lies: the layout on disk and the layout in a bucket. Text only, no store is touched.

use crate::crash::{CrashId, DumpName};

/// The two layouts that processors know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `<yyyymmdd>/raw_crash/<id>.json`, `<yyyymmdd>/dump_names/<id>.json`, `<yyyymmdd>/<dump name>/<id>`.
    ///
    /// A dump without a name lies at `<yyyymmdd>/<id>`.
    Fs,
    /// `v1/raw_crash/<yyyymmdd>/<id>`, `v1/dump_names/<id>`, `v1/<dump name>/<id>`.
    ///
    /// `upload_file_minidump` and a dump without a name lie at `v1/dump/<id>`. Processors read the minidump there, so
    /// where several dumps of one report want that key, the minidump has it and the others move: one named `dump` to
    /// `v1/dump-named/<id>`, one without a name to `v1/dump-unnamed/<id>`. No dump can be called so: a
    /// [`DumpName`] has no hyphen.
    S3,
}

/// The keys of one report, no two of them the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportKeys {
    pub raw_crash: String,
    pub dump_names: String,
    /// In the order of the names given.
    pub dumps: Vec<String>,
}

impl ReportKeys {
    /// The keys of a report whose dumps have these names, each of them once.
    pub fn new(layout: Layout, id: &CrashId, names: &[&DumpName]) -> Self {
        let date = id.date_folder();
        match layout {
            Layout::Fs => Self {
                raw_crash: format!("{date}/raw_crash/{id}.json"),
                dump_names: format!("{date}/dump_names/{id}.json"),
                dumps: names
                    .iter()
                    .map(|name| match name.as_str() {
                        "" => format!("{date}/{id}"),
                        name => format!("{date}/{name}/{id}"),
                    })
                    .collect(),
            },
            Layout::S3 => Self {
                raw_crash: format!("v1/raw_crash/{date}/{id}"),
                dump_names: format!("v1/dump_names/{id}"),
                dumps: names
                    .iter()
                    .map(|name| format!("v1/{}/{id}", s3_folder(name.as_str(), names)))
                    .collect(),
            },
        }
    }
}

const MINIDUMP: &str = "upload_file_minidump";

/// The original let the last of several dumps win the key `v1/dump/<id>`; here each keeps its bytes.
fn s3_folder<'a>(name: &'a str, siblings: &[&DumpName]) -> &'a str {
    let with = |other: &str| siblings.iter().any(|name| name.as_str() == other);
    match name {
        MINIDUMP => "dump",
        "dump" if with(MINIDUMP) => "dump-named",
        "" if with(MINIDUMP) || with("dump") => "dump-unnamed",
        "" => "dump",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use super::*;

    fn id() -> CrashId {
        CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap()
    }

    fn dumps(layout: Layout, names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names
            .iter()
            .map(|name| DumpName::sanitise(name).unwrap())
            .collect();
        let names: Vec<_> = names.iter().collect();
        ReportKeys::new(layout, &id(), &names).dumps
    }

    #[test]
    fn the_disk_has_a_folder_for_each_day() {
        let keys = ReportKeys::new(Layout::Fs, &id(), &[]);
        assert_eq!(
            keys.raw_crash,
            "20160918/raw_crash/de1bb258-cbbf-4589-a673-34f800160918.json"
        );
        assert_eq!(
            keys.dump_names,
            "20160918/dump_names/de1bb258-cbbf-4589-a673-34f800160918.json"
        );
        assert_eq!(
            dumps(Layout::Fs, &["upload_file_minidump", ""]),
            [
                "20160918/upload_file_minidump/de1bb258-cbbf-4589-a673-34f800160918",
                "20160918/de1bb258-cbbf-4589-a673-34f800160918"
            ]
        );
    }

    #[test]
    fn the_bucket_has_a_prefix_for_each_kind() {
        let keys = ReportKeys::new(Layout::S3, &id(), &[]);
        assert_eq!(
            keys.raw_crash,
            "v1/raw_crash/20160918/de1bb258-cbbf-4589-a673-34f800160918"
        );
        assert_eq!(
            keys.dump_names,
            "v1/dump_names/de1bb258-cbbf-4589-a673-34f800160918"
        );
    }

    #[test]
    fn in_a_bucket_the_minidump_is_called_dump() {
        for (names, folders) in [
            (
                &["upload_file_minidump", "memory_report"][..],
                &["dump", "memory_report"][..],
            ),
            (&["dump"], &["dump"]),
            (&[""], &["dump"]),
            (&["dump", "upload_file_minidump"], &["dump-named", "dump"]),
            (&["", "upload_file_minidump"], &["dump-unnamed", "dump"]),
            (&["", "dump"], &["dump-unnamed", "dump"]),
            (
                &["", "dump", "upload_file_minidump"],
                &["dump-unnamed", "dump-named", "dump"],
            ),
        ] {
            let expected: Vec<_> = folders
                .iter()
                .map(|folder| format!("v1/{folder}/{}", id()))
                .collect();
            assert_eq!(dumps(Layout::S3, names), expected, "{names:?}");
        }
    }

    fn any_name() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[a-z_./-]{0,40}",
            Just("dump".to_owned()),
            Just(String::new()),
            Just(MINIDUMP.to_owned()),
            Just("dump-named".to_owned()),
        ]
    }

    /// What any client can get: names sanitised, each once.
    fn any_keys() -> impl Strategy<Value = (Layout, CrashId, Vec<String>)> {
        (
            any::<bool>(),
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{5}[01][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])",
            proptest::collection::vec(any_name(), 0..6),
        )
            .prop_map(|(on_disk, id, names)| {
                let layout = if on_disk { Layout::Fs } else { Layout::S3 };
                let id = CrashId::parse(&id).unwrap();
                let names: BTreeSet<_> = names
                    .iter()
                    .filter_map(|name| DumpName::sanitise(name).ok())
                    .collect();
                let keys = ReportKeys::new(layout, &id, &names.iter().collect::<Vec<_>>());
                let keys = [vec![keys.raw_crash, keys.dump_names], keys.dumps].concat();
                (layout, id, keys)
            })
    }

    fn is_safe(part: &str) -> bool {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    }

    proptest! {
        #[test]
        fn no_two_parts_of_a_report_share_a_key((_, _, keys) in any_keys()) {
            let distinct: HashSet<_> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), keys.len());
        }

        #[test]
        fn no_report_has_a_key_outside_the_layout((layout, id, keys) in any_keys()) {
            for key in keys {
                let parts: Vec<_> = key.strip_suffix(".json").unwrap_or(&key).split('/').collect();
                prop_assert!(parts.iter().all(|part| is_safe(part)), "{}", key);
                prop_assert_eq!(parts.last(), Some(&id.as_str()));
                let date = id.date_folder();
                match layout {
                    Layout::Fs => prop_assert!(parts.len() <= 3 && parts[0] == date, "{}", key),
                    Layout::S3 => prop_assert!(parts[0] == "v1" && parts.len() == 3
                        || parts[..3] == ["v1", "raw_crash", &date] && parts.len() == 4, "{}", key),
                }
            }
        }
    }
}
