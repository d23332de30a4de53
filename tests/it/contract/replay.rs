//! Plays cases against collectors: one collector for all cases of the same settings, several cases at a time, each
//! case compared with its own objects only, and nothing in the storage that belongs to no case.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use serde_json::{Value, json};

use super::case::{Case, Outcome, Setup};
use super::compare;
use super::expectations::{Expectations, Source};
use super::request::Request;
use super::tokens::Bindings;
use crate::support::stored::{Objects, crash_id_of};
use crate::support::wire::{Answer, play};

/// How many cases are played at once; the collector has to keep them apart.
const AT_ONCE: usize = 8;

/// A case with everything that decides how it is played and judged.
pub struct Planned<'a> {
    pub case: &'a Case,
    /// One of these must come true.
    pub outcomes: Vec<Outcome>,
    pub source: Source,
    pub settings: BTreeMap<String, String>,
}

/// What happened when a case was played: its answers, and one set of bindings and differences per expected outcome.
pub struct Played<'a> {
    pub planned: &'a Planned<'a>,
    pub answers: Vec<Answer>,
    trials: Vec<Trial>,
}

struct Trial {
    outcome: Outcome,
    bindings: Bindings,
    differences: Vec<String>,
}

/// The circumstances that cases must share to share a collector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circumstances {
    pub settings: BTreeMap<String, String>,
    /// Content in base64.
    pub files: BTreeMap<String, String>,
    pub setup: Setup,
    /// The case that cannot share, because its answer does not tell which objects are its own.
    alone: Option<String>,
}

impl<'a> Planned<'a> {
    pub fn of(case: &'a Case, expectations: &Expectations) -> Self {
        let (outcomes, source) = expectations.outcomes(case);
        let mut settings = case.config.clone();
        if let Some(expectation) = expectations.of(case) {
            settings.extend(expectation.settings.clone());
        }
        Self {
            case,
            outcomes,
            source,
            settings,
        }
    }

    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            settings: self.settings.clone(),
            files: self.case.files.clone(),
            setup: self.case.setup.clone(),
            alone: self.leaves_early().then(|| self.case.name.clone()),
        }
    }

    /// The client does not wait for the answer.
    fn leaves_early(&self) -> bool {
        self.case.send.then.as_deref() == Some("close")
    }
}

impl Circumstances {
    /// The client of this group's only case does not wait: what it sent is saved in its own time.
    pub fn nobody_waits(&self) -> bool {
        self.alone.is_some()
    }
}

/// Sorts cases by what their collector must be like.
pub fn by_circumstances<'a>(
    planned: &'a [Planned<'a>],
) -> BTreeMap<Circumstances, Vec<&'a Planned<'a>>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for planned in planned {
        groups
            .entry(planned.circumstances())
            .or_default()
            .push(planned);
    }
    groups
}

/// Plays all cases against the collector at `address`, several at a time; the result is in the order of the cases.
pub fn play_all<'a>(planned: &[&'a Planned<'a>], address: SocketAddr) -> Vec<Played<'a>> {
    let next = AtomicUsize::new(0);
    let played = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(planned) = planned.get(number) else {
                        return;
                    };
                    let one = play_one(planned, address);
                    played.lock().expect("no panic").insert(number, one);
                }
            });
        }
    });
    let played = played.into_inner().expect("no panic");
    played.into_values().collect()
}

/// Plays one case and judges its answers.
pub fn play_one<'a>(planned: &'a Planned<'a>, address: SocketAddr) -> Played<'a> {
    let request = Request::of(planned.case, Utc::now());
    let answers = play(address, &request.exchange);
    let heartbeat = planned.case.body_compare.as_deref() == Some("heartbeat");
    let trial = |outcome: &Outcome| {
        let mut bindings = Bindings::default();
        bindings.build_id = request.build_id.clone();
        let differences = compare::answers(outcome, &answers, heartbeat, &mut bindings);
        Trial {
            outcome: with_payload_size(outcome, request.gzip_bytes),
            bindings,
            differences,
        }
    };
    Played {
        planned,
        trials: planned.outcomes.iter().map(trial).collect(),
        answers,
    }
}

/// A generated gzip body has the length that our deflate gives it.
fn with_payload_size(outcome: &Outcome, gzip_bytes: Option<usize>) -> Outcome {
    let mut outcome = outcome.clone();
    if let Some(length) = gzip_bytes {
        let documents = outcome.fs.values_mut();
        for size in documents.filter_map(|o| o.pointer_mut("/json/metadata/payload_size")) {
            *size = json!(length);
        }
    }
    outcome
}

impl Played<'_> {
    /// The crash ids that the client was given.
    pub fn crash_ids(&self) -> BTreeSet<String> {
        let responses = self.answers.iter().filter_map(|answer| match answer {
            Answer::Response(response) => response.crash_id(),
            _ => None,
        });
        responses.collect()
    }

    /// The expected outcome that the answers fit best.
    pub fn best_outcome(&self) -> &Outcome {
        let best = self.trials.iter().min_by_key(|t| t.differences.len());
        &best.expect("at least one expected outcome").outcome
    }

    /// Judges what is stored. `layout` says where objects belong, `stored` is everything in the storage.
    ///
    /// Gives back the objects that are this case's own, and what is wrong: nothing if any expected outcome came true.
    pub fn judge(
        &mut self,
        stored: &Objects,
        layout: &dyn Fn(&Outcome) -> BTreeMap<String, Value>,
    ) -> (BTreeSet<String>, Vec<String>) {
        let left_early = self.planned.leaves_early();
        let mut own = self.crash_ids();
        let mut best: Option<Vec<String>> = None;
        for trial in &mut self.trials {
            let expected = layout(&trial.outcome);
            if left_early {
                own.extend(trial.adopt(&expected, stored));
            }
            let objects = of_ids(stored, &own);
            let mut differences = trial.differences.clone();
            differences.extend(compare::objects(&expected, &objects, &trial.bindings));
            if best
                .as_ref()
                .is_none_or(|best| differences.len() < best.len())
            {
                best = Some(differences);
            }
        }
        let paths = of_ids(stored, &own).into_keys().collect();
        (paths, best.expect("at least one expected outcome"))
    }
}

impl Trial {
    /// Takes the only crash id in the storage for the one that the client did not wait for.
    fn adopt(&mut self, expected: &BTreeMap<String, Value>, stored: &Objects) -> Option<String> {
        let ids: BTreeSet<&str> = stored.keys().filter_map(|path| crash_id_of(path)).collect();
        let token = self.bindings.unknown(expected.keys()).pop()?;
        let id = ids.first()?;
        if let Err(problem) = self.bindings.bind(&token, id) {
            self.differences.push(problem);
        }
        Some((*id).to_owned())
    }
}

fn of_ids(stored: &Objects, ids: &BTreeSet<String>) -> Objects {
    let own = stored
        .iter()
        .filter(|(path, _)| crash_id_of(path).is_some_and(|id| ids.contains(id)));
    own.map(|(path, content)| (path.clone(), content.clone()))
        .collect()
}
