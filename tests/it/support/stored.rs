//! What a collector has left in a folder: the objects, without knowing what they ought to be.

use std::collections::BTreeMap;
use std::path::Path;

/// Path below the folder (with `/`) to content.
pub type Objects = BTreeMap<String, Vec<u8>>;

/// Every file below `root`; none if there is no such folder.
pub fn objects_below(root: &Path) -> Objects {
    let mut objects = Objects::new();
    collect(root, "", &mut objects);
    objects
}

/// The objects of one crash id.
pub fn objects_of(objects: &Objects, crash_id: &str) -> Objects {
    let own = objects
        .iter()
        .filter(|(path, _)| crash_id_of(path) == Some(crash_id));
    own.map(|(path, content)| (path.clone(), content.clone()))
        .collect()
}

/// The crash id in a stored object's path, if there is one.
pub fn crash_id_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let id = name.strip_suffix(".json").unwrap_or(name);
    (id.len() == 36).then_some(id)
}

fn collect(folder: &Path, prefix: &str, objects: &mut Objects) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.map(|entry| entry.expect("a readable folder")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), &format!("{path}/"), objects);
        } else if let Ok(content) = std::fs::read(entry.path()) {
            // A temporary file may be renamed between listing and reading: then it is not there.
            objects.insert(path, content);
        }
    }
}
