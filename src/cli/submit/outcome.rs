//! What became of one submission, read from the answer as a crash reporter would.

/// Longer reasons and ids are none of ours.
const LONGEST_WORD: usize = 100;
/// Statuses under which the collector says that the report itself is the trouble.
const FOR_GOOD: [u16; 4] = [200, 400, 401, 413];

/// How one submission ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitOutcome {
    /// The id that the client is told, with its prefix.
    Accepted(String),
    /// The collector does not want it, and will not want it next time: the reason that it gives.
    Discarded(String),
    /// It was not kept, or nobody knows: worth another try.
    Failed(String),
}

impl SubmitOutcome {
    /// Reads an answer. What is not the collector's is never repeated: it may be anything.
    pub fn of(status: u16, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let text = text.strip_suffix('\n').unwrap_or(text);
        let id = text.strip_prefix("CrashID=").filter(|id| is_word(id));
        if let (200, Some(id)) = (status, id) {
            return Self::Accepted(id.to_owned());
        }
        let reason = text.strip_prefix("Discarded=").filter(|it| is_word(it));
        match reason {
            Some(reason) if FOR_GOOD.contains(&status) => Self::Discarded(reason.to_owned()),
            Some(reason) => Self::Failed(format!("answered {status}, {reason}")),
            None if status == 500 && text.is_empty() => {
                Self::Failed("answered 500: the collector could not keep it".to_owned())
            }
            None if (300..400).contains(&status) => Self::Failed(format!(
                "answered {status}: a redirect, which no crash reporter follows"
            )),
            None => Self::Failed(format!(
                "answered {status}, but not as a collector does: is the URL right?"
            )),
        }
    }
}

fn is_word(text: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_graphic();
    !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_collector_are_understood() {
        let id = "bp-f5d6c950-7db5-4e96-a378-914db0261123";
        let yes = format!("CrashID={id}\n");
        assert_eq!(
            SubmitOutcome::of(200, yes.as_bytes()),
            SubmitOutcome::Accepted(id.to_owned())
        );
        for (status, body, reason) in [
            (200, "Discarded=rule_is_nightly", "rule_is_nightly"),
            (400, "Discarded=malformed_bad_gzip", "malformed_bad_gzip"),
            (401, "Discarded=unauthorized_uuid", "unauthorized_uuid"),
            (413, "Discarded=payload_too_large", "payload_too_large"),
        ] {
            let discarded = SubmitOutcome::Discarded(reason.to_owned());
            assert_eq!(SubmitOutcome::of(status, body.as_bytes()), discarded);
        }
    }

    #[test]
    fn what_may_be_better_next_time_has_failed() {
        for (status, body, said) in [
            (503, "Discarded=overloaded", "answered 503, overloaded"),
            (408, "Discarded=body_timeout", "answered 408, body_timeout"),
            (500, "", "answered 500: the collector could not keep it"),
        ] {
            let failed = SubmitOutcome::Failed(said.to_owned());
            assert_eq!(SubmitOutcome::of(status, body.as_bytes()), failed);
        }
    }

    #[test]
    fn other_peoples_answers_are_not_repeated() {
        let long = format!("CrashID={}", "x".repeat(101));
        for (status, body) in [
            (200, "<html>secret</html>"),
            (200, "CrashID=two secrets"),
            (200, "CrashID="),
            (200, long.as_str()),
            (200, "Discarded=\x1b[2Jsecret"),
            (301, "secret"),
            (404, "{\"title\": \"404 secret\"}"),
            (500, "secret"),
            (201, "CrashID=secret"),
        ] {
            match SubmitOutcome::of(status, body.as_bytes()) {
                SubmitOutcome::Failed(said) => assert!(!said.contains("secret"), "{said}"),
                other => panic!("{other:?} of {body}"),
            }
        }
        assert!(matches!(
            SubmitOutcome::of(200, b"\xff"),
            SubmitOutcome::Failed(_)
        ));
    }
}
