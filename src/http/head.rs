//! A request's headers, as intake and raw crash want them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::intake::Head;

/// What intake wants to know.
pub fn head(headers: &HeaderMap) -> Head<'_> {
    Head {
        content_type: last(headers, header::CONTENT_TYPE),
        content_encoding: only(headers, header::CONTENT_ENCODING),
        content_length_bytes: only(headers, header::CONTENT_LENGTH)
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()),
        is_chunked: headers.contains_key(header::TRANSFER_ENCODING),
    }
}

/// The last of several headers, as recorded.
fn last(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    headers
        .get_all(name)
        .iter()
        .next_back()
        .map(HeaderValue::as_bytes)
}

/// The header if it was sent once: encodings applied twice are not known, as recorded.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        None
    } else {
        Some(first.as_bytes())
    }
}

/// All headers of a name joined by commas, as recorded.
pub fn joined(headers: &HeaderMap, name: HeaderName) -> Vec<u8> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    values.join(&b',')
}

/// The `User-Agent`, read as Latin-1, as recorded; `None` where there is nothing but spaces.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let agent: String = joined(headers, header::USER_AGENT)
        .into_iter()
        .map(char::from)
        .collect();
    let trimmed = agent.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
