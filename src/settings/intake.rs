//! Settings that bound one request: sizes, counts, time.

use std::time::Duration;

use super::reader::Reader;
use super::setting::{Section, Setting};
use super::value_type::{BYTES_OR_ZERO, COUNT, MEMORY_BYTES, ParseError, SECONDS, ValueType, list};
use crate::intake::{Encoding, ExtraEncodings, Limits};

/// What one body may take until it is read.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes on the wire, de-chunked, compressed or not.
    pub payload_bytes: u64,
    /// From head to last byte.
    pub timeout: Duration,
    /// On average since the first seconds; 0 for no minimum.
    pub min_bytes_per_second: u64,
}

static SECTION: Section = Section {
    title: "Limits of one report",
    intro: "A body that is too large is answered `413`, at once where its Content-Length says so already, one that does not \
            come in time `408`; too many parts or annotations are answered `400`. Most clients never send such a report again, so the limits are far above what \
            real reports need.",
};

pub(super) static MAX_PAYLOAD_BYTES: Setting<u64> = Setting {
    names: &["BREAKPAD_MAX_PAYLOAD_BYTES"],
    default: "26214400",
    reason: "25 MiB, the limit of the nginx in front of the original",
    help: "Bytes of the body as it arrives, compressed or not.",
    kind: MEMORY_BYTES,
};

static BODY_TIMEOUT: Setting<Duration> = Setting {
    names: &["BREAKPAD_BODY_TIMEOUT_SECONDS"],
    default: "300",
    reason: "the largest report over a line of 700 kbit/s",
    help: "Time for a whole body to arrive.",
    kind: SECONDS,
};

static MIN_BYTES_PER_SECOND: Setting<u64> = Setting {
    names: &["BREAKPAD_LEAST_BYTES_PER_SECOND"],
    default: "500",
    reason: "slower than any network in use, faster than a client that only holds a place",
    help: "A body that arrives more slowly than this is given up.",
    kind: BYTES_OR_ZERO,
};

pub(super) static MAX_INFLATED_BYTES: Setting<u64> = Setting {
    names: &["BREAKPAD_MAX_INFLATED_BYTES"],
    default: "104857600",
    reason: "100 MiB, four times the body; small reports may shrink 40:1 and are still far below",
    help: "Bytes of the body after decompression.",
    kind: MEMORY_BYTES,
};

static MAX_PARTS: Setting<usize> = Setting {
    names: &["BREAKPAD_MAX_PARTS"],
    default: "2000",
    reason: "real reports have some hundred at most",
    help: "Parts of the multipart body.",
    kind: COUNT,
};

static MAX_DUMPS: Setting<usize> = Setting {
    names: &["BREAKPAD_MAX_DUMPS"],
    default: "64",
    reason: "no known client sends more than about twenty; each is a file or a request in storage",
    help: "Dumps and other files of a report. Further ones are left out, with a note in the raw crash.",
    kind: COUNT,
};

static MAX_ANNOTATIONS: Setting<usize> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATIONS"],
    default: "2000",
    reason: "real reports have some hundred at most",
    help: "Annotations, whether each has a part of its own or all stand in one JSON part.",
    kind: COUNT,
};

pub(super) static MAX_ANNOTATION_BYTES: Setting<u64> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATION_BYTES"],
    default: "20971520",
    reason: "20 MiB; values of more than 1 MiB are normal",
    help: "Bytes of one annotation that has a part of its own. A larger one is left out, with a remark in the raw crash.",
    kind: MEMORY_BYTES,
};

pub(super) static MAX_ANNOTATIONS_BYTES: Setting<u64> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATIONS_BYTES"],
    default: "52428800",
    reason: "50 MiB; two annotations of the largest size and room for the rest",
    help: "Bytes of all annotations of a report together.",
    kind: MEMORY_BYTES,
};

static EXTRA_ENCODINGS: Setting<ExtraEncodings> = Setting {
    names: &["BREAKPAD_EXTRA_ENCODINGS"],
    default: "",
    reason: "none: the original knows gzip only, and no known crash reporter sends another",
    help: "Values of `Content-Encoding` that are decoded besides `gzip`, under the same limits. A body in another encoding \
           is taken as it is.",
    kind: ValueType {
        form: "`deflate`, `br`, `zstd`, or several of them with commas between",
        example: "deflate,br,zstd",
        is_secret: false,
        parse: |text| {
            let given = list(text, extra_encoding)?;
            Ok(ExtraEncodings {
                deflate: given.contains(&Encoding::Deflate),
                brotli: given.contains(&Encoding::Brotli),
                zstd: given.contains(&Encoding::Zstd),
            })
        },
    },
};

fn extra_encoding(text: &str) -> Result<Encoding, ParseError> {
    match Encoding::named(text.as_bytes()) {
        Some(Encoding::Gzip) => Err(ParseError::Because("gzip is always decoded, leave it out")),
        known => known.ok_or(ParseError::Form),
    }
}

/// What bounds a body, and what is made of it.
pub(super) fn read(values: &mut Reader) -> (BodyLimits, Limits) {
    values.section(&SECTION);
    let body = BodyLimits {
        payload_bytes: values.take(&MAX_PAYLOAD_BYTES),
        timeout: values.take(&BODY_TIMEOUT),
        min_bytes_per_second: values.take(&MIN_BYTES_PER_SECOND),
    };
    let intake = Limits {
        inflated_bytes: values.take(&MAX_INFLATED_BYTES),
        parts: values.take(&MAX_PARTS),
        dumps: values.take(&MAX_DUMPS),
        annotations: values.take(&MAX_ANNOTATIONS),
        annotation_bytes: values.take(&MAX_ANNOTATION_BYTES),
        annotations_bytes: values.take(&MAX_ANNOTATIONS_BYTES),
        extra_encodings: values.take(&EXTRA_ENCODINGS),
        // The clients' settings decide.
        takes_no_annotations: false,
        takes_bare_dumps: false,
    };
    (body, intake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_a_list_of_known_names() {
        let taken = |text| (EXTRA_ENCODINGS.kind.parse)(text).ok();
        assert_eq!(taken(""), Some(ExtraEncodings::default()));
        assert_eq!(taken("zstd, BR,deflate"), Some(ExtraEncodings::ALL));
        for text in ["brotli", "br,", ",", "br zstd", "identity"] {
            assert_eq!(taken(text), None, "{text}");
        }
        let gzip = (EXTRA_ENCODINGS.kind.parse)("br,gzip");
        assert!(matches!(gzip, Err(ParseError::Because(_))));
    }
}
