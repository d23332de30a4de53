//! A request's headers, as intake and raw crash want them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::intake::{Encodings, Head};

/// What intake wants to know.
pub fn head<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Head<'a> {
    Head {
        content_type: last(headers, header::CONTENT_TYPE),
        encodings: Encodings::of(values(headers, header::CONTENT_ENCODING)),
        content_length_bytes: only(headers, header::CONTENT_LENGTH)
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()),
        is_chunked: headers.contains_key(header::TRANSFER_ENCODING),
        query,
    }
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl DoubleEndedIterator<Item = &[u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// The last of several headers, as recorded.
fn last(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    values(headers, name).next_back()
}

/// The header if it was sent once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = values(headers, name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// All headers of a name joined by commas, as recorded.
pub fn joined(headers: &HeaderMap, name: HeaderName) -> Vec<u8> {
    values(headers, name).collect::<Vec<_>>().join(&b',')
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
