//! Settings that bound one request: sizes and counts.

use std::num::NonZeroUsize;

use super::choice::{EXTRA_ENCODINGS as EXTRA_ENCODINGS_KIND, ExtraEncoding};
use super::kind::{COUNT, MEMORY_BYTES};
use super::reader::Reader;
use super::setting::{Section, Setting};

/// Bounds of one request. All sizes are in bytes.
#[derive(Clone, Debug)]
pub struct IntakeSettings {
    /// As it arrives, compressed or not.
    pub max_payload_bytes: NonZeroUsize,
    pub max_inflated_bytes: NonZeroUsize,
    pub max_parts: NonZeroUsize,
    pub max_dumps: NonZeroUsize,
    pub max_annotations: NonZeroUsize,
    pub max_annotation_bytes: NonZeroUsize,
    pub max_annotations_bytes: NonZeroUsize,
    pub extra_encodings: Vec<ExtraEncoding>,
}

static SECTION: Section = Section {
    title: "Limits of one report",
    intro: "A body that is too large is answered `413`, at once where its Content-Length says so already; too many parts or \
            annotations are answered `400`. Most clients never send such a report again, so the limits are far above what \
            real reports need.",
};

pub(super) static MAX_PAYLOAD_BYTES: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_PAYLOAD_BYTES"],
    default: "26214400",
    because: "25 MiB, the limit of the nginx in front of the original",
    help: "Bytes of the body as it arrives, compressed or not.",
    kind: MEMORY_BYTES,
};

pub(super) static MAX_INFLATED_BYTES: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_INFLATED_BYTES"],
    default: "104857600",
    because: "100 MiB, four times the body; small reports may shrink 40:1 and are still far below",
    help: "Bytes of the body after decompression.",
    kind: MEMORY_BYTES,
};

static MAX_PARTS: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_PARTS"],
    default: "2000",
    because: "real reports have some hundred at most",
    help: "Parts of the multipart body.",
    kind: COUNT,
};

static MAX_DUMPS: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_DUMPS"],
    default: "64",
    because: "no known client sends more than about twenty; each is a file or a request in storage",
    help: "Dumps and other files of a report. Further ones are left out, with a note in the raw crash.",
    kind: COUNT,
};

static MAX_ANNOTATIONS: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATIONS"],
    default: "2000",
    because: "real reports have some hundred at most",
    help: "Annotations, whether each has a part of its own or all stand in one JSON part.",
    kind: COUNT,
};

pub(super) static MAX_ANNOTATION_BYTES: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATION_BYTES"],
    default: "20971520",
    because: "20 MiB; values of more than 1 MiB are normal",
    help: "Bytes of one annotation that has a part of its own. A larger one is left out, with a remark in the raw crash.",
    kind: MEMORY_BYTES,
};

pub(super) static MAX_ANNOTATIONS_BYTES: Setting<NonZeroUsize> = Setting {
    names: &["BREAKPAD_MAX_ANNOTATIONS_BYTES"],
    default: "52428800",
    because: "50 MiB; two annotations of the largest size and room for the rest",
    help: "Bytes of all annotations of a report together.",
    kind: MEMORY_BYTES,
};

static EXTRA_ENCODINGS: Setting<Vec<ExtraEncoding>> = Setting {
    names: &["BREAKPAD_EXTRA_ENCODINGS"],
    default: "",
    because: "none: the original knows gzip only, and no known crash reporter sends another",
    help: "Values of `Content-Encoding` that are decoded besides `gzip`, under the same limits. A body in another encoding \
           is taken as it is.",
    kind: EXTRA_ENCODINGS_KIND,
};

impl IntakeSettings {
    pub(super) fn read(values: &mut Reader) -> Self {
        values.section(&SECTION);
        Self {
            max_payload_bytes: values.take(&MAX_PAYLOAD_BYTES),
            max_inflated_bytes: values.take(&MAX_INFLATED_BYTES),
            max_parts: values.take(&MAX_PARTS),
            max_dumps: values.take(&MAX_DUMPS),
            max_annotations: values.take(&MAX_ANNOTATIONS),
            max_annotation_bytes: values.take(&MAX_ANNOTATION_BYTES),
            max_annotations_bytes: values.take(&MAX_ANNOTATIONS_BYTES),
            extra_encodings: values.take(&EXTRA_ENCODINGS),
        }
    }
}
