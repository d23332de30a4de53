//! A start on whatever a cut, a bad disk or half a backup left: it comes up, hands out what is whole, names the rest.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::*;

const REPORTS: u32 = 5;

#[derive(Clone, Debug)]
enum Damage {
    Truncate { which: usize, to: usize },
    Flip { which: usize, bit: usize },
    Copy { which: usize, to: Folder },
    Move { which: usize, to: Folder },
    Junk { folder: Folder, name: String },
    RemoveFolder { folder: Folder },
}

fn damage() -> impl Strategy<Value = Damage> {
    let folder = || prop::sample::select(&Folder::ALL[..]);
    let name = prop_oneof![
        "[a-z .]{1,12}",
        Just("1700000000000000-00000009-0000-4000-8000-000000260709".to_owned()),
        Just("9999999999999999-00000008-0000-4000-8000-000000260709".to_owned()),
    ];
    let which = any::<usize>();
    prop_oneof![
        (which, any::<usize>()).prop_map(|(which, to)| Damage::Truncate { which, to }),
        (which, any::<usize>()).prop_map(|(which, bit)| Damage::Flip { which, bit }),
        (which, folder()).prop_map(|(which, to)| Damage::Copy { which, to }),
        (which, folder()).prop_map(|(which, to)| Damage::Move { which, to }),
        (folder(), name).prop_map(|(folder, name)| Damage::Junk { folder, name }),
        folder().prop_map(|folder| Damage::RemoveFolder { folder }),
    ]
}

/// Does it to one of the files in `save/`, or to a folder.
fn inflict(place: &Place, damage: &Damage) {
    let folder = |folder: Folder| place.path().join(folder.as_str());
    let saved = || fs::read_dir(folder(Folder::Save)).into_iter().flatten();
    let mut files: Vec<_> = saved().map(|file| file.unwrap().path()).collect();
    files.sort();
    let pick = |which: usize| files.get(which % files.len().max(1)).cloned();
    match damage {
        Damage::Truncate { which, to } => {
            if let Some(path) = pick(*which) {
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..to % (bytes.len() + 1)]).unwrap();
            }
        }
        Damage::Flip { which, bit } => {
            if let Some(path) = pick(*which) {
                let mut bytes = fs::read(&path).unwrap();
                let length = bytes.len();
                if let Some(byte) = bytes.get_mut(bit / 8 % length.max(1)) {
                    *byte ^= 1 << (bit % 8);
                }
                fs::write(&path, bytes).unwrap();
            }
        }
        Damage::Copy { which, to } => {
            if let Some(path) = pick(*which) {
                let _ = fs::copy(&path, folder(*to).join(path.file_name().unwrap()));
            }
        }
        Damage::Move { which, to } => {
            if let Some(path) = pick(*which) {
                let _ = fs::rename(&path, folder(*to).join(path.file_name().unwrap()));
            }
        }
        Damage::Junk { folder: it, name } => drop(fs::write(folder(*it).join(name), b"junk")),
        Damage::RemoveFolder { folder: it } => drop(fs::remove_dir_all(folder(*it))),
    }
}

/// Reports that are whole in `save/` and not in `publish/`, where they would count as saved.
fn expected(place: &Place) -> BTreeSet<CrashId> {
    let listed = list(&place.path()).unwrap_or_default();
    let published = |name: &str| {
        let mut files = listed.iter();
        files.any(|file| file.folder == Folder::Publish && file.name == name)
    };
    let whole = listed.iter().filter(|file| {
        let report = |content| matches!(content, Content::Report(_));
        file.folder == Folder::Save
            && !published(&file.name)
            && load(&place.path(), file).is_ok_and(report)
    });
    whole.filter_map(|file| file.crash_id.clone()).collect()
}

async fn start_and_drain(place: &Place) -> BTreeSet<CrashId> {
    let spool = place.open();
    let mut handed_out = BTreeSet::new();
    let mut turns = 0;
    while let Some(entry) = spool.claim(State::Save) {
        turns += 1;
        assert!(turns < 100, "it goes round in circles");
        if spool.load(&entry).await.is_ok() {
            handed_out.insert(entry.crash_id());
            spool.remove(entry).await.unwrap();
        }
    }
    handed_out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_start_comes_up_hands_out_what_is_whole_and_names_the_rest(
        damages in prop::collection::vec(damage(), 0..8),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let place = Place::new();
        runtime.block_on(async {
            let spool = place.open();
            for number in 0..REPORTS {
                drop(spool.put(&report(number)).await.unwrap());
            }
        });
        for damage in &damages {
            inflict(&place, damage);
        }
        // To be able to list it; a start does that too.
        for folder in Folder::ALL {
            fs::create_dir_all(place.path().join(folder.as_str())).unwrap();
        }
        let expected = expected(&place);
        prop_assert_eq!(runtime.block_on(start_and_drain(&place)), expected);
        prop_assert!(place.files(Folder::Incoming).is_empty());
        let left: Vec<_> = place.files(Folder::Save);
        let is_hidden = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with('.')
        };
        prop_assert!(left.iter().all(is_hidden), "{left:?}");
        prop_assert_eq!(runtime.block_on(start_and_drain(&place)).len(), 0);
    }
}
