//! The operations on the file system of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn disk() -> (tempfile::TempDir, RealDisk) {
    (tempfile::tempdir().unwrap(), RealDisk::private(true))
}

fn slices(pieces: &[Vec<u8>]) -> Vec<IoSlice<'_>> {
    pieces.iter().map(|piece| IoSlice::new(piece)).collect()
}

#[test]
fn many_slices_are_written_whole_and_in_order() {
    let (dir, disk) = disk();
    let path = dir.path().join("file");
    let mut pieces: Vec<Vec<u8>> = (0..3000u32).map(|n| n.to_le_bytes().repeat(50)).collect();
    pieces.insert(0, Vec::new());
    let mut file = disk.create(&path).unwrap();
    file.write_all(&mut slices(&pieces)).unwrap();
    file.begin_sync();
    file.sync().unwrap();
    let (mut read, length_bytes) = disk.open(&path).unwrap();
    let mut found = Vec::new();
    read.read_to_end(&mut found).unwrap();
    assert!(found == pieces.concat());
    assert_eq!(found.len() as u64, length_bytes);
}

#[test]
fn empty_slices_are_no_full_disk() {
    let (dir, disk) = disk();
    for pieces in [&[][..], &[""], &["a"], &["", "a", "", "b", ""]] {
        let path = dir.path().join("file");
        let bytes: Vec<_> = pieces
            .iter()
            .map(|piece| piece.as_bytes().to_vec())
            .collect();
        disk.create(&path)
            .unwrap()
            .write_all(&mut slices(&bytes))
            .unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), pieces.concat());
    }
}

/// As large as dumps are: all but the end goes past the kernel's memory where the disk can do that.
#[test]
fn large_files_are_whole_to_the_last_byte() {
    let (dir, disk) = disk();
    for length in [65_535, 65_536, 65_537, 400_000, 524_288, 1_300_001] {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let pieces: Vec<_> = bytes.chunks(7000).map(<[u8]>::to_vec).collect();
        let path = dir.path().join(length.to_string());
        let mut file = disk.create_new(&path).unwrap();
        file.write_all(&mut slices(&pieces)).unwrap();
        file.sync().unwrap();
        assert!(fs::read(path).unwrap() == bytes, "{length}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let mut full = File::options().write(true).open("/dev/full").unwrap();
    let error = write_rest(&mut full, &mut slices(&[vec![0]]), 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

#[test]
fn a_name_in_use_is_not_touched_by_a_new_file() {
    let (dir, disk) = disk();
    let path = dir.path().join("file");
    fs::write(&path, "older").unwrap();
    let error = disk.create_new(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(path).unwrap(), "older");
}

#[test]
fn a_file_keeps_its_identity_and_its_name_may_get_another() {
    let (dir, disk) = disk();
    let (path, other) = (dir.path().join("file"), dir.path().join("other"));
    let ours = disk.create_new(&path).unwrap().identity().unwrap();
    assert_eq!(disk.identity(&path).unwrap(), ours);
    disk.create_new(&other).map(drop).unwrap();
    disk.rename(&other, &path).unwrap();
    assert_ne!(disk.identity(&path).unwrap(), ours);
}

#[test]
fn a_listing_shows_plain_files_and_folders_only() {
    let (dir, disk) = disk();
    let folder = dir.path().join("folder");
    assert!(disk.make_folder(&folder).unwrap());
    assert!(!disk.make_folder(&folder).unwrap());
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
    fs::write(dir.path().join("file"), b"abc").unwrap();
    let mut listed = disk.list(dir.path()).unwrap();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let shown: Vec<_> = listed
        .iter()
        .map(|it| (it.name.as_str(), it.is_folder))
        .collect();
    assert_eq!(shown, [("file", false), ("folder", true)]);
    assert_eq!(listed[0].length_bytes, 3);
}

#[test]
fn a_lock_is_held_until_its_guard_goes() {
    let (dir, disk) = disk();
    for path in [dir.path().to_owned(), dir.path().join("lock")] {
        let held = disk.lock(&path).unwrap();
        let refused = disk.lock(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        drop(held);
        disk.lock(&path).unwrap();
    }
}

#[test]
fn private_files_are_for_the_collector_alone() {
    let (dir, disk) = disk();
    let (folder, file) = (dir.path().join("folder"), dir.path().join("file"));
    disk.make_folder(&folder).unwrap();
    disk.create(&file).map(drop).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(folder), mode(file)), (0o700, 0o600));
}

/// As CIFS answers; /proc is a file system that cannot either.
#[test]
fn a_file_system_that_cannot_sync_folders_is_not_broken() {
    let (_dir, disk) = disk();
    let proc = File::open("/proc").unwrap();
    assert_eq!(proc.sync_all().unwrap_err().kind(), ErrorKind::InvalidInput);
    disk.sync_folder(Path::new("/proc")).unwrap();
    disk.sync_folder(Path::new("/proc/nothing")).unwrap_err();
}

#[test]
fn a_file_is_no_folder_to_write_to() {
    let (dir, disk) = disk();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    disk.may_write(dir.path()).unwrap();
    let error = disk.may_write(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
}
