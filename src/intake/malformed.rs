//! Why a body is not a crash report: the reason codes of the contract, and the clients that cause them.

/// A reason to discard a submission. The code goes to the client as `Discarded=malformed_<code>` and into a metric's tag.
///
/// The first ten are the original's; the rest are limits and encodings that the original does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// No `Content-Type`, or an empty one. Probes and broken scripts.
    NoContentType,
    /// Neither `multipart/form-data` nor `multipart/mixed`. Forms sent as `application/x-www-form-urlencoded`.
    WrongContentType,
    /// Multipart without a `boundary`. HTTP libraries whose caller set the header by hand.
    NoBoundary,
    /// A boundary of no or of more than 70 characters (RFC 2046); answered by a JSON document.
    BadBoundary,
    /// No body at all. `Content-Length: 0`, or neither length nor chunks.
    NoContentLength,
    /// `Content-Encoding: gzip` and a body that is not, or that was cut. Clients killed while they were sending.
    BadGzip,
    /// The parts do not add up: no last boundary, broken part headers. Clients killed while they were sending.
    InvalidPayloadStructure,
    /// A JSON part that is not JSON.
    InvalidJson,
    /// A JSON part that is not an object.
    InvalidJsonValue,
    /// A form without a single annotation.
    NoAnnotations,
    /// An authorised sender's `uuid` that is not a crash id.
    InvalidUuid,
    /// More parts than `BREAKPAD_MAX_PARTS`.
    TooManyParts,
    /// More annotations than `BREAKPAD_MAX_ANNOTATIONS`.
    TooManyAnnotations,
    /// Annotations of more than `BREAKPAD_MAX_ANNOTATIONS_BYTES` together.
    AnnotationsTooLarge,
    /// An encoding of `BREAKPAD_EXTRA_ENCODINGS` and a body that is not in it, or that was cut.
    BadEncoding,
}

impl Malformed {
    /// All of them, for the metrics' catalog.
    pub const ALL: [Self; 15] = [
        Self::NoContentType,
        Self::WrongContentType,
        Self::NoBoundary,
        Self::BadBoundary,
        Self::NoContentLength,
        Self::BadGzip,
        Self::InvalidPayloadStructure,
        Self::InvalidJson,
        Self::InvalidJsonValue,
        Self::NoAnnotations,
        Self::InvalidUuid,
        Self::TooManyParts,
        Self::TooManyAnnotations,
        Self::AnnotationsTooLarge,
        Self::BadEncoding,
    ];

    /// Found in the headers, before the body is looked at: the body's size and encoding are not counted.
    pub fn is_in_headers(self) -> bool {
        matches!(
            self,
            Self::NoContentType | Self::WrongContentType | Self::NoBoundary | Self::NoContentLength
        )
    }

    /// The code without its prefix, as in the metric's tag `reason:<code>`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoContentType => "no_content_type",
            Self::WrongContentType => "wrong_content_type",
            Self::NoBoundary => "no_boundary",
            Self::BadBoundary => "bad_boundary",
            Self::NoContentLength => "no_content_length",
            Self::BadGzip => "bad_gzip",
            Self::InvalidPayloadStructure => "invalid_payload_structure",
            Self::InvalidJson => "invalid_json",
            Self::InvalidJsonValue => "invalid_json_value",
            Self::NoAnnotations => "no_annotations",
            Self::InvalidUuid => "invalid_uuid",
            Self::TooManyParts => "too_many_parts",
            Self::TooManyAnnotations => "too_many_annotations",
            Self::AnnotationsTooLarge => "annotations_too_large",
            Self::BadEncoding => "bad_encoding",
        }
    }
}
