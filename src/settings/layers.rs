//! What is given, and by whom: the settings file and the environment, stacked by the `config` crate.
//!
//! The crate is handed known names only. Left to itself it would read the whole environment and fail over any value that
//! is not UTF-8.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use config::{Config, Map, Source, Value};

use super::file::Line;
use super::problem::Problem;
use super::setting::SettingInfo;

/// Why no name of a setting is refused as a key.
const PLAIN: &str = "the names of settings are plain words";

/// A text and where it comes from, in words.
#[derive(Clone)]
pub(super) struct SourcedValue {
    pub text: String,
    pub source: String,
}

/// All names given in one layer, known or not, in order so that messages come in the same order every time.
pub(super) type Layer = BTreeMap<String, SourcedValue>;

/// The environment as a layer. Of names nobody knows, values that are not text are none of our business.
pub(super) fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    known: &BTreeSet<&str>,
) -> (Layer, Vec<Problem>) {
    let (mut layer, mut problems) = (Layer::new(), Vec::new());
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        let given = |text| SourcedValue {
            text,
            source: "environment".to_owned(),
        };
        match value.into_string() {
            Ok(text) => drop(layer.insert(name, given(text))),
            Err(_) if known.contains(name.as_str()) => problems.push(Problem::NotText { name }),
            Err(_) => drop(layer.insert(name, given(String::new()))),
        }
    }
    leave_temporary_keys_to_the_sdk(&mut layer);
    (layer, problems)
}

/// Keys beside a session token are valid only together with it. The SDK reads all three by itself.
fn leave_temporary_keys_to_the_sdk(layer: &mut Layer) {
    let temporary = layer
        .get("AWS_SESSION_TOKEN")
        .is_some_and(|token| !token.text.is_empty());
    if temporary {
        layer.remove("AWS_ACCESS_KEY_ID");
        layer.remove("AWS_SECRET_ACCESS_KEY");
    }
}

/// The lines of the settings file as a layer. A name that stands twice counts where it stands last, as in a shell.
pub(super) fn from_file(path: &Path, lines: Vec<Line>) -> (Layer, Vec<String>) {
    let (mut layer, mut warnings) = (Layer::new(), Vec::new());
    for Line {
        number,
        name,
        value,
    } in lines
    {
        let source = format!("{} line {number}", path.display());
        let warning = format!("{name} stands more than once in the settings file; {source} counts");
        let given = SourcedValue {
            text: value,
            source,
        };
        if layer.insert(name, given).is_some() {
            warnings.push(warning);
        }
    }
    (layer, warnings)
}

/// The text of every declared setting that is given: the environment's lies over the file's.
pub(super) fn stack(
    declared: &[SettingInfo],
    file: &Layer,
    environment: &Layer,
) -> Map<String, Value> {
    let mut stacked = Config::builder();
    for info in declared {
        if let Some(value) = value_of(info, file) {
            stacked = stacked.set_default(info.name(), value).expect(PLAIN);
        }
        if let Some(value) = value_of(info, environment) {
            stacked = stacked.set_override(info.name(), value).expect(PLAIN);
        }
    }
    let stacked = stacked.build().and_then(|stacked| stacked.collect());
    stacked.expect("maps in memory can be collected")
}

/// What one layer says of a setting, under any of its names.
fn value_of(info: &SettingInfo, layer: &Layer) -> Option<Value> {
    let (name, given) = chosen(info.names, layer)?;
    let source = match name == info.name() {
        true => given.source.clone(),
        false => format!("{}, {name}", given.source),
    };
    Some(Value::new(Some(&source), given.text.trim()))
}

/// The first of the names that has a value; else the first that is there at all, which unsets what lies below.
fn chosen<'a>(
    names: &[&'static str],
    layer: &'a Layer,
) -> Option<(&'static str, &'a SourcedValue)> {
    let mut given = names
        .iter()
        .filter_map(|name| Some((*name, layer.get(*name)?)));
    let first = given.clone().next();
    given
        .find(|(_, given)| !given.text.trim().is_empty())
        .or(first)
}
