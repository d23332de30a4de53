//! What is given, and by whom: the settings file and the environment, stacked by the `config` crate.
//!
//! The crate is handed maps that hold nothing but known names. Left to itself it would read the whole environment and
//! fail over any stranger's value that is not UTF-8.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::{Config, ConfigError, Map, Source, Value};

use super::file::Line;
use super::problem::{Problem, Warning};
use super::setting::About;

/// A text and where it comes from, in words.
#[derive(Clone)]
pub(super) struct Given {
    pub text: String,
    pub source: String,
}

/// All names given in one layer, known or not, in order so that messages come in the same order every time.
pub(super) type Layer = BTreeMap<String, Given>;

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
        let given = |text| Given {
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
pub(super) fn from_file(path: &Path, lines: Vec<Line>) -> (Layer, Vec<Warning>) {
    let (mut layer, mut warnings) = (Layer::new(), Vec::new());
    for Line {
        number,
        name,
        value,
    } in lines
    {
        let source = format!("{} line {number}", path.display());
        let warning = format!("{name} stands more than once in the settings file; {source} counts");
        let given = Given {
            text: value,
            source,
        };
        if layer.insert(name, given).is_some() {
            warnings.push(Warning(warning));
        }
    }
    (layer, warnings)
}

/// The text of every declared setting: its default, over it the file's, over it the environment's.
pub(super) fn stack(declared: &[About], file: &Layer, environment: &Layer) -> Map<String, Value> {
    let mut stacked = Config::builder();
    for about in declared {
        stacked = stacked
            .set_default(about.name(), about.default)
            .expect("the names of settings are plain words");
    }
    stacked
        .add_source(KnownNames::of(declared, file))
        .add_source(KnownNames::of(declared, environment))
        .build()
        .and_then(|stacked| stacked.collect())
        .expect("maps in memory can be collected")
}

/// One layer, reduced to known names; alternatives stand under the setting's own name.
#[derive(Clone)]
struct KnownNames(Map<String, Value>);

impl KnownNames {
    fn of(declared: &[About], layer: &Layer) -> Self {
        let values = declared.iter().filter_map(|about| {
            let (given_as, given) = chosen(about.names, layer)?;
            let source = match given_as == about.name() {
                true => given.source.clone(),
                false => format!("{}, {given_as}", given.source),
            };
            let text = given.text.trim();
            Some((about.name().to_owned(), Value::new(Some(&source), text)))
        });
        Self(values.collect())
    }
}

/// The first of the names that has a value; else the first that is there at all, which unsets what lies below.
fn chosen<'a>(names: &[&'static str], layer: &'a Layer) -> Option<(&'static str, &'a Given)> {
    let mut given = names
        .iter()
        .filter_map(|name| Some((*name, layer.get(*name)?)));
    let first = given.clone().next();
    given
        .find(|(_, given)| !given.text.trim().is_empty())
        .or(first)
}

impl Source for KnownNames {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The crate asks for `Debug`; the values may be secrets.
impl fmt::Debug for KnownNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
