//! What can be wrong with settings, in words for the operator. Secrets never appear in them.

use std::fmt;
use std::path::PathBuf;

use super::general::GeneralSettings;

/// One reason why the collector cannot start with these settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A value that is not of its kind.
    Invalid {
        name: &'static str,
        /// The value, masked if it is secret.
        shown: String,
        source: String,
        /// What would fit.
        form: &'static str,
        example: &'static str,
        /// More than the form says.
        reason: Option<&'static str>,
    },
    /// An environment variable whose value is not UTF-8.
    NotText { name: String },
    /// A setting that another choice makes necessary.
    Missing {
        name: &'static str,
        reason: &'static str,
        example: &'static str,
    },
    /// The settings file cannot be read, or a line of it means nothing.
    File {
        path: PathBuf,
        /// From 1; none when the file as a whole is meant.
        line: Option<usize>,
        /// Never quotes the line, which may hold a secret.
        what: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid {
                name,
                shown,
                source,
                form,
                example,
                reason,
            } => {
                write!(f, "{name}={} ({source}): ", shown.escape_debug())?;
                match reason {
                    Some(reason) => write!(f, "{reason}")?,
                    None => write!(f, "expected {form}")?,
                }
                write!(f, "; for example {name}={example}")
            }
            Self::NotText { name } => write!(f, "{name}: the value is not UTF-8 text"),
            Self::Missing {
                name,
                reason,
                example,
            } => write!(
                f,
                "{name} is missing: {reason} needs it; for example {name}={example}"
            ),
            Self::File { path, line, what } => match line {
                Some(line) => write!(f, "{} line {line}: {what}", path.display()),
                None => write!(f, "{}: {what}", path.display()),
            },
        }
    }
}

/// Everything that is wrong, at once, so that nobody needs to start the collector once per mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// At least one.
    pub problems: Vec<Problem>,
    /// A misspelt name is often the reason for a missing one, so warnings belong here, too.
    pub warnings: Vec<String>,
    /// What could be read of these, defaults for the rest: so that the failure can be reported.
    pub general: Box<GeneralSettings>,
    /// Somebody chose where reports are kept: this is no try-out.
    pub has_storage: bool,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("1 problem with the settings:")?,
            count => write!(f, "{count} problems with the settings:")?,
        }
        for problem in &self.problems {
            write!(f, "\n  * {problem}")?;
        }
        for warning in &self.warnings {
            write!(f, "\n  * (warning) {warning}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::super::Settings;
    use super::super::tests::{BUCKET, S3, env, file, loaded, problems, shown};
    use super::*;

    #[test]
    fn a_problem_names_the_value_its_source_and_what_would_fit() {
        let problem = Problem::Invalid {
            name: "PORT",
            shown: "80\n0".to_owned(),
            source: "environment".to_owned(),
            form: "a port number from 0 to 65535",
            example: "8000",
            reason: None,
        };
        assert_eq!(
            problem.to_string(),
            r"PORT=80\n0 (environment): expected a port number from 0 to 65535; for example PORT=8000"
        );
    }

    #[test]
    fn all_problems_and_warnings_are_told_together() {
        let problems = Problems {
            problems: vec![
                Problem::Missing {
                    name: "A",
                    reason: "B=1",
                    example: "2",
                },
                Problem::File {
                    path: PathBuf::from("x.env"),
                    line: Some(3),
                    what: "there is no `=`".to_owned(),
                },
            ],
            warnings: vec!["C is unknown".to_owned()],
            general: Box::new(loaded(&[]).0.general),
            has_storage: false,
        };
        assert_eq!(
            problems.to_string(),
            "2 problems with the settings:\n  \
             * A is missing: B=1 needs it; for example A=2\n  \
             * x.env line 3: there is no `=`\n  \
             * (warning) C is unknown"
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let file = file("HOST=nowhere\nnonsense\n");
        let bad = env(&[
            ("PORT", "http"),
            ("CRASHMOVER_ACKNOWLEDGE", "spooled"),
            S3,
            ("CRASHMOVER_CRASHSTORAGE_BUCKET_NANE", "crashes"),
            ("CRASHMOVER_CRASHPUBLISH_CLASS", "sqs"),
            ("CRASHMOVER_CRASHPUBLISH_ACCESS_KEY", "id"),
        ]);
        let problems = Settings::load(bad, Some(file.path())).unwrap_err();
        let text = problems.to_string();
        for part in [
            "7 problems with the settings:",
            "line 2: there is no `=`",
            "line 1): expected an IP address",
            "PORT=http (environment): expected a port number from 0 to 65535; for example PORT=8000",
            "CRASHMOVER_SPOOL_DIR is missing: CRASHMOVER_ACKNOWLEDGE=spooled needs it",
            "CRASHMOVER_CRASHSTORAGE_BUCKET_NAME is missing: CRASHMOVER_CRASHSTORAGE_CLASS=s3 needs it",
            "CRASHMOVER_CRASHPUBLISH_QUEUE_NAME is missing: CRASHMOVER_CRASHPUBLISH_CLASS=sqs needs it",
            "CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY is missing: CRASHMOVER_CRASHPUBLISH_ACCESS_KEY needs it",
            "did you mean CRASHMOVER_CRASHSTORAGE_BUCKET_NAME?",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
    }

    #[test]
    fn problems_can_be_reported_if_the_rest_of_the_settings_can_be_read() {
        let dsn = "https://key@sentry.example.com/1";
        let bad = [("SECRET_SENTRY_DSN", dsn), ("HOST_ID", "a"), ("PORT", "b")];
        let general = Settings::load(env(&bad), None).unwrap_err().general;
        assert_eq!(general.sentry_dsn.unwrap().expose(), dsn);
        assert_eq!(general.host_id.as_deref(), Some("a"));
        let bad = [("SECRET_SENTRY_DSN", "nowhere")];
        let general = Settings::load(env(&bad), None).unwrap_err().general;
        assert_eq!(general.sentry_dsn, None);
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_missing_as_well() {
        let problems = problems(&[S3, ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", "s3://x")]);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn google_storage_is_refused_with_what_to_use() {
        let class = "antenna.ext.gcs.crashstorage.GcsCrashStorage";
        let problems = problems(&[("CRASHMOVER_CRASHSTORAGE_CLASS", class)]);
        assert!(problems[0].contains("Google Cloud Storage is not supported, use s3"));
    }

    #[test]
    fn a_secret_is_seen_nowhere() {
        let secrets = [
            ("SECRET_SENTRY_DSN", "https://hunter2@sentry.example.com/1"),
            ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "hunter2"),
            ("CRASHMOVER_CRASHSTORAGE_ACCESS_KEY", "hunter2"),
            ("CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY", "hunter2"),
            ("CRASHMOVER_HUNTER", "hunter2"),
            S3,
            BUCKET,
        ];
        let (settings, loaded) = loaded(&secrets);
        let everything = format!("{settings:?} {loaded:?} {loaded}");
        assert!(!everything.contains("hunter2"), "{everything}");
        assert_eq!(shown(&loaded, "SECRET_SENTRY_DSN").0, "*****");
        assert_eq!(
            settings.http.stage_submitter_bearer_token.unwrap().expose(),
            "hunter2"
        );
        let problems = problems(&[
            ("SECRET_SENTRY_DSN", "hunter2"),
            (
                "BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN",
                "hunter2\u{7}hunter2",
            ),
        ]);
        assert_eq!(problems.len(), 2);
        assert!(!problems.concat().contains("hunter2"), "{problems:?}");
    }

    #[test]
    fn values_that_are_not_text_matter_only_under_our_names() {
        let bytes = || OsString::from_vec(vec![0xff]);
        let others = vec![("LS_COLORS".into(), bytes()), (bytes(), "1".into())];
        assert!(Settings::load(others, None).is_ok());
        let ours = Settings::load(vec![("HOSTNAME".into(), bytes())], None).unwrap_err();
        assert_eq!(
            ours.problems[0].to_string(),
            "HOSTNAME: the value is not UTF-8 text"
        );
    }
}
