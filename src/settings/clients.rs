//! Settings for clients that were not made for this collector: where they send, and what they send.

use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{ParseError, ValueType, list};

/// What is taken beyond what the original takes.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Paths beside `/submit`; in each a `*` stands for one step.
    pub submit_paths: Vec<String>,
    pub extra_reports: ExtraReports,
}

/// Which reports are taken that Mozilla's Antenna refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraReports {
    pub bare_dumps: bool,
    pub no_annotations: bool,
    pub foreign_uuids: bool,
}

static SECTION: Section = Section {
    title: "Clients",
    intro: "For clients that were not made for this collector. [clients.md](clients.md) says which client needs which.",
};

static SUBMIT_PATHS: Setting<Vec<String>> = Setting {
    names: &["BREAKPAD_SUBMIT_PATHS"],
    default: "",
    reason: "`/submit` only, as the original",
    help: "Paths beside `/submit` at which reports are taken, with commas between; `*` stands for one step of a path. \
           `/api/*/minidump/` is where Sentry's SDKs send minidumps. A slash at the end makes no difference, and neither does \
           the query.",
    kind: ValueType {
        form: "paths that begin with `/`, with commas between; `*` stands for one step",
        example: "/api/*/minidump/",
        is_secret: false,
        parse: |text| list(text, submit_path),
    },
};

static EXTRA_REPORTS: Setting<ExtraReports> = Setting {
    names: &["BREAKPAD_EXTRA_REPORTS"],
    default: "",
    reason: "none: the original refuses them, and a client of yours that sends one by mistake should be told",
    help: "Reports that are taken although the original refuses them. `bare_dumps`: the body is the minidump, \
           `application/octet-stream` or `application/x-dmp`, and the query has the annotations. `no_annotations`: a form \
           without a single annotation, as Crashpad sends it when it cannot read its own minidump; with Mozilla's rules it is \
           then discarded for its product. `foreign_uuids`: a `uuid` from a sender without the token is kept as the \
           annotation `client_uuid`.",
    kind: ValueType {
        form: "`bare_dumps`, `no_annotations`, `foreign_uuids`, or several of them with commas between",
        example: "bare_dumps,no_annotations",
        is_secret: false,
        parse: |text| {
            let mut extra = ExtraReports::default();
            for word in list(text, |word| Ok(word.to_ascii_lowercase()))? {
                match word.as_str() {
                    "bare_dumps" => extra.bare_dumps = true,
                    "no_annotations" => extra.no_annotations = true,
                    "foreign_uuids" => extra.foreign_uuids = true,
                    _ => return Err(ParseError::Form),
                }
            }
            Ok(extra)
        },
    },
};

fn submit_path(path: &str) -> Result<String, ParseError> {
    let is_fine = path.len() > 1
        && path.starts_with('/')
        && path
            .chars()
            .all(|c| c.is_ascii_graphic() && !"?#%".contains(c))
        && path
            .trim_matches('/')
            .split('/')
            .all(|step| step == "*" || !step.contains('*'));
    if path.starts_with("/__") {
        return Err(ParseError::Because(
            "paths that begin with /__ are the collector's own",
        ));
    }
    is_fine.then(|| path.to_owned()).ok_or(ParseError::Form)
}

impl ClientSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            submit_paths: values.take(&SUBMIT_PATHS),
            extra_reports: values.take(&EXTRA_REPORTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_a_list() {
        let parsed = |text| (SUBMIT_PATHS.kind.parse)(text).ok();
        assert_eq!(parsed(""), Some(vec![]));
        let two = ["/submit/", "/api/*/minidump/"].map(str::to_owned).to_vec();
        assert_eq!(parsed("/submit/, /api/*/minidump/"), Some(two));
        for text in [
            "/",
            "a",
            "/a?b",
            "/a b",
            "/a,",
            "/a*",
            "/%61",
            "/__heartbeat__",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn extra_reports_are_a_list_of_known_words() {
        let parsed = |text| (EXTRA_REPORTS.kind.parse)(text).ok();
        let both = ExtraReports {
            bare_dumps: true,
            no_annotations: true,
            foreign_uuids: false,
        };
        assert_eq!(parsed("no_annotations, BARE_DUMPS"), Some(both));
        assert_eq!(parsed(""), Some(ExtraReports::default()));
        assert_eq!(parsed("all"), None);
    }
}
