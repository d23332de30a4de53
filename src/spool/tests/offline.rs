//! What an operator can do, beside a running collector or without one.

use std::path::Path;

use super::super::offline::retry_in;

use super::*;
use crate::disk::testing::SimulatedDisk;

/// One report to save, one to publish, one damaged.
async fn three(place: &Place) -> Spool {
    let spool = place.open();
    for number in 1..=3 {
        drop(spool.put(&report(number)).await.unwrap());
    }
    let first = spool.claim(State::Save).unwrap();
    let path = place.files(Folder::Save).remove(0);
    std::fs::write(path, b"rubbish").unwrap();
    spool.load(&first).await.unwrap_err();
    let second = spool.claim(State::Save).unwrap();
    let second = spool.advance(second).await.unwrap();
    drop(spool.give_up_dumps(second).await.unwrap());
    spool
}

#[tokio::test]
async fn everything_is_listed_with_its_state_and_reason() {
    let place = Place::new();
    let _running = three(&place).await;
    let all = list(&place.path()).unwrap();
    let shown: Vec<_> = all
        .iter()
        .map(|file| (file.folder, file.crash_id.clone(), file.length_bytes))
        .collect();
    assert_eq!(shown[0], (Folder::Save, Some(id(3)), shown[0].2));
    assert_eq!(shown[1], (Folder::Publish, Some(id(2)), 132));
    assert_eq!(shown[2], (Folder::Failed, Some(id(1)), 7));
    let reason = all[2].reason.as_deref().unwrap();
    assert_eq!(
        reason,
        "was in save/: the file ends after 7 bytes, within the header"
    );
    assert!(all.iter().all(|file| file.since.is_some()));
}

#[tokio::test]
async fn one_is_found_by_id_or_name_and_read() {
    let place = Place::new();
    let _running = three(&place).await;
    let [file] = &find(&place.path(), id(3).as_str()).unwrap()[..] else {
        panic!("one file");
    };
    assert_eq!(
        load(&place.path(), file).unwrap(),
        Content::Report(report(3))
    );
    let by_name = find(&place.path(), &file.name).unwrap();
    assert_eq!(&by_name[0], file);
    let published = find(&place.path(), id(2).as_str()).unwrap();
    assert_eq!(
        load(&place.path(), &published[0]).unwrap(),
        Content::Publish(id(2))
    );
}

#[tokio::test]
async fn what_is_whole_again_can_be_retried_beside_a_running_collector() {
    let place = Place::new();
    let running = three(&place).await;
    let damaged = find(&place.path(), id(1).as_str()).unwrap().remove(0);
    let error = retry(&place.path(), &damaged).unwrap_err();
    assert!(matches!(error, SpoolError::Corrupt { .. }), "{error}");
    let path = place.path().join("failed").join(&damaged.name);
    let repaired = entry::encode_report(&report(1)).frames.concat();
    std::fs::write(path, repaired).unwrap();
    assert_eq!(retry(&place.path(), &damaged).unwrap(), State::Save);
    assert_eq!(place.files(Folder::Failed), [] as [PathBuf; 0]);
    assert_eq!(running.rescan().await.unwrap().save, 1);
    assert_eq!(entries(&running), (2, 1, 0));
    let oldest = running.claim(State::Save).unwrap();
    assert_eq!(running.load(&oldest).await.unwrap(), report(1));
}

#[tokio::test]
async fn an_id_to_be_published_is_retried_into_its_own_line() {
    let place = Place::new();
    drop(place.open().put_publish(&id(1)).await.unwrap());
    let path = place.files(Folder::Publish).remove(0);
    let name = path.file_name().unwrap();
    std::fs::rename(&path, place.path().join("failed").join(name)).unwrap();
    let file = find(&place.path(), id(1).as_str()).unwrap().remove(0);
    assert_eq!(retry(&place.path(), &file).unwrap(), State::Publish);
}

#[tokio::test]
async fn what_is_back_in_its_queue_is_there_after_a_power_failure() {
    for seed in 0..20 {
        let disk = SimulatedDisk::default();
        let folders = Folders::new(Path::new("/spool"), Arc::new(disk.clone()));
        folders.make().unwrap();
        let name = name::EntryName::parse(&format!("1700000000000000-{}", id(1))).unwrap();
        let encoded = entry::encode_report(&report(1));
        folders.write_incoming(name, &encoded).unwrap();
        let failed = folders.path(Folder::Failed, name);
        disk.rename(&folders.path(Folder::Incoming, name), &failed)
            .unwrap();
        disk.sync_folder(&folders.dir(Folder::Failed)).unwrap();
        let listed = Listed {
            folder: Folder::Failed,
            name: name.to_string(),
            length_bytes: encoded.length_bytes,
            crash_id: None,
            since: None,
            reason: None,
        };
        retry_in(&folders, &listed).unwrap();
        disk.cut_power(seed);
        assert!(disk.open(&folders.path(State::Save, name)).is_ok());
    }
}

#[tokio::test]
async fn a_stranger_is_listed_and_cannot_be_retried() {
    let place = Place::new();
    drop(place.open());
    std::fs::write(place.path().join("failed/notes"), b"x").unwrap();
    let file = list(&place.path()).unwrap().remove(0);
    assert_eq!((file.crash_id.clone(), file.reason.clone()), (None, None));
    let error = retry(&place.path(), &file).unwrap_err().to_string();
    assert!(error.contains("16 digits"), "{error}");
}

#[test]
fn a_report_is_exported_as_plain_files() {
    let place = Place::new();
    let mut report = report(1);
    report.dumps.push(Dump::whole(
        DumpName::sanitise("").unwrap(),
        b"abc".as_slice().into(),
    ));
    let dir = export(&report, place.dir.path()).unwrap();
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert!(dir.ends_with(report.id.as_str()));
    assert_eq!(read("raw_crash.json"), b"{\"number\": 1}");
    assert_eq!(read("upload_file_minidump"), vec![1; 10_000]);
    assert_eq!(read("unnamed-dump"), b"abc");
    assert!(export(&report, place.dir.path()).is_err());
}

#[test]
fn no_spool_is_an_error_and_not_an_empty_list() {
    let place = Place::new();
    assert!(list(&place.path()).is_err());
}
