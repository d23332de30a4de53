//! Holds what clients were told against what is in storage and queue.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::reports::{Expected, ToldSums};
use super::site::{Place, Site};
use super::support::stored::{Objects, crash_id_of};

/// The figures, and every promise that was broken.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    pub acknowledged: usize,
    /// Reports in storage; more than were acknowledged where a client was cut off.
    pub stored: usize,
    /// Ids in the queue, each counted once; none where there is no queue.
    pub published: usize,
    /// Messages beyond the first for an id.
    pub duplicates: usize,
    /// Acknowledged, and not in storage as they were sent.
    pub lost: Vec<String>,
    /// Acknowledged, and not in the queue.
    pub unpublished: Vec<String>,
    /// Everything else that must not be.
    pub wrong: Vec<String>,
}

impl Audit {
    /// Reads storage and queue; the collector must have ended.
    pub fn of(site: &Site, place: Place, told: &ToldSums) -> Self {
        let objects = site.stored();
        let mut audit = Self {
            acknowledged: told.acknowledged.len(),
            ..Self::default()
        };
        for (id, expected) in &told.acknowledged {
            if let Err(problem) = is_stored(&objects, place, id, expected) {
                audit.lost.push(format!("{id}: {problem}"));
            }
        }
        let stored = stored_ids(&objects);
        audit.stored = stored.len();
        for id in &stored {
            if let Err(problem) = is_whole(&objects, place, id) {
                audit.wrong.push(format!("{id} looks stored: {problem}"));
            }
        }
        if let Some(published) = site.published() {
            audit.compare_queue(&published, &stored, told);
        }
        audit
    }

    fn compare_queue(
        &mut self,
        published: &HashMap<String, usize>,
        stored: &BTreeSet<String>,
        told: &ToldSums,
    ) {
        self.published = published.len();
        self.duplicates = published.values().map(|times| times - 1).sum();
        let acknowledged = told.acknowledged.keys();
        self.unpublished = acknowledged
            .filter(|id| !published.contains_key(*id))
            .cloned()
            .collect();
        let unknown = published.keys().filter(|id| !stored.contains(*id));
        self.wrong
            .extend(unknown.map(|id| format!("{id} was published and is not stored")));
    }

    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.unpublished.is_empty() && self.wrong.is_empty()
    }

    pub fn problems(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|text| format!("lost: {text}"));
        let unpublished = self
            .unpublished
            .iter()
            .map(|id| format!("not published: {id}"));
        lost.chain(unpublished)
            .chain(self.wrong.iter().cloned())
            .collect()
    }
}

fn raw_crash_path(place: Place, id: &str) -> String {
    let date = format!("20{}", &id[30..]);
    match place {
        Place::Disk => format!("{date}/raw_crash/{id}.json"),
        Place::Moto => format!("v1/raw_crash/{date}/{id}"),
    }
}

fn dump_path(place: Place, id: &str, name: &str) -> String {
    match (place, name) {
        (Place::Disk, name) => format!("20{}/{name}/{id}", &id[30..]),
        (Place::Moto, "upload_file_minidump") => format!("v1/dump/{id}"),
        (Place::Moto, name) => format!("v1/{name}/{id}"),
    }
}

fn dump_names_path(place: Place, id: &str) -> String {
    match place {
        Place::Disk => format!("20{}/dump_names/{id}.json", &id[30..]),
        Place::Moto => format!("v1/dump_names/{id}"),
    }
}

fn raw_crash(objects: &Objects, place: Place, id: &str) -> Result<Value, String> {
    let bytes = objects
        .get(&raw_crash_path(place, id))
        .ok_or("no raw crash")?;
    serde_json::from_slice(bytes).map_err(|error| format!("raw crash: {error}"))
}

fn is_stored(objects: &Objects, place: Place, id: &str, expected: &Expected) -> Result<(), String> {
    let raw_crash = raw_crash(objects, place, id)?;
    if raw_crash["FaultMarker"] != expected.marker.as_str() {
        return Err(format!("it is not {}", expected.marker));
    }
    for (name, sha256) in &expected.dumps {
        let dump = objects.get(&dump_path(place, id, name));
        let dump = dump.ok_or_else(|| format!("no {name}"))?;
        if Sha256::digest(dump)[..] != sha256[..] {
            return Err(format!("{name} differs from what was sent"));
        }
    }
    Ok(())
}

/// What a processor sees as a report must be one, whether or not somebody was told of it.
fn is_whole(objects: &Objects, place: Place, id: &str) -> Result<(), String> {
    let raw_crash = raw_crash(objects, place, id)?;
    let names = objects
        .get(&dump_names_path(place, id))
        .ok_or("no dump names")?;
    let names: Vec<String> = serde_json::from_slice(names).map_err(|error| error.to_string())?;
    let hashes = &raw_crash["metadata"]["dump_checksums"];
    if hashes.as_object().map(serde_json::Map::len) != Some(names.len()) {
        return Err(format!("dump names {names:?} and hashes {hashes} differ"));
    }
    for name in &names {
        let dump = objects.get(&dump_path(place, id, name));
        let dump = dump.ok_or_else(|| format!("no {name}"))?;
        let digest = Sha256::digest(dump);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if hashes[name] != hex.as_str() {
            return Err(format!("{name} does not fit its hash"));
        }
    }
    Ok(())
}

fn stored_ids(objects: &Objects) -> BTreeSet<String> {
    let raw_crashes = objects.keys().filter(|path| path.contains("raw_crash/"));
    raw_crashes
        .filter_map(|path| crash_id_of(path))
        .map(str::to_owned)
        .collect()
}
